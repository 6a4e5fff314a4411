import { beforeAll, expect, test } from 'vitest';
import type { ErrorCode } from '../../../src/core/errors.ts';
import { addKey, addMember } from '../../support/accounts.ts';
import type { Api, Tenant } from '../../support/api.ts';
import { openCompany } from '../../support/company.ts';
import { addFatClients } from '../../support/fat.ts';
import { uuidOf } from '../../support/people.ts';
import { expectProblem } from '../../support/problem.ts';
import { sharedWorld } from '../../support/shared.ts';

// What goes on for long after it was asked for: its caller may lose the right to it meanwhile.

const world = await sharedWorld();
let salon: Tenant;
beforeAll(async () => {
  salon = await openCompany(world);
  await addFatClients(world, salon.companyId, 40);
});

/** @property code what they are told from then on */
type Caller = { api: Api; code: ErrorCode; end: () => Promise<unknown> };

const aKey = (): ReturnType<typeof addKey> => addKey(salon.api, ['export', 'clients:read', 'events:read']);

const losses: Record<string, () => Promise<Caller>> = {
  async 'a key that is revoked'() {
    const { api, id } = await aKey();
    return { api, code: 'session_revoked', end: () => salon.api.delete(`/api-keys/${id}`) };
  },
  async 'a key that is over'() {
    const { api, uuid } = await aKey();
    const end = () => world.sql('update api_keys set expires_at = now() where id = $1', [uuid], 'cp_owner');
    return { api, code: 'session_revoked', end };
  },
  async 'a role that is lowered'() {
    const { api, id } = await addMember(world, salon, 'MANAGER');
    return { api, code: 'token_expired', end: () => salon.api.patch(`/users/${id}`, { role: 'READONLY' }) };
  },
  async 'a user who is archived'() {
    const { api, id } = await addMember(world, salon, 'MANAGER');
    return { api, code: 'session_revoked', end: () => salon.api.delete(`/users/${id}`) };
  },
};

test.each(Object.entries(losses))('%s: an export shows nothing that is read afterwards', async (_, prepare) => {
  const { api, end } = await prepare();
  const company = uuidOf('comp', salon.companyId);
  let ended: Promise<unknown> | null = null;
  world.neon.setHooks({
    onRequest({ statements }) {
      if (statements[0]?.params[0] !== company || !statements.some(({ query }) => /> \$\d+::uuid/.test(query)))
        return undefined;
      // Between the first piece and the second.
      ended ??= end();
      return ended.then(() => undefined);
    },
  });
  const exported = api.get('/clients/export', { headers: { 'Accept-Encoding': 'identity' } });
  await expect(exported).rejects.toThrow(/aborted|terminated|closed|hang up/);
  world.neon.setHooks({ onRequest: null });
  expect(ended).not.toBeNull();
});

test.each(Object.entries(losses))('%s: a poll tells nothing of what happens afterwards', async (_, prepare) => {
  const { api, code, end } = await prepare();
  const { head } = (await api.get('/events')).json;
  const company = uuidOf('comp', salon.companyId);
  const { promise: isWaiting, resolve } = Promise.withResolvers<void>();
  world.neon.setHooks({
    onRequest({ statements }) {
      if (statements[0]?.params[0] === company && statements.some(({ query }) => query.includes('changes_after')))
        resolve();
      return undefined;
    },
  });
  const polled = api.get(`/events?after=${head}&wait=25`);
  await isWaiting;
  world.neon.setHooks({ onRequest: null });
  await end();
  await salon.api.post('/clients', { firstName: 'Afterwards' });
  expectProblem(await polled, code);
});
