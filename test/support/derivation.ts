import { randomBytes, scryptSync } from 'node:crypto';

/** A password's hash at the least cost that is read: whoever signs in with it has it renewed at today's. */
export async function cheapHash(password: string): Promise<string> {
  const salt = randomBytes(16);
  const hash = scryptSync(password.normalize('NFKC'), salt, 32, { N: 2 ** 10, r: 1, p: 1 });
  return `scrypt$10$1$1$${salt.toString('base64url')}$${hash.toString('base64url')}`;
}

/** What password derivations of today's cost (scrypt 2^14, 8, 5) take on this machine just now, ms each. */
export function derivationsMs(times: number): number[] {
  return Array.from({ length: times }, () => {
    const started = performance.now();
    scryptSync('password', 'salt', 32, { N: 2 ** 14, r: 8, p: 5, maxmem: 2 ** 25 });
    return performance.now() - started;
  });
}
