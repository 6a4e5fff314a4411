import { randomUUID } from 'node:crypto';
import { received } from '../../../test/support/api.ts';
import { type ApiClient, createClient, type Host } from '../../src/index.ts';

/** Node's fetch, its answers checked against the document as those of every suite are. */
async function checkedFetch(url: string, init: RequestInit): Promise<Response> {
  const answer = await fetch(url, init);
  await received(init.method ?? 'GET', url.slice(url.indexOf('/api/v1') + 7), answer.clone());
  return answer;
}

export const PASSWORD = 'correct horse battery';

/** A client whose user owns a company of its own. */
export async function signUp(url: string, host: Partial<Host> = {}): Promise<{ client: ApiClient; email: string }> {
  const client = createClient({ url, host: { fetch: checkedFetch, ...host } });
  const email = `${randomUUID()}@example.com`;
  await client.signUp({
    company: { name: 'Salon', currency: 'EUR', timeZone: 'Europe/Vienna' },
    user: { name: 'Nora', email, password: PASSWORD },
  });
  return { client, email };
}
