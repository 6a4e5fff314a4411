import { type Ask, accepted, callerOf } from '../api.ts';
import { BRANCH, CURRENCY, ZONE } from './rows.ts';

export type Who = { key: string } | { email: string; password: string };

/** A caller of the salon's company, which is opened where a log-in finds none. */
export async function enter(url: string, who: Who): Promise<Ask> {
  if ('key' in who) return callerOf(url, who.key);
  const ask = callerOf(url, null);
  const login = await ask('POST', '/auth/login', { body: who });
  if (login.status === 200) return callerOf(url, String(login.json.accessToken));
  const company = { name: 'The Salon', currency: CURRENCY, timeZone: ZONE };
  const opened = await ask('POST', '/auth/signup', { body: { company, user: { name: 'Owner', ...who } } });
  return callerOf(url, String(accepted(opened, 'sign-up').json.accessToken));
}

/** The branch that the rows name; nothing but this is not imported. */
export async function ensureBranch(ask: Ask): Promise<void> {
  const { json } = accepted(await ask('GET', '/branches?limit=100'), 'branches');
  if ((json.data as { externalId: string | null }[]).some(({ externalId }) => externalId === BRANCH)) return;
  const body = { name: 'The Salon', timeZone: ZONE, externalId: BRANCH };
  accepted(await ask('POST', '/branches', { body }), 'the branch');
}

/** Where the company's log stands. */
export const headOf = async (ask: Ask): Promise<number> =>
  accepted(await ask('GET', '/company'), 'the company').revision;
