import { AppError } from '../core/errors.ts';
import type { Work } from './booking.ts';

/**
 * How many services and resources one request may book, of all its appointments together. Each is rows that are written while the
 * company's other writers wait: so many take at most about two seconds.
 */
export const MOST_BOOKED = 4000;

export const extentOf = (work: Pick<Work, 'parts' | 'resources'> | null): number =>
  work === null ? 0 : work.parts.length + work.resources.length;

/** Before anybody waits for it. @param way out of it; @throws AppError invalid_body */
export function requireExtent(extent: number, pointer: string, way: string): void {
  if (extent <= MOST_BOOKED) return;
  const detail = `These are ${extent} or more services and resources in all; at most ${MOST_BOOKED} are booked at once. ${way}`;
  throw new AppError('invalid_body', detail, { faults: [{ pointer, code: 'out_of_range', detail }] });
}
