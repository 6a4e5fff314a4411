import { sql } from 'drizzle-orm';
import type * as z from 'zod';
import { AppError } from '../../core/errors.ts';
import { newUuid } from '../../core/id.ts';
import { endWrite, type Row, readEnd, rowsOf } from '../../data/log.ts';
import { announceChanges } from '../../data/write.ts';
import type { AppContext } from '../../http/context.ts';
import { check, count, loginLimits, signUpLimits } from './limits.ts';
import { hashPassword, verifyPassword } from './password.ts';
import type { Login, SignUp } from './schema.ts';
import { newSession, type Opened, signedIn } from './session.ts';

/** Creates a company with its first owner and signs them in. @throws AppError signup_closed, rate_limited, busy, email_taken */
export async function signUp(
  c: AppContext,
  input: z.output<typeof SignUp>,
): Promise<{ body: Record<string, unknown>; revision: number; companyId: string }> {
  const { ctx, doors } = c.env;
  const limits = signUpLimits(c);
  await check(c, limits);
  await count(c, limits);
  const company = { id: newUuid(), ...input.company };
  const { password, ...person } = input.user;
  const user = { id: newUuid(), ...person, passwordHash: await hashPassword(password) };
  const session = newSession(ctx.now());
  const work = (async (): Promise<Opened> => {
    const [, end] = await atUser(() =>
      doors.auth.batch(ctx, 'signUp', [
        doors.auth.db.execute(
          sql`select app.sign_up(${JSON.stringify(company)}::jsonb, ${JSON.stringify(user)}::jsonb, ${JSON.stringify(session.row)}::jsonb, ${ctx.requestId})`,
        ),
        doors.auth.db.execute(endWrite),
      ]),
    );
    const { epoch, head, changes } = readEnd(end);
    await announceChanges(ctx, doors, company.id, { epoch, base: 0, head, changes, results: [], replay: null });
    const rowOf = (entity: string): Row => changes.find((change) => change.entity === entity)?.after ?? {};
    return { company: rowOf('company'), user: rowOf('user'), revision: head };
  })();
  ctx.waitUntil(work.catch(() => undefined));
  const opened = await work;
  return { body: await signedIn(c, opened, session), revision: opened.revision, companyId: company.id };
}

/** Signs a user in. An unknown account costs and answers the same as a wrong password. @throws AppError invalid_credentials, rate_limited, busy */
export async function login(
  c: AppContext,
  input: z.output<typeof Login>,
): Promise<{ body: Record<string, unknown>; revision: number }> {
  const { ctx, doors } = c.env;
  const email = input.email.trim();
  const limits = loginLimits(c, email);
  await check(c, limits);
  const [found] = await doors.auth.batch(ctx, 'login', [
    doors.auth.db.execute(
      sql`select company_id, user_id, role, password_hash from app.find_credential(${email.replaceAll('\0', '')})`,
    ),
  ]);
  const account = rowsOf(found)[0];
  const { ok, rehash } = await verifyPassword(
    input.password,
    account === undefined ? null : String(account.password_hash),
  );
  if (!ok || account === undefined) {
    await count(c, limits);
    throw new AppError('invalid_credentials', 'The e-mail address or the password is wrong.');
  }
  const session = newSession(ctx.now());
  // A busy isolate hashes anew at a later sign-in.
  const renewed = rehash ? await hashPassword(input.password).catch(() => null) : null;
  const [opened] = await doors.auth.batch(ctx, 'openSession', [
    doors.auth.db.execute(
      sql`select revision, company, "user" from app.sign_in(${String(account.company_id)}::uuid, ${String(account.user_id)}::uuid, ${JSON.stringify(session.row)}::jsonb, ${renewed})`,
    ),
  ]);
  const row = rowsOf(opened)[0];
  if (row === undefined) throw new AppError('invalid_credentials');
  const revision = Number(row.revision);
  return {
    body: await signedIn(c, { company: row.company as Row, user: row.user as Row, revision }, session),
    revision,
  };
}

/** A sign-up holds its user one level deeper than `users` does, and so its faults. */
async function atUser<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (!(error instanceof AppError) || error.code !== 'email_taken') throw error;
    const faults = error.faults.map((fault) => ({ ...fault, pointer: `/user${fault.pointer ?? ''}` }));
    throw new AppError(error.code, error.message, { faults, cause: error.cause });
  }
}
