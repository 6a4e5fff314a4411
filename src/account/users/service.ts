import { type SQL, sql } from 'drizzle-orm';
import { parseId } from '../../core/id.ts';
import { instantOf } from '../../core/instant-view.ts';
import { behind } from '../../data/context.ts';
import type { AppContext } from '../../http/context.ts';
import { sameVersion } from '../../http/documents.ts';
import { change, type WriteInput } from '../../http/write.ts';
import { newLink } from '../sign-in/link.ts';
import { hashPassword } from '../sign-in/password.ts';
import { markUser } from '../sign-in/principal.ts';
import { userResource } from './resource.ts';
import { UserCreate, UserPatch } from './schema.ts';

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
  return change({
    resource: userResource,
    name: 'users.create',
    body: UserCreate,
    target: 'new',
    status: 201,
    async prepare({ body }) {
      if (body.password !== undefined) passwordHash = await hashPassword(body.password);
    },
    statements: ({ companyId, id, body }) => [
      sql`select app.guard_user(${id}::uuid, ${body.role})`,
      sql`insert into users (company_id, id, name, email, role, external_id)
        values (${companyId}::uuid, ${id}::uuid, ${body.name}, ${body.email}, ${body.role}, ${body.externalId ?? null})`,
      ...(passwordHash === null ? [] : [sql`select app.first_password(${id}::uuid, ${passwordHash})`]),
    ],
  })(c);
}

/** Columns by field; a field that is absent is left alone. */
const COLUMNS = { name: 'name', email: 'email', role: 'role', externalId: 'external_id' } as const;

const patch = change({
  resource: userResource,
  name: 'users.update',
  body: UserPatch,
  target: 'path',
  status: 200,
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

export const updateUser = marking(patch);
/** Archiving signs out (a trigger does) and keeps the address taken: history goes on naming the user. */
export const archiveUser = marking(setStatus('users.archive', 'ARCHIVED'));
export const restoreUser = setStatus('users.restore', 'ACTIVE');

/** What tokens from before say of the user is not taken on trust any more. */
function marking(handler: (c: AppContext) => Promise<Response>): (c: AppContext) => Promise<Response> {
  return async function changeAndMark(c) {
    const response = await handler(c);
    const { ctx, doors } = c.env;
    const userId = parseId('usr', c.req.param('id') ?? '');
    if (userId !== null) ctx.waitUntil(markUser(behind(ctx), doors, userId));
    return response;
  };
}

function setStatus(name: string, status: 'ACTIVE' | 'ARCHIVED') {
  return change({
    resource: userResource,
    name,
    target: 'path',
    status: 200,
    statements: (input) => [
      expectUser(input),
      sql`update users set status = ${status} where ${at(input.companyId, input.id)}`,
    ],
  });
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
