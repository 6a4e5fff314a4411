import { openCompany, type Place } from './company.ts';
import { flood } from './flood.ts';
import { nameHeavy, unknown } from './heavy.ts';

/** Begins something, and answers how to end it. */
export type End = () => Promise<unknown>;
export type Begin = () => End | Promise<End>;

const JSON_TYPE = { 'Content-Type': 'application/json' };

/** The abuses of the review, by a company of its own in a world. */
export async function abuses(of: Place): Promise<Record<string, Begin>> {
  const own = await openCompany(of);
  const bearer = { Authorization: `Bearer ${own.api.token}` };
  const { url } = of.api;
  const bulk = (mode: string, items: unknown[]): string => JSON.stringify({ mode, items });
  const items = Array.from({ length: 500 }, () => ({ firstName: 'x', ...unknown(180) }));
  const file = Array.from({ length: 99_000 }, (_, i) => `{"externalId":"${i}"}`).join('\n');
  const post =
    (path: string, loops: number, bodies: string[], headers: Record<string, string> = {}): Begin =>
    () =>
      flood({ url, loops, method: 'POST', path, headers: { ...JSON_TYPE, ...headers }, bodies });
  return {
    'unknown keys, 12 loops': post('/auth/login', 12, [JSON.stringify(unknown(80_000))]),
    'unknown keys in bulks, 4 loops': post('/clients/bulk', 4, [bulk('partial', items)], bearer),
    'tiny rows, one file of 99,000': () => {
      const sent = own.api.ask('POST', '/imports?resource=clients', {
        ...{ raw: file, headers: { 'Content-Type': 'application/x-ndjson' } },
      });
      return () => sent.then(({ json }) => own.api.post(`/imports/${json.id}/cancel`));
    },
    'name-heavy bulks, 3 loops': post(
      '/clients/bulk',
      3,
      [1, 2, 3].map(() => bulk('atomic', nameHeavy())),
      bearer,
    ),
    'log-in loops, 4 loops': async () => {
      const credentials = { email: own.email, password: own.password };
      const headers = { 'CF-Connecting-IP': '192.0.2.200' };
      // An account's first turns come one after the other, whoever asks for them; what a loop costs is what comes behind them.
      for (let spent = false; !spent; )
        spent = (await of.api.as(null).post('/auth/login', credentials, { headers })).status === 503;
      return post('/auth/login', 4, [JSON.stringify(credentials)], headers)();
    },
    'health loops, 56 loops': () => flood({ url, loops: 56, method: 'GET', path: '/health/ready' }),
  };
}
