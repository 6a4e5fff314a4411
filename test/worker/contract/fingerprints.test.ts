import { randomBytes, randomUUID } from 'node:crypto';
import { expect, test } from 'vitest';
import type { Api, Reply } from '../../support/api.ts';
import { openCompany } from '../../support/company.ts';
import { send } from '../../support/imports.ts';
import { sharedWorld } from '../../support/shared.ts';

// What is kept of a request with an Idempotency-Key must not let a reader of the database try guesses at its content: it
// depends on a secret. Who changes the secret must not break the retries of the day before.

const world = await sharedWorld();
const salon = await openCompany(world);
const other = await world.another({ CURSOR_SECRET: randomBytes(32).toString('base64url') });
const stranger = salon.api.at(other.url);

const routes: [string, (api: Api, headers: Record<string, string>) => Promise<Reply>][] = [
  ['POST /clients', (api, headers) => api.post('/clients', { firstName: 'Ann' }, { headers })],
  [
    'POST /clients/bulk',
    (api, headers) => api.post('/clients/bulk', { mode: 'atomic', items: [{ firstName: 'Ann' }] }, { headers }),
  ],
  ['POST /imports', (api, headers) => send(api, 'externalId,firstName\na,Ann', { headers })],
];

const kept = async (key: string): Promise<string> => {
  const [row] = await world.sql("select encode(fingerprint, 'hex') as text from idempotency_keys where key = $1", [
    key,
  ]);
  return String(row?.text);
};

test.each(routes)(
  '%s keeps a fingerprint that takes the secret to make, and replays after a rotation',
  async (_, ask) => {
    const [one, two] = [randomUUID(), randomUUID()];
    const first = await ask(salon.api, { 'Idempotency-Key': one });
    expect(first.status, first.text).toBeLessThan(300);
    for (const api of [salon.api, stranger]) {
      const again = await ask(api, { 'Idempotency-Key': one });
      expect([again.status, again.headers.get('idempotency-replayed')]).toEqual([first.status, 'true']);
      expect(again.text).toBe(first.text);
    }
    await ask(stranger, { 'Idempotency-Key': two });
    const [mine, theirs] = [await kept(one), await kept(two)];
    expect(mine).toHaveLength(72);
    expect(mine.slice(8)).not.toBe(theirs.slice(8));
  },
);
