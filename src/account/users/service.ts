import { type SQL, sql } from 'drizzle-orm';
import { AppError } from '../../core/errors.ts';
import { parseId } from '../../core/id.ts';
import { instantOf } from '../../core/instant-view.ts';
import { behind } from '../../data/context.ts';
import type { AppContext } from '../../http/context.ts';
import { sameVersion } from '../../resources/row-sql.ts';
import { change, type WriteInput } from '../../resources/write.ts';
import { check, countBehind, refuseKnown } from '../sign-in/counts.ts';
import { burstOf, companyWorkLimit, subscriberOf, workLimits } from '../sign-in/limits.ts';
import { newLink } from '../sign-in/link.ts';
import { hashPassword } from '../sign-in/password.ts';
import { markUser } from '../sign-in/principal.ts';
import { userResource } from './resource.ts';
import { UserArchive, UserCreate, UserPatch } from './schema.ts';
import { addressAsk } from './taken.ts';

const at = (companyId: string, id: string): SQL =>
  sql`users.company_id = ${companyId}::uuid and users.id = ${id}::uuid`;

/**
 * The user must exist, stand no higher than whoever changes them, and have the version expected. Asked inside the
 * write, because a token may still name a role that its user has lost.
 */
function expectUser({ companyId, id, expected }: WriteInput<unknown>, role: string | null = null): SQL {
  return sql`select app.expect_version(max(version), null), app.guard_user(${id}::uuid, ${role}), ${sameVersion(sql`max(version)`, expected)}
    from users where ${at(companyId, id)}`;
}

/** Creates a user, with a password to hash first or to come in by invitation. */
export function createUser(c: AppContext): Promise<Response> {
  let passwordHash: string | null = null;
  const ask = addressAsk(c);
  const create = change({
    resource: userResource,
    name: 'users.create',
    body: UserCreate,
    target: 'new',
    status: 201,
    async prepare({ body, companyId, principal }) {
      if (body.password !== undefined && principal.userId === null)
        throw new AppError('forbidden', 'An API key sets no passwords. Invite the user instead.');
      await ask.begin();
      if (body.password !== undefined) passwordHash = await hashFor(c, companyId, body.password);
    },
    statements: ({ companyId, id, body }) => [
      sql`select app.guard_user(${id}::uuid, ${body.role})`,
      sql`insert into users (company_id, id, name, email, role, external_id)
        values (${companyId}::uuid, ${id}::uuid, ${body.name}, ${body.email}, ${body.role}, ${body.externalId ?? null})`,
      ...(passwordHash === null ? [] : [sql`select app.first_password(${id}::uuid, ${passwordHash})`]),
    ],
  });
  return ask.during(() => create(c));
}

/** Hashes the password of a new user, charged to the caller's address and company. @throws AppError rate_limited, busy */
async function hashFor(c: AppContext, companyId: string, password: string): Promise<string> {
  const work = [...workLimits(c), companyWorkLimit(c, companyId)];
  await check(c.env, work);
  const mayStill = (): void => refuseKnown(c.env, work);
  const hash = await hashPassword(password, {
    kind: 'other',
    address: subscriberOf(c),
    account: companyId,
    burst: burstOf(c),
    mayStill,
  });
  countBehind(c.env, work);
  return hash;
}

/** Columns by field; a field that is absent is left alone. */
const COLUMNS = { name: 'name', email: 'email', role: 'role', externalId: 'external_id' } as const;

function patchUser(c: AppContext): Promise<Response> {
  const ask = addressAsk(c);
  const patch = change({
    resource: userResource,
    name: 'users.update',
    body: UserPatch,
    target: 'path',
    status: 200,
    prepare: ({ body }) => (body.email === undefined ? undefined : ask.begin()),
    statements(input) {
      const { companyId, id, body } = input;
      const sets: SQL[] = [];
      for (const [field, column] of Object.entries(COLUMNS)) {
        const value = body[field as keyof typeof COLUMNS];
        if (value !== undefined) sets.push(sql`${sql.identifier(column)} = ${value}`);
      }
      const expect = expectUser(input, body.role);
      if (sets.length === 0) return [expect];
      return [expect, sql`update users set ${sql.join(sets, sql`, `)} where ${at(companyId, id)}`];
    },
  });
  return ask.during(() => patch(c));
}

const setStatus = ({ companyId, id }: WriteInput<unknown>, status: 'ACTIVE' | 'ARCHIVED'): SQL =>
  sql`update users set status = ${status} where ${at(companyId, id)}`;

export const updateUser = marking(patchUser);

/** Archiving signs out, revokes the keys the user made (a trigger does both) and frees the address. */
export const archiveUser = marking(
  change({
    resource: userResource,
    name: 'users.archive',
    body: UserArchive,
    optionalBody: true,
    target: 'path',
    status: 200,
    statements: (input) => [
      expectUser(input),
      ...(input.body.keepKeys === true ? [sql`select set_config('app.keep_keys', ${input.id}, true)`] : []),
      setStatus(input, 'ARCHIVED'),
    ],
  }),
);

/** Somebody else may have the address by now. */
export function restoreUser(c: AppContext): Promise<Response> {
  const ask = addressAsk(c);
  const restore = change({
    resource: userResource,
    name: 'users.restore',
    target: 'path',
    status: 200,
    prepare: () => ask.begin(),
    statements: (input) => [expectUser(input), setStatus(input, 'ACTIVE')],
  });
  return ask.during(() => restore(c));
}

/** What tokens from before say of the user is not taken on trust any more. */
function marking(handler: (c: AppContext) => Promise<Response>): (c: AppContext) => Promise<Response> {
  return async function changeAndMark(c) {
    const response = await handler(c);
    const { ctx, deps } = c.env;
    const userId = parseId('usr', c.req.param('id') ?? '');
    if (userId !== null) ctx.waitUntil(markUser(behind(ctx), deps, userId));
    return response;
  };
}

/**
 * A link with which the user sets their password. The latest one counts; it takes no revision, and it is in this one
 * answer and nowhere else. Not for whoever stands above the caller: it would take them over.
 */
export function inviteUser(c: AppContext): Promise<Response> {
  const { token, hash } = newLink();
  return change({
    resource: userResource,
    name: 'users.invite',
    target: 'path',
    status: 200,
    secret: true,
    alone: true,
    statements: (input) => [expectUser(input)],
    extra: ({ id }) => sql`jsonb_build_object('expiresAt', app.invite(${id}::uuid, decode(${hash}, 'hex')))`,
    present: ({ expiresAt }) => ({ token, expiresAt: instantOf(expiresAt) }),
  })(c);
}
