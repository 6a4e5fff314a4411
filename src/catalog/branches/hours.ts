import * as z from 'zod';
import { lazy } from '../../core/lazy.ts';
import { date } from '../../http/schemas.ts';

const TIME = /^(?:[01][0-9]|2[0-3]):[0-5][0-9]$/;

/** A local time of day. */
const time = () => z.string().regex(TIME, 'Must be a time of day such as 09:00.');
const isEnd = (text: string): boolean => text === '24:00' || TIME.test(text);

/** The end of an interval: also 24:00, the end of the day. */
const endTime = () =>
  z.string().refine(isEnd, {
    message: 'Must be a time of day such as 17:00, or 24:00.',
    params: { code: 'invalid_format' },
  });

/** One interval of opening or working hours; `validFrom` and `validTo` are its first and last day, open when absent. */
export const hoursFields = () => ({
  weekday: z.int().min(1, 'Must be 1 (Monday) to 7 (Sunday).').max(7, 'Must be 1 (Monday) to 7 (Sunday).'),
  start: time(),
  end: endTime(),
  validFrom: date().optional(),
  validTo: date().optional(),
});

export type HoursInterval = {
  weekday: number;
  start: string;
  end: string;
  validFrom?: string | undefined;
  validTo?: string | undefined;
};

/** Texts of equal form compare as the times and dates they stand for. */
function overlap(a: HoursInterval, b: HoursInterval): boolean {
  if (a.weekday !== b.weekday || a.start >= b.end || b.start >= a.end) return false;
  const apart = (one: HoursInterval, other: HoursInterval): boolean =>
    one.validTo !== undefined && other.validFrom !== undefined && one.validTo < other.validFrom;
  return !apart(a, b) && !apart(b, a);
}

/** Every interval ends after it starts, is valid on some day, and overlaps none before it. */
export function checkHours(
  hours: readonly HoursInterval[],
  report: (path: (string | number)[], code: string, message: string) => void,
  sameOwner: (a: number, b: number) => boolean = () => true,
): void {
  for (const [i, interval] of hours.entries()) {
    // What is no time has been reported as such.
    if (!TIME.test(interval.start) || !isEnd(interval.end)) continue;
    if (interval.end <= interval.start) report([i, 'end'], 'out_of_range', 'Must be after start.');
    if (interval.validFrom !== undefined && interval.validTo !== undefined && interval.validTo < interval.validFrom) {
      report([i, 'validTo'], 'out_of_range', 'Must not be before validFrom.');
    }
    const other = hours.slice(0, i).findIndex((earlier, j) => sameOwner(j, i) && overlap(earlier, interval));
    if (other >= 0) report([i], 'overlap', `Overlaps interval ${other} of the same weekday.`);
  }
}

/** A week's hours of one owner. */
export const hours = () =>
  z
    .array(z.strictObject(hoursFields()))
    .max(200, 'Must have at most 200 intervals.')
    .superRefine((list, ctx) =>
      checkHours(list, (path, code, message) => ctx.addIssue({ code: 'custom', path, message, params: { code } })),
    );

/** One interval as answers show it. */
export const hoursView = lazy(() =>
  z.object({
    weekday: z.int().describe('ISO: 1 Monday to 7 Sunday.'),
    start: z.string(),
    end: z.string().describe('Up to 24:00.'),
    validFrom: z.string().optional(),
    validTo: z.string().optional().describe('The last day, inclusive.'),
  }),
);
