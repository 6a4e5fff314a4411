import { derivationsMs } from '../test/support/derivation.ts';
import { median, round } from './statistics.ts';

/** What one derivation took where the project's limits in ms were set, ms (src/account/sign-in/password.ts). */
const REFERENCE_MS = 117;

/**
 * How fast this machine computes just now: one password derivation, the median of nine. A limit in
 * ms says something only beside this; shared machines change theirs by a factor of two from one day to the next.
 */
export function machineSpeed(): { scryptMs: number; line: string } {
  const scryptMs = round(median(derivationsMs(9)), 1);
  const times = round(scryptMs / REFERENCE_MS);
  return {
    scryptMs,
    line: `this machine: one derivation ${scryptMs} ms, ${times} × the ${REFERENCE_MS} ms of the limits`,
  };
}
