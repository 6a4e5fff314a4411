import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { typedEmail } from '../../../src/account/email.ts';
import { Random } from '../../storm/random.ts';
import { makeCompany, openStage, type Stage } from '../support.ts';

// The limits count an address in JavaScript and the database looks it up: both must take the same spellings for one.

let stage: Stage;
beforeAll(async () => {
  stage = await openStage();
});
afterAll(() => stage.close());

const SPELLINGS = 20_000;
const VICTIMS = ['victim@example.com', 'KissMe.Istanbul@Example.com', 'o_ffice+desk@ss.example'];
/** What some fold, cut or trim, and others do not. */
const TWINS: Record<string, string[]> = {
  i: ['I', '\u0130', '\u0131', '\uff49', 'i\u0307', '\u0456'],
  k: ['K', '\u212a', '\uff4b'],
  s: ['S', '\u017f', '\uff53', '\u00df'],
  e: ['E', '\u0435', 'e\u0301', '\u00e9', '\uff45'],
  a: ['A', '\u0430', '\u00aa', '\uff41'],
  m: ['M', '\uff4d', '\u2133'],
  '@': ['\uff20', '\ufe6b'],
  '.': ['\u3002', '\uff0e', '..'],
};
const CUT = ['\0', '\u200b', '\u00ad', '\ufeff', '\u0000\u0000', '\u202e', '\u0345'];
const SPACE = [' ', '\t', '\n', '\r\n', '\u00a0', '\u3000', '\u2028', '\u0085', '\v'];

function spelling(random: Random, victim: string): string {
  const chance = random.next() * 0.3;
  const letters = [...victim].map((letter) => {
    if (random.next() > chance) return letter;
    const upper = random.next() < 0.5;
    const plain = upper ? letter.toUpperCase() : letter.toLowerCase();
    return random.next() < 0.6 ? plain : random.pick(TWINS[letter.toLowerCase()] ?? [plain]);
  });
  const insert = (from: readonly string[], at: number): unknown => letters.splice(at, 0, random.pick(from));
  if (random.next() < 0.2) insert(CUT, random.below(letters.length + 1));
  if (random.next() < 0.1) insert(SPACE, random.pick([0, letters.length, random.below(letters.length)]));
  return letters.join('');
}

test(`${SPELLINGS} spellings: what two counters take for two, the database takes for two`, async () => {
  const company = await makeCompany(stage);
  for (const email of VICTIMS) {
    const id = randomUUID();
    await stage.sql(`insert into users (company_id, id, name, email, role) values ($1, $2, 'V', $3, 'STAFF')`, [
      company,
      id,
      email,
    ]);
    await stage.sql(`insert into credentials (company_id, user_id, password_hash) values ($1, $2, 'x')`, [company, id]);
  }
  const random = new Random(1);
  const typed = Array.from({ length: SPELLINGS }, () => spelling(random, random.pick(VICTIMS)));
  const schema = typedEmail();
  const counters = typed.map((text) => schema.safeParse(text).data ?? null);
  const accepted = [...new Set(counters.filter((counter) => counter !== null))];
  // As the API hands them over, and as it did before: in one statement that folds all of them.
  const before = [...new Set(typed.map((text) => text.trim().replaceAll('\0', '')))];
  const folded = new Map(
    (
      await stage.sql<{ text: string; fold: string; found: string | null; loose: string | null }>(
        `select t.text, app.fold_address(t.text) as fold, (select min(f.user_id::text) from app.find_credential(t.text) f) as found,
           (select min(u.id::text) from users u where lower(u.email collate "pg_unicode_fast") = lower(t.text collate "pg_unicode_fast")) as loose
         from unnest($1::text[]) t (text)`,
        [[...new Set([...accepted, ...before])].filter((text) => text.isWellFormed())],
      )
    ).map((row) => [row.text, row] as const),
  );
  const byFold = new Map<string, Set<string>>();
  for (const counter of accepted) {
    const row = folded.get(counter);
    const same = byFold.get(String(row?.fold)) ?? new Set();
    byFold.set(String(row?.fold), same.add(counter));
  }
  const split = [...byFold].filter(([, same]) => same.size > 1);
  // The old way: the counter took the text in lower case, the database the text without NUL.
  const old = new Map<string, Set<string>>();
  for (const text of typed) {
    const user = folded.get(text.trim().replaceAll('\0', ''))?.loose;
    if (user != null) old.set(user, (old.get(user) ?? new Set()).add(text.trim().toLowerCase()));
  }
  const oldCounters = [...old.values()].map(({ size }) => size);
  console.log(
    `C1: ${SPELLINGS} spellings of ${VICTIMS.length} addresses; before, counters per account: ${oldCounters.join(', ')}; now: ${split.length} accounts with more than one counter, ${counters.filter((each) => each === null).length} spellings refused`,
  );
  expect(Math.max(...oldCounters)).toBeGreaterThan(20);
  expect(split).toEqual([]);
  // Nobody is found under a counter that is not their own.
  const found = accepted.filter((counter) => folded.get(counter)?.found != null);
  expect(found.sort()).toEqual(VICTIMS.map((email) => email.toLowerCase()).sort());
});

test('the look-up of an address is by its index', async () => {
  // A small table is read whole whatever indexes it has: with that ruled out the plan shows what could be used.
  for (const kind of ['seqscan', 'bitmapscan']) await stage.sql(`set enable_${kind} = off`);
  const plan = await stage.sql(
    `explain select id from users u where app.fold_address(u.email) = app.fold_address('A@example.com') and u.status = 'ACTIVE'`,
  );
  expect(JSON.stringify(plan)).toContain('users_email');
});
