import { describe, expect, it } from 'vitest';
import { formatLog, type Sources } from '../../../local/log-format.ts';

const sources: Sources = {
  translate: (frame) => frame.replace('index.js:9:9', 'src/a.ts:2:7'),
  excerpt: (frame) => (frame.includes('src/a.ts') ? ["2 | throw new TypeError('x');", '          ^'] : undefined),
};
const at = new Date(2026, 0, 2, 3, 4, 5);
const shown = (line: unknown, more: { json?: boolean; color?: boolean } = {}): string | null =>
  formatLog(
    typeof line === 'string' ? line : JSON.stringify(line),
    { json: false, color: false, ...more },
    sources,
    at,
  );
const request = {
  level: 'info',
  requestId: 'req_1',
  method: 'GET',
  route: '/clients/:id',
  status: 404,
  ms: 12,
  company: 'comp_1',
  actor: 'usr_1',
  trips: { redis: 1, postgres: 2, room: 0 },
  code: 'not_found',
  entity: 'clnt_1',
};

describe('the log on a terminal', () => {
  it('a request in one line', () => {
    expect(shown(request)).toBe('03:04:05  GET     404     12 ms  /clients/:id  redis 1 db 2  not_found  clnt_1');
    expect(shown({ ...request, path: '/nope' })).toContain('/nope (no such route)');
  });

  it('colours on request only', () => {
    expect(shown(request, { color: true })).toContain('\u001b[33m404');
    expect(shown(request)).not.toContain('\u001b');
  });

  it('JSON as it came', () => expect(JSON.parse(String(shown(request, { json: true })))).toEqual(request));

  it('a fault with its message, place, line of source and cause', () => {
    const fault = {
      name: 'TypeError',
      message: 'x\ny',
      frames: ['at f (file:///w/index.js:9:9)', 'at g (.wrangler/tmp/h.js:1:1)'],
      cause: { name: 'Error', message: 'why', frames: [] },
    };
    expect(shown({ level: 'error', requestId: 'req_1', fault })).toBe(
      `03:04:05  TypeError: x
      y  req_1
    at f (file:///w/src/a.ts:2:7)
      2 | throw new TypeError('x');
                ^
  caused by Error: why`,
    );
  });

  it('nothing of a sweep that found nothing', () => {
    expect(shown({ level: 'info', job: 'sweep', behind: 0 })).toBeNull();
    expect(shown({ level: 'info', job: 'sweep', behind: 1 })).toContain('behind 1');
  });

  it('what callers sent cannot steer the terminal', () => {
    expect(shown({ ...request, path: '/\u001b[2J' })).toContain('/·[2J');
  });
});
