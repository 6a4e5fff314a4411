import { addMember } from './accounts.ts';
import { openCompany } from './company.ts';
import type { Refusal } from './fixtures/fixture.ts';
import { uuidOf } from './people.ts';

// What only one route can say, by its name and the code. Fixtures hold these under `refusals`.

const usual: Refusal = async (kit) => kit.fire(kit.anyone, await kit.aim());

const wrongPassword: Refusal = ({ anyone, tenant }) =>
  anyone.post('/auth/login', { email: tenant.email, password: 'not the password' });

export const authRefusals: Record<string, Refusal> = {
  async 'POST /auth/signup signup_closed'({ world, anyone, aim, fire }) {
    const worker = await world.another({ SIGNUP: 'closed' });
    return fire(anyone.at(worker.url), await aim());
  },
  async 'POST /auth/signup email_taken'({ anyone, aim, fire, tenant }) {
    const shot = await aim();
    const body = shot.body as { user: object };
    return fire(anyone, { ...shot, body: { ...body, user: { ...body.user, email: tenant.email } } });
  },
  'POST /auth/login invalid_credentials': wrongPassword,
  async 'POST /auth/login rate_limited'(kit, route) {
    await wrongPassword(kit, route);
    return wrongPassword(kit, route);
  },
  'POST /auth/refresh invalid_refresh_token': usual,
  'POST /auth/password/reset invalid_link': usual,
  async 'POST /auth/password invalid_credentials'({ tenant, aim, fire }) {
    return fire(tenant.api, await aim());
  },
};

export const ticketRefusals: Record<string, Refusal> = {
  // A signed token is enough until it is known to have ended.
  async 'POST /realtime/tickets session_revoked'({ world, tenant, aim, fire }) {
    const { api } = await addMember(world, tenant, 'STAFF');
    await api.post('/auth/logout');
    return fire(api, await aim());
  },
};

const lastOwner: Refusal = ({ tenant, fire }, { method }) =>
  fire(tenant.api, {
    method,
    path: `/users/${tenant.userId}`,
    body: method === 'PATCH' ? { role: 'ADMIN' } : undefined,
    id: tenant.userId,
  });

export const userRefusals: Record<string, Refusal> = {
  'PATCH /users/:id last_owner': lastOwner,
  'DELETE /users/:id last_owner': lastOwner,
  async 'POST /users/:id/restore email_taken'({ tenant, aim, fire }) {
    const shot = await aim();
    const path = `/users/${shot.id}`;
    const { email } = (await tenant.api.get(path)).json;
    await tenant.api.delete(path);
    await tenant.api.post('/users', { name: 'Successor', email, role: 'STAFF' });
    return fire(tenant.api, shot);
  },
  async 'PATCH /users/:id email_taken'({ world, tenant, aim, fire }) {
    const { email } = await addMember(world, tenant, 'STAFF');
    return fire(tenant.api, { ...(await aim()), body: { email } });
  },
};

const erased: Refusal = async ({ tenant, aim, fire }) => {
  const shot = await aim();
  await tenant.api.post(`/clients/${shot.id}/erase`);
  return fire(tenant.api, shot);
};

export const clientRefusals: Record<string, Refusal> = {
  'PATCH /clients/:id erased': erased,
  'POST /clients/:id/restore erased': erased,
  'POST /clients/:id/merge erased': erased,
  async 'POST /clients/:id/merge unknown_reference'({ tenant, aim, fire }) {
    return fire(tenant.api, { ...(await aim()), body: { sourceId: 'clnt_01h455vb4pex5vsknk084sn02q' } });
  },
};

export const importRefusals: Record<string, Refusal> = {
  async 'POST /imports malformed_file'({ tenant, aim, fire }) {
    return fire(tenant.api, { ...(await aim()), file: { text: 'externalId,"a', type: 'text/csv' } });
  },
  async 'POST /imports invalid_body'({ tenant, aim, fire }) {
    return fire(tenant.api, { ...(await aim()), file: { text: 'Vorname\nAnna', type: 'text/csv' } });
  },
};

/** A company whose oldest revisions are no longer kept. */
const windowExceeded: Refusal = async ({ world }, { spec }) => {
  const { api, companyId } = await openCompany(world);
  for (const name of ['1', '2', '3']) await api.patch('/company', { name });
  await world.sql('delete from changes where company_id = $1 and revision <= 4', [uuidOf('comp', companyId)]);
  return api.get(`${spec.path}?after=2`);
};

export const logRefusals: Record<string, Refusal> = {
  'GET /events window_exceeded': windowExceeded,
  'GET /audit window_exceeded': windowExceeded,
};
