/** What a list is sorted by. */
export type Order = readonly { field: string; descending: boolean }[];
export type Row = { id: string };

/** The order of a list's answer, as its path asks for it. */
export function orderOf(path: string): Order {
  const query = new URLSearchParams(path.split('?', 2)[1]);
  const keys = (query.get('sort') ?? '-createdAt').split(',').map((text) => {
    const descending = text.startsWith('-') || query.get('order') === 'desc';
    return { field: text.replace(/^-/, ''), descending };
  });
  // The id goes the way of the field before it, so that the order is total.
  return [...keys, { field: 'id', descending: keys.at(-1)?.descending ?? false }];
}

/** Whether rows show what they are sorted by; with `fields` they may not. */
export const shows = (order: Order, row: Row): boolean => order.every(({ field }) => field in row);

/** Below 0: the one comes first. As the server sorts: nulls last in any direction, texts by code points. */
export function compare(order: Order, one: Row, other: Row): number {
  for (const { field, descending } of order) {
    const [a, b] = [one, other].map((row) => (row as Record<string, unknown>)[field] ?? null);
    if (a === b) continue;
    if (a === null) return 1;
    if (b === null) return -1;
    const rises = typeof a === 'string' ? compareText(a, String(b)) : Number(a) - Number(b);
    if (rises !== 0) return descending ? -rises : rises;
  }
  return 0;
}

function compareText(one: string, other: string): number {
  const length = Math.min(one.length, other.length);
  for (let i = 0; i < length; i += 1) {
    const [a, b] = [one.charCodeAt(i), other.charCodeAt(i)];
    if (a !== b) return ranked(a) - ranked(b);
  }
  return one.length - other.length;
}

/** JavaScript compares halves of pairs, which stand for what lies behind all other characters. */
const ranked = (unit: number): number => (unit < 0xd800 ? unit : unit < 0xe000 ? unit + 0x2000 : unit - 0x800);
