import { expect, test } from 'vitest';
import { Seats } from '../../../src/http/slow-readers.ts';
import { Pages, type Piece, shownOneByOne } from '../../../src/resources/export-text.ts';

/** Six of these fill what is made bytes at a time. */
const NOTES = 'x'.repeat(11_000);
const EACH = 40;

/** Two pieces of 40 rows, and how many of them have been made objects. */
function world() {
  const made: string[] = [];
  const asked: string[] = [];
  const kept: (string | null)[][] = [];
  const writer = {
    head: 'head\n',
    view(row: Record<string, unknown>) {
      made.push(String(row.id));
      return row;
    },
    line: ({ id, notes }: Record<string, unknown>) => `${id} ${notes}\n`,
    tail: (count: number) => `${count}\n`,
  };
  const piece = (from: number, more: boolean): Piece => {
    const texts = Array.from({ length: EACH }, (_, i) => JSON.stringify({ id: `${from + i}`, notes: NOTES }));
    kept.push(texts);
    return { rows: shownOneByOne(texts, writer), count: EACH, more };
  };
  const next = async (after: string): Promise<Piece> => {
    asked.push(after);
    return piece(EACH, false);
  };
  const pages = new Pages(piece(0, true), next, writer);
  const seats = new Seats({ all: 1, ofOne: 1, stall: 1000, refusal: '' });
  const reading = { seats, seat: seats.open('a', 0), now: () => 0, closed: () => undefined };
  return { made, asked, kept, reader: pages.stream(reading).getReader() };
}

test('rows are made objects as they are taken, and kept no longer', async () => {
  const { made, asked, kept, reader } = world();
  expect(made).toEqual([]);
  await reader.read();
  expect(made).toHaveLength(7);
  expect(kept[0]?.slice(0, 7)).toEqual(Array(7).fill(null));
  for (let n = 2; n <= 6; n += 1) await reader.read();
  expect([made.length, asked]).toEqual([37, []]);
  await reader.read();
  expect([made.length, asked]).toEqual([43, ['39']]);
  await reader.cancel();
});

test('the text is whole, each row once and in its order', async () => {
  const { reader } = world();
  let text = '';
  for (let piece = await reader.read(); !piece.done; piece = await reader.read())
    text += new TextDecoder().decode(piece.value);
  const rows = Array.from({ length: 2 * EACH }, (_, i) => `${i} ${NOTES}\n`);
  expect(text).toBe(`head\n${rows.join('')}80\n`);
});
