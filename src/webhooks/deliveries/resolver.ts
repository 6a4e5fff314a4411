import type { Resolver } from '../../core/callback-url.ts';
import { isObject } from '../../core/json.ts';

/** Types of records (RFC 1035, 3596) that hold addresses. */
const TYPES = { A: 1, AAAA: 28 } as const;
/** Longest wait for the resolver, ms. */
const DEADLINE = 3000;

/**
 * Asks a DNS-over-HTTPS service that answers JSON (`application/dns-json`). Each name once: made for one turn, in which no
 * answer grows old.
 */
export function resolverAt(address: string, ask: typeof fetch): Resolver {
  const known = new Map<string, Promise<string[]>>();
  async function records(name: string, type: keyof typeof TYPES): Promise<string[]> {
    const url = new URL(address);
    url.searchParams.set('name', name);
    url.searchParams.set('type', type);
    const answer = await ask(url.href, {
      headers: { Accept: 'application/dns-json' },
      redirect: 'manual',
      signal: AbortSignal.timeout(DEADLINE),
    });
    if (!answer.ok) throw new Error(`the resolver answered ${answer.status}`);
    const said: unknown = await answer.json();
    // NXDOMAIN is an answer too: of no address.
    if (!isObject(said) || (said.Status !== 0 && said.Status !== 3)) throw new Error('the resolver could not tell');
    const records: unknown[] = Array.isArray(said.Answer) ? said.Answer : [];
    return records.flatMap((record) => {
      if (!isObject(record) || record.type !== TYPES[type]) return [];
      if (typeof record.data !== 'string') throw new Error('the resolver told an address that is none');
      return [record.data];
    });
  }
  return (name) => {
    const asked = known.get(name) ?? Promise.all([records(name, 'A'), records(name, 'AAAA')]).then((all) => all.flat());
    known.set(name, asked);
    return asked;
  };
}
