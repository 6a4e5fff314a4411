import { type SQL, sql } from 'drizzle-orm';
import { AppError } from '../../core/errors.ts';
import { parseId } from '../../core/id.ts';
import { instantOf } from '../../core/instant.ts';
import { behind } from '../../data/ctx.ts';
import { bytea } from '../../data/query.ts';
import type { AppContext } from '../../http/context.ts';
import { change } from '../../resources/change.ts';
import { expectRow, insertRow, newRow, rowOf, sameVersion, setRow, type WriteInput } from '../../resources/row-sql.ts';
import { createOf, restoreOf, updateOf } from '../../resources/verbs.ts';
import { check, countBehind, refuseKnown } from '../sign-in/counts.ts';
import { burstOf, companyWorkLimit, subscriberOf, workLimits } from '../sign-in/limits.ts';
import { newLink } from '../sign-in/link.ts';
import { hashPassword } from '../sign-in/password.ts';
import { markUser } from '../sign-in/principal.ts';
import { user } from './resource.ts';
import { UserArchive } from './schema.ts';
import { addressAsk } from './taken.ts';

/**
 * The user must exist, stand no higher than whoever changes them, and have the version expected. Asked inside the
 * write, because a token may still name a role that its user has lost.
 */
const expectUser = (input: WriteInput<unknown>, role: string | null = null): SQL =>
  sql`select ${expectRow}, app.guard_user(${input.id}::uuid, ${role}), ${sameVersion(input.expected)}
    from users where ${rowOf(user, input)}`;

/** Creates a user, with a password to hash first or to come in by invitation. */
export function createUser(c: AppContext): Promise<Response> {
  let passwordHash: string | null = null;
  const ask = addressAsk(c);
  const create = createOf(user, {
    async prepare({ body, companyId, principal }) {
      if (body.password !== undefined && principal.userId === null)
        throw new AppError('forbidden', 'An API key sets no passwords. Invite the user instead.');
      await ask.begin();
      if (body.password !== undefined) passwordHash = await hashFor(c, companyId, body.password);
    },
    statements: ({ id, body }) => [
      sql`select app.guard_user(${id}::uuid, ${body.role})`,
      insertRow(user, newRow(user, id, body)),
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

export const updateUser = marking((c) => {
  const ask = addressAsk(c);
  const update = updateOf(user, {
    prepare: ({ body }) => (body.email === undefined ? undefined : ask.begin()),
    expect: (input) => expectUser(input, input.body.role),
  });
  return ask.during(() => update(c));
});

/** Archiving signs out, revokes the keys the user made (a trigger does both) and frees the address. */
export const archiveUser = marking(
  change({
    resource: user,
    name: 'users.archive',
    body: UserArchive,
    optionalBody: true,
    target: 'path',
    status: 200,
    statements: (input) => [
      expectUser(input),
      ...(input.body.keepKeys === true ? [sql`select set_config('app.keep_keys', ${input.id}, true)`] : []),
      setRow(user, input, sql`status = 'ARCHIVED'`),
    ],
  }),
);

/** Somebody else may have the address by now. */
export function restoreUser(c: AppContext): Promise<Response> {
  const ask = addressAsk(c);
  const restore = restoreOf(user, { prepare: () => ask.begin(), expect: expectUser });
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
    resource: user,
    name: 'users.invite',
    target: 'path',
    status: 200,
    secret: true,
    alone: true,
    statements: (input) => [expectUser(input)],
    extra: ({ id }) => sql`jsonb_build_object('expiresAt', app.invite(${id}::uuid, ${bytea(hash)}))`,
    present: ({ expiresAt }) => ({ token, expiresAt: instantOf(expiresAt) }),
  })(c);
}
