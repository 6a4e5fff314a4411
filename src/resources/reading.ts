import { Pace } from '../core/pace.ts';
import type { Work } from '../data/deps.ts';
import { whenDue } from './due.ts';

const MOST_COMPANIES = 1000;

/** Units of bodies that are read at once, as a share of a minute's: six bulks by default. Reading is work of the isolate. */
const AT_ONCE = 0.03;

/** Bytes of a body that are a unit of reading: five hundred whole clients are a bulk's five, a megabyte of made-up keys is 32. */
const BYTES_OF_UNIT = 32 * 1024;

/** What it takes to read so many bytes, in units; nothing worth waiting for where they are few. */
export const unitsToRead = (bytes: number): number => (bytes <= BYTES_OF_UNIT ? 0 : Math.ceil(bytes / BYTES_OF_UNIT));

// State of the isolate: plain numbers.
const paces = new Map<string, Pace>();

/**
 * Waits until a company's next large body may be read: to parse a megabyte holds up everybody of the isolate, so a company
 * has it done at the pace of its rate limit, beyond a burst. Whoever waits has sent little yet, and holds nothing.
 * @throws AppError busy when that would take longer than a write may wait
 */
export async function turnToRead(work: Work, companyId: string, units: number): Promise<void> {
  const { settings } = work.deps;
  let pace = paces.get(companyId);
  if (pace === undefined) {
    if (paces.size >= MOST_COMPANIES) paces.clear();
    pace = new Pace(settings.rateLimitPerMinute, Math.max(1, settings.rateLimitPerMinute * AT_ONCE));
    paces.set(companyId, pace);
  }
  await whenDue(work, pace, units, 'Many large requests of this company wait. Nothing was changed; try again.');
}
