const firstDay = (year: number): number => new Date(Date.UTC(year, 0, 1)).getUTCDay();
const isLeap = (year: number): boolean => new Date(Date.UTC(year, 1, 29)).getUTCMonth() === 1;

/**
 * The first year from the next but one on with the calendar of this one: the same days of the week, and so the same days on which
 * clocks are changed. For whatever is only offered, suggested or told anew of days that are still to come.
 */
export function yearLike(year: number): number {
  let like = new Date().getUTCFullYear() + 2;
  while (firstDay(like) !== firstDay(year) || isLeap(like) !== isLeap(year)) like += 1;
  return like;
}
