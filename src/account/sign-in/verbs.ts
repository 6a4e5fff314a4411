import { sql } from 'drizzle-orm';
import { AppError } from '../../core/errors.ts';
import { newUuid } from '../../core/id.ts';
import { endWrite, type Row, readEnd } from '../../data/log.ts';
import { announceChanges } from '../../data/write.ts';
import type { AppContext } from '../../http/context.ts';
import type { Output } from '../../http/schemas.ts';
import { check, count, countBehind, refuseKnown } from './counts.ts';
import { burstOf, companyWorkLimit, loginLimits, signUpLimits, subscriberOf, workLimits } from './limits.ts';
import { hashPassword, verifyPassword } from './password.ts';
import type { Login, SignUp } from './schema.ts';
import { newSession, type Opened, signedIn } from './session.ts';

/** Creates a company with its first owner and signs them in. @throws AppError signup_closed, rate_limited, busy, email_taken */
export async function signUp(
  c: AppContext,
  input: Output<typeof SignUp>,
): Promise<{ body: Record<string, unknown>; revision: number; companyId: string }> {
  const { ctx, deps } = c.env;
  const [limits, work] = [signUpLimits(c), workLimits(c)];
  await check(c.env, [...limits, ...work]);
  await count(c.env, [...limits, ...work]);
  const company = { id: newUuid(), ...input.company };
  const { password, ...person } = input.user;
  const turn = { kind: 'other', address: subscriberOf(c), account: person.email } as const;
  const user = { id: newUuid(), ...person, passwordHash: await hashPassword(password, turn) };
  const session = newSession(ctx.now());
  const made = (async (): Promise<Opened> => {
    const [, end] = await atUser(() =>
      deps.auth.batch(ctx, { name: 'signUp' }, [
        sql`select app.sign_up(${JSON.stringify(company)}::jsonb, ${JSON.stringify(user)}::jsonb, ${JSON.stringify(session.row)}::jsonb, ${ctx.requestId})`,
        endWrite,
      ]),
    );
    const { epoch, head, changes } = readEnd(end);
    await announceChanges(ctx, deps, company.id, { epoch, base: 0, head, changes });
    const rowOf = (entity: string): Row => changes.find((change) => change.entity === entity)?.after ?? {};
    return { company: rowOf('company'), user: rowOf('user'), revision: head };
  })();
  ctx.waitUntil(made.catch(() => undefined));
  const opened = await made;
  return { body: await signedIn(c, opened, session), revision: opened.revision, companyId: company.id };
}

type Account = { company_id: string; user_id: string; password_hash: string };

/** Signs a user in. An unknown account costs and answers the same as a wrong password. @throws AppError invalid_credentials, rate_limited, busy */
export async function login(
  c: AppContext,
  input: Output<typeof Login>,
): Promise<{ body: Record<string, unknown>; revision: number }> {
  const { ctx, deps } = c.env;
  const { email } = input;
  const [guesses, work] = [loginLimits(c, email), workLimits(c)];
  await check(c.env, [...guesses, ...work]);
  const [[account]] = await deps.auth.batch(ctx, { name: 'login' }, [
    sql<Account>`select company_id, user_id, password_hash from app.find_credential(${email})`,
  ]);
  const own = account === undefined ? [] : [companyWorkLimit(c, account.company_id)];
  const turn = {
    kind: 'sign-in',
    address: subscriberOf(c),
    account: email,
    burst: burstOf(c),
    // Others may have failed while this one waited.
    mayStill: () => refuseKnown(c.env, [...guesses, ...work, ...own]),
    // Asking on and on is work as well.
    turnedAway: () => countBehind(c.env, work),
  } as const;
  const hash = account?.password_hash ?? null;
  const { ok, rehash } = await verifyPassword(input.password, hash, turn);
  if (!ok || account === undefined) {
    // A stranger's guesses use up nothing of the company.
    await count(c.env, [...guesses, ...work]);
    throw new AppError('invalid_credentials', 'The e-mail address or the password is wrong.');
  }
  countBehind(c.env, [...work, ...own]);
  const session = newSession(ctx.now());
  // A busy isolate hashes anew at a later sign-in.
  const renewed = rehash ? await hashPassword(input.password, turn).catch(() => null) : null;
  const [[row]] = await deps.auth.batch(ctx, { name: 'openSession' }, [
    sql<{
      revision: string;
      company: Row;
      user: Row;
    }>`select revision, company, "user" from app.sign_in(${account.company_id}::uuid, ${account.user_id}::uuid, ${JSON.stringify(session.row)}::jsonb, ${renewed})`,
  ]);
  if (row === undefined) throw new AppError('invalid_credentials');
  const revision = Number(row.revision);
  return { body: await signedIn(c, { ...row, revision }, session), revision };
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
