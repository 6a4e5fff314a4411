import { scryptSync } from 'node:crypto';

/** What password derivations of today's cost (scrypt 2^14, 8, 5) take on this machine just now, ms each. */
export function derivationsMs(times: number): number[] {
  return Array.from({ length: times }, () => {
    const started = performance.now();
    scryptSync('password', 'salt', 32, { N: 2 ** 14, r: 8, p: 5, maxmem: 2 ** 25 });
    return performance.now() - started;
  });
}
