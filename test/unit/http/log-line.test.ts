import { describe, expect, it } from 'vitest';
import { formatId } from '../../../src/core/id.ts';
import { describeCause, framesOf } from '../../../src/http/fault.ts';
import { actorId, entityIn, maskedPath, withoutSecret } from '../../../src/http/log-line.ts';

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
