import { randomUUID } from 'node:crypto';
import { hashPassword } from '../../src/account/sign-in/password.ts';
import { loadKeys, newRefreshToken, type Role, signAccess } from '../../src/account/sign-in/tokens.ts';
import { formatId, newUuid } from '../../src/core/id.ts';
import { PASSWORD, type Tenant } from './api.ts';
import { until } from './until.ts';
import type { World } from './world.ts';

/** Where companies and their people are made. */
export type Place = Pick<World, 'api' | 'sql' | 'vars'>;
type Person = { company: string; user: string; role: Role };
type Session = { row: { id: string; refreshHash: string; expiresAt: string }; refreshToken: string };

let derive = hashPassword;
/** Sets what passwords are stored with: suites that do not attack pay as little as a stored hash may ask for. */
export function deriveWith(own: (password: string) => Promise<string>): void {
  derive = own;
}

/** Derived once per process: what a password costs is tested where signing in is. */
const hashes = new Map<string, string>();
export async function hashOf(password: string): Promise<string> {
  const hash = hashes.get(password) ?? (await derive(password));
  hashes.set(password, hash);
  return hash;
}

/** A session as signing in makes one, still to be stored. */
function newSession(): Session {
  const { token, hash } = newRefreshToken();
  const expiresAt = new Date(Date.now() + 30 * 24 * 3600_000).toISOString();
  return {
    row: { id: newUuid(), refreshHash: Buffer.from(hash).toString('hex'), expiresAt },
    refreshToken: token,
  };
}

async function accessToken(world: Place, { company, user, role }: Person, session: Session): Promise<string> {
  const keys = await loadKeys(String(world.vars.JWT_PRIVATE_KEY), String(world.vars.JWT_PUBLIC_KEYS));
  const claims = { userId: user, companyId: company, sessionId: session.row.id, role };
  return (await signAccess(keys, claims, Date.now())).token;
}

/** Signs somebody in, in SQL: a session of their own, without a password. */
export async function newSignIn(world: Place, person: Person): Promise<{ token: string; refreshToken: string }> {
  const session = newSession();
  await world.sql(
    'select app.sign_in($1::uuid, $2::uuid, $3::jsonb, null)',
    [person.company, person.user, JSON.stringify(session.row)],
    'cp_auth',
  );
  return { token: await accessToken(world, person, session), refreshToken: session.refreshToken };
}

/** A company with its owner, signed in: what signing up makes, by the same function, without deriving a password. */
export async function newCompany(world: Place, name = 'Salon'): Promise<Tenant> {
  const [company, user] = [newUuid(), newUuid()];
  const email = `${randomUUID()}@example.com`;
  const session = newSession();
  const passwordHash = await hashOf(PASSWORD);
  const rows = [
    { id: company, name, currency: 'EUR', timeZone: 'Europe/Vienna' },
    { id: user, name: 'Owner', email, passwordHash },
    session.row,
  ].map((row) => JSON.stringify(row));
  await world.sql('select app.sign_up($1::jsonb, $2::jsonb, $3::jsonb, $4)', [...rows, `req_${user}`], 'cp_auth');
  const api = world.api.as(await accessToken(world, { company, user, role: 'OWNER' }, session));
  const ids = { companyId: formatId('comp', company), userId: formatId('usr', user) };
  return { api, ...ids, email, password: PASSWORD, refreshToken: session.refreshToken };
}

/** The same, and as after a sign-up, Redis knows the company. */
export async function openCompany(world: Place, name = 'Salon'): Promise<Tenant> {
  const tenant = await newCompany(world, name);
  await until(
    'the company to be cached',
    // A page that no test asks for.
    async () => (await tenant.api.get('/branches?limit=97')).headers.get('x-cache') === 'HIT',
  );
  return tenant;
}
