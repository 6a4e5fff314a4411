import { describe, expect, it } from 'vitest';
import { formatId } from '../../../src/core/id.ts';
import type { Call } from '../../../src/http/context.ts';
import { describeCause, framesOf } from '../../../src/http/fault.ts';
import { actorId, entityIn, lineOf, maskedPath, withoutSecret } from '../../../src/http/log-line.ts';

const uuid = '0190a5d2-7c3e-7b1a-8f00-00000000002a';
const id = formatId('clnt', uuid);

describe('what a log line names', () => {
  it.each([
    [`USER:${uuid}`, formatId('usr', uuid)],
    [`API_KEY:${uuid}`, formatId('key', uuid)],
    ['SYSTEM', 'SYSTEM'],
  ])('%s as the API shows it', (actor, shown) => expect(actorId(actor)).toBe(shown));

  it('the id in a path, and nothing of a query', () => {
    expect(entityIn(`https://x.test/api/v1/clients/${id}/erase?search=${id}`)).toBe(id);
    expect(entityIn(`https://x.test/api/v1/clients?after=/${id}`)).toBeUndefined();
    expect(entityIn(`https://x.test/calendars/${id}5ecret.ics`)).toBeUndefined();
  });

  it('of a path that leads nowhere only words of ours', () => {
    const words = new Set(['api', 'v1', 'clients']);
    expect(maskedPath('/api/v1/clients/by-name/Jane%20Doe', words)).toBe('/api/v1/clients/*/*');
    expect(withoutSecret('/api/v1/clients/by-name')).toBe('/api/v1/clients/by-name');
    for (const name of ['calendars', 'calendar', 'Calendars'])
      expect(withoutSecret(`/api/v1/${name}/5ecret.ics/5ecret\n5ecret`)).toBe(`/api/v1/${name}/*`);
    expect(maskedPath(`/${'a/'.repeat(500)}`, words).length).toBeLessThan(20);
  });
});

describe('the line of a request', () => {
  const request = new Request(`https://x.test/api/v1/clients/${id}?search=jane`);
  const trips = { redis: 1, postgres: 2, room: 0 };
  const state = { principal: { proven: true, companyId: uuid, actor: `USER:${uuid}` }, route: '/clients/:id' };
  const told = (notes: Record<string, unknown>, status: number, { proven = true, databaseMetrics = true } = {}) => {
    const ctx = { requestId: 'req_1', startedAt: 5, now: () => 12, trips, times: { postgres: 3 }, notes };
    const call = {
      ctx,
      deps: { settings: { databaseMetrics } },
      state: proven ? state : { ...state, principal: null },
    };
    return JSON.parse(lineOf(call as unknown as Call, request, status, 'info')) as unknown;
  };
  const known = { company: formatId('comp', uuid), actor: formatId('usr', uuid) };
  const usual = { level: 'info', requestId: 'req_1', method: 'GET', route: '/clients/:id', ms: 7, trips };

  it('is JSON, of one caller the same each time', () => {
    const line = { ...usual, ...known, status: 200, dbMs: 3 };
    expect([told({}, 200), told({}, 200)]).toEqual([line, line]);
  });

  it('has what was noted as it is, and the entity of a refusal once', () => {
    const notes = { slowQuery: 'a"b\n\\', turnMs: 4, 'odd "name"': true };
    expect(told(notes, 404)).toEqual({ ...usual, ...known, status: 404, dbMs: 3, entity: id, ...notes });
    expect(told({ entity: 'clnt_noted' }, 409)).toMatchObject({ entity: 'clnt_noted' });
    const text = lineOf(
      {
        ctx: { requestId: '', startedAt: 0, now: () => 0, trips, times: {}, notes: { entity: 'x' } },
        deps: { settings: {} },
        state,
      } as unknown as Call,
      request,
      409,
      'info',
    );
    expect(text.match(/"entity"/g)).toHaveLength(1);
  });

  it('says nothing of a caller who is not known, nor of Postgres where nobody is to know', () => {
    expect(told({}, 401, { proven: false, databaseMetrics: false })).toEqual({ ...usual, status: 401, entity: id });
  });
});

describe('what a fault may say', () => {
  it('places, and no line of a message that looks like one', () => {
    const error = new TypeError('cannot store\n    at jane@example.com (secret)');
    const frames = framesOf(error);
    expect(frames[0]).toMatch(/log-line\.test\.ts/);
    expect(JSON.stringify(describeCause(error))).not.toMatch(/jane|secret|cannot/);
  });

  it('nothing when the message was changed after the throw', () => {
    const error = new Error('at jane@example.com (x)');
    error.stack = 'Error: at jane@example.com (y)\n    at f (a.js:1:1)';
    expect(framesOf(error)).toEqual([]);
  });

  it('the state of the database, no value', () => {
    const error = Object.assign(new Error('Key (email)=(jane@example.com)'), {
      code: '23505',
      detail: 'jane',
      table: 'clients',
    });
    expect(describeCause(error)).toMatchObject({ cause: 'Error', state: '23505', table: 'clients' });
    expect(JSON.stringify(describeCause(error))).not.toContain('jane');
  });
});
