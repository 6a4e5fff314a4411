import { afterAll, beforeAll, expect, test } from 'vitest';
import { openStack, type Stack } from '../../support/world.ts';

// A text as search compares it: what is kept of a client was folded when it was written, and what is looked for is folded now.

let database: Stack;
beforeAll(async () => {
  database = await openStack();
});
afterAll(() => database?.close());

const SIGNS = '!"#$%&\'()*+,-./:;<=>?@[\\]^_`{|}~\t\n\r';
/** By its definition: each sign as a letter of its own, no case, no accents. */
const DEFINED = `translate(app.fold(t), $2, (select string_agg(chr(40960 + i), '' order by i) from generate_series(0, 31) i) || '   ')`;

const ascii = Array.from({ length: 127 }, (_, at) => String.fromCharCode(at + 1));
const others = [...'äÄßéİıǅﬁ½²①Ａ＠！\u00a0\u0301\u2028李ꀀ\u{1F600}'];
const all = [...ascii, ...others];

test.each([
  ['a letter or sign', all],
  ['two', all.flatMap((one) => all.map((two) => one + two))],
  ['a sign between words', all.map((one) => `Anna ${one}Maria${one} O`)],
  ['nothing', ['', ' ']],
])('%s is folded as it is defined', async (_, texts) => {
  const query = `select t, app.search_fold(t) folded, ${DEFINED} defined from unnest($1::text[]) t
    where app.search_fold(t) is distinct from ${DEFINED}`;
  expect(await database.sql(query, [texts, SIGNS], 'cp_owner')).toEqual([]);
});
