import { ZONE } from './company.ts';
import type { Now } from './week.ts';

/** What the clocks of the company show. */
export function clockOf(now: Date): Now {
  const shown = now.toLocaleString('sv-SE', { timeZone: ZONE });
  return { date: shown.slice(0, 10), minutes: Number(shown.slice(11, 13)) * 60 + Number(shown.slice(14, 16)) };
}

/** When they show it; nobody of the company works while clocks are changed. */
export function instantOf(date: string, minutes: number): string {
  const wanted = Date.parse(date) + minutes * 60_000;
  const { date: shown, minutes: past } = clockOf(new Date(wanted));
  return new Date(2 * wanted - (Date.parse(shown) + past * 60_000)).toISOString();
}
