import { expect, test } from 'vitest';
import type { Api } from '../../support/api.ts';
import { openCompany } from '../../support/company.ts';
import { listen } from '../../support/listener.ts';
import { sharedWorld } from '../../support/shared.ts';

// What a socket may say, and who may have one.

const world = await sharedWorld();
const salon = await openCompany(world);

test('8,193 bytes are not served, 8,192 are; three such frames end it', async () => {
  const listener = await listen(salon.api);
  const frame = (bytes: number): string => {
    const text = JSON.stringify({ type: 'presence', state: '' });
    return `${text}${' '.repeat(bytes - text.length)}`;
  };
  listener.say(frame(8192));
  await listener.next('presence');
  for (let n = 0; n < 3; n += 1) listener.say(frame(8193));
  const tooLarge = {
    ...{ type: 'error', code: 'too_large', message: 'A frame has at most 8192 bytes.', temporary: false },
  };
  expect(await listener.closed()).toBe(4502);
  expect(listener.of('error')).toEqual([tooLarge, tooLarge, tooLarge]);
});

test('the 51st message of a user within a moment is refused with when to try again, and the third refusal ends it', async () => {
  const { api } = await openCompany(world);
  const listener = await listen(api);
  // Some more than three beyond the fifty: on a slow machine a few become free meanwhile.
  for (let n = 0; n < 65; n += 1) listener.say({ type: 'presence', state: n });
  expect(await listener.closed()).toBe(4029);
  const [first, ...others] = listener.of('error');
  expect(first).toEqual({
    ...{ type: 'error', code: 'rate_limited', message: 'Too many messages.', temporary: true },
    retryAfterMs: expect.any(Number),
  });
  expect(Number(first?.retryAfterMs)).toBeLessThanOrEqual(1200);
  expect(others.map(({ code }) => code)).toEqual(['rate_limited', 'rate_limited']);
});

test('a ticket is only for who may listen, and costs one unit', async () => {
  const anonymous: Api = salon.api.as(null);
  expect((await anonymous.post('/realtime/tickets')).status).toBe(401);
  const key = (await salon.api.post('/api-keys', { name: 'imports', scopes: ['import'] })).json;
  expect((await salon.api.as(String(key.secret)).post('/realtime/tickets')).status).toBe(403);
  expect((await salon.api.post('/realtime/tickets', { session: 1 })).status).toBe(422);
});
