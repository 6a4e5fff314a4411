import { setTimeout as pause } from 'node:timers/promises';
import { hashPassword } from '../../src/account/sign-in/password.ts';
import { newUuid, parseId } from '../../src/core/id.ts';
import type { Api, Tenant } from './api.ts';
import type { World } from './world.ts';

const PASSWORD = 'another horse battery';
let hash: string | null = null;

/** The bare uuid of a public id. */
export function uuidOf(prefix: Parameters<typeof parseId>[0], id: string): string {
  const uuid = parseId(prefix, id);
  if (uuid === null) throw new Error(`not an id of ${prefix}: ${id}`);
  return uuid;
}

/** Signs in; waits as told while the isolate is hashing. */
export async function logIn(api: Api, email: string, password: string): Promise<Api> {
  for (;;) {
    const reply = await api.as(null).post('/auth/login', { email, password });
    if (reply.status === 503) {
      await pause(Number(reply.headers.get('retry-after')) * 1000);
      continue;
    }
    if (reply.status !== 200) throw new Error(`login answered ${reply.status}: ${reply.text}`);
    return api.as(String(reply.json.accessToken));
  }
}

/** A user of this role in the tenant's company: made in SQL, signed in through the API. */
export async function addUser(world: World, tenant: Tenant, role: string): Promise<Api> {
  hash ??= await hashPassword(PASSWORD);
  const company = uuidOf('comp', tenant.companyId);
  const user = newUuid();
  const email = `${user}@example.com`;
  await world.sql(
    'insert into users (company_id, id, name, email, role) values ($1, $2, $3, $4, $5)',
    [company, user, role, email, role],
    'cp_owner',
  );
  await world.sql(
    'insert into credentials (company_id, user_id, password_hash) values ($1, $2, $3)',
    [company, user, hash],
    'cp_owner',
  );
  return logIn(tenant.api, email, PASSWORD);
}
