import { newestTag } from '../core/revision.ts';
import { changesAfter, readChange } from '../data/log.ts';
import { type Registry, touchedTags } from '../data/registry.ts';
import type { TagRow } from '../data/tags.ts';
import { shareOf, WeighedMap } from '../data/weighed.ts';
import type { Look } from '../resources/planned.ts';
import type { Catalogue } from './booking.ts';
import { type Joined, joined, ofSubjects, rejoined, type Slices, slicesOf } from './busy-slices.ts';
import { busyQuery, catalogueOf, catalogueQuery, type LoadedCatalogue } from './load-catalogue.ts';
import { type Question, tagsOfDay, tagWithinDay } from './question.ts';
import { weightOfCatalogue, weightOfDay, weightOfLists } from './weights.ts';

// What an isolate knows of calendars, in parts that outlive the answers made of them: the catalogue of a question, and what is
// busy in slices of one staff member or resource and one day. Each part says of which revision it is; a reading of the tags
// says which of them still hold, and Postgres is asked for the others alone.

/** Of which history and which incarnation of the tag state something was read: under another one it is worth nothing. */
type Origin = { epoch: string; incarnation: string };
type KnownCatalogue = Origin & {
  catalogue: Catalogue;
  subjects: readonly string[];
  /** Of days that were looked at: the oldest and the newest slice of these subjects. */
  ages: WeakMap<Slices, Age>;
};
type Age = { oldest: number; newest: number };
type KnownDay = Origin & { slices: Slices };

/** By company and question; by company and day. A day's map is never changed, so that whoever holds one keeps what it says. */
const catalogues = new WeighedMap<KnownCatalogue>(shareOf('catalogues'));
const calendar = new WeighedMap<KnownDay>(shareOf('calendarDays'));
/** By company and days that follow each other, what they come to for whoever was asked for. */
const lists = new WeighedMap<Joined>(shareOf('calendarLists'));
const NO_SLICES: Slices = new Map();

/** Changes since the reading that are looked at; beyond, all is read anew. */
const MOST_CHANGES = 50;

export type Asking = { companyId: string; question: Question; now: number };
/** An answer, and of which moment of the company it is. */
export type Known = LoadedCatalogue & { epoch: string };

/** What of the parts a reading vouches for: of the days only what is known of `subjects`, for what others have on them was not judged. */
type Kept = {
  row: TagRow;
  known: KnownCatalogue | null;
  subjects: ReadonlySet<string>;
  days: (Slices | null)[];
  missing: number[];
};

const isOf = (row: Origin, { epoch, incarnation }: Origin): boolean =>
  epoch === row.epoch && incarnation === row.incarnation;

/** What is known of the question as of this reading, whose newest change must not be ahead of its head. */
function keptOf({ companyId, question }: Asking, row: TagRow | null): Kept | null {
  if (row === null || newestTag(row.floor, row.values) > row.head) return null;
  const found = catalogues.get(`${companyId} ${question.key}`);
  if (found === undefined || !isOf(row, found)) return null;
  const { revision } = found.catalogue;
  let holds = revision >= row.floor && revision <= row.head;
  for (let i = 0; i < question.catalogueTags; i += 1) holds &&= (row.values[i] ?? 0) <= revision;
  const days: (Slices | null)[] = [];
  const missing: number[] = [];
  const holdsOn = holding(question, row, found);
  for (let n = 0; n < question.days; n += 1) {
    const day = calendar.get(`${companyId} ${question.firstDay + n}`);
    const whole = day !== undefined && isOf(row, day) && holdsOn(day.slices, n);
    days.push(whole ? day.slices : null);
    if (!whole) missing.push(question.firstDay + n);
  }
  return { row, known: holds ? found : null, subjects: new Set(found.subjects), days, missing };
}

/** Whether what is known of the question's subjects on its day `n` holds as of this reading. */
function holding(question: Question, row: TagRow, { subjects, ages }: KnownCatalogue) {
  const each = tagsOfDay(question);
  const touchedAt = (n: number, whose: number): number =>
    Math.max(row.floor, row.values[question.catalogueTags + n * each + whose] ?? 0);
  // Of anybody a day has one tag: then its oldest slice says it of all.
  if (each === 1) {
    return (slices: Slices, n: number): boolean => {
      let age = ages.get(slices);
      if (age === undefined) {
        age = ageOf(slices, subjects);
        ages.set(slices, age);
      }
      return age.newest <= row.head && age.oldest >= touchedAt(n, 0);
    };
  }
  const whose = subjects.map((id) => tagWithinDay(question, id));
  return (slices: Slices, n: number): boolean =>
    subjects.every((id, i) => {
      const slice = slices.get(id);
      return slice !== undefined && slice.revision <= row.head && slice.revision >= touchedAt(n, whose[i] ?? 0);
    });
}

/** Of a day on which one of them is not known nothing holds. */
function ageOf(slices: Slices, subjects: readonly string[]): Age {
  let [oldest, newest] = [Number.MAX_SAFE_INTEGER, 0];
  for (const id of subjects) {
    const revision = slices.get(id)?.revision ?? -1;
    oldest = Math.min(oldest, revision);
    newest = Math.max(newest, revision);
  }
  return { oldest, newest };
}

/** The answer from what is known alone, of the reading's head; null: Postgres has to be asked. */
export function known(asking: Asking, row: TagRow): Known | null {
  const kept = keptOf(asking, row);
  if (kept === null || kept.known === null || kept.missing.length > 0) return null;
  return answered(asking, kept.known.catalogue, kept.days, { epoch: row.epoch, revision: row.head }, true);
}

/**
 * The answer of one snapshot: what no reading vouches for is read, and what one does is taken as it is, if the log says that
 * nothing of it was touched between the reading and the snapshot. One trip, two where something was.
 * @param row a reading from before, under whose incarnation the parts are kept; null: all is read and nothing is kept
 */
export async function learned(asking: Asking, row: TagRow | null, look: Look, registry: Registry): Promise<Known> {
  const { companyId, question } = asking;
  const kept = keptOf(asking, row);
  if (kept === null) return await whole(asking, row, look);
  const { days, missing } = kept;
  const { catalogue, busy, changes, epoch, revision } = await missed(asking, kept, look);
  const subjects = subjectsOf(catalogue);
  const seen = changes.map(readChange);
  const touched = touchedTags(registry, seen);
  const stands =
    epoch === kept.row.epoch &&
    // All that came after the reading was looked at, and touched nothing of it.
    (seen.at(-1)?.revision ?? kept.row.head) === revision &&
    !question.tags.some((tag) => tag in touched) &&
    // Of somebody who has come since, the other days are not known; what another question left of them may be past.
    subjects.every((id) => kept.subjects.has(id));
  if (!stands) return await whole(asking, row, look);
  const read = slicesOf(busy, subjects, missing, revision);
  keep(companyId, question, kept.row, { ...catalogue, revision }, read);
  const all = days.map((slices, n) => slices ?? read.get(question.firstDay + n) ?? new Map());
  return answered(asking, catalogue, all, { epoch, revision }, true);
}

/** What the reading does not vouch for, and what was changed since. */
async function missed({ companyId, question }: Asking, { row, known: held, missing }: Kept, look: Look) {
  const since = changesAfter(row.head, MOST_CHANGES);
  const spans = pairsOf(missing);
  if (held !== null) {
    const { rows, ...at } = await look([since, busyQuery(held.subjects, spans)]);
    return { ...at, changes: rows[0], catalogue: held.catalogue, busy: rows[1][0]?.busy ?? [] };
  }
  const { rows, ...at } = await look([since, catalogueQuery({ ...question.wanted, companyId, busy: spans })]);
  const found = only(rows[1]);
  return { ...at, changes: rows[0], catalogue: catalogueOf(found, at.revision), busy: found.busy };
}

async function whole(asking: Asking, row: TagRow | null, look: Look): Promise<Known> {
  const { companyId, question } = asking;
  const { rows, epoch, revision } = await look([catalogueQuery({ ...question.wanted, companyId, busy: true })]);
  const found = only(rows[0]);
  const catalogue = catalogueOf(found, revision);
  const all = Array.from({ length: question.days }, (_, n) => question.firstDay + n);
  const read = slicesOf(found.busy, subjectsOf(catalogue), all, revision);
  // A state of another epoch says nothing of these rows.
  if (row !== null && row.epoch === epoch) keep(companyId, question, row, catalogue, read);
  const days = all.map((day) => read.get(day) ?? null);
  return answered(asking, catalogue, days, { epoch, revision }, row !== null);
}

function only<T>([row]: readonly T[]): T {
  if (row === undefined) throw new Error('no row of the catalogue');
  return row;
}

const subjectsOf = ({ staff, resources }: Catalogue): string[] => [...staff.keys(), ...resources.map(({ id }) => id)];

function answered(
  asking: Asking,
  catalogue: Catalogue,
  days: readonly (Slices | null)[],
  at: { epoch: string; revision: number },
  isKept: boolean,
): Known {
  const whole = days.map((each) => each ?? NO_SLICES);
  const subjects = subjectsOf(catalogue);
  const { busy, until } = ofSubjects(listsOf(asking, subjects, whole, isKept), subjects);
  return { ...catalogue, busy, busyUntil: until, ...at };
}

/** What keeps everybody busy, ready to be swept: what did so in an answer about these days before is not put together again. */
function listsOf(
  { companyId, question: { firstDay }, now }: Asking,
  subjects: readonly string[],
  days: readonly Slices[],
  isKept: boolean,
): Joined {
  const name = `${companyId} ${firstDay} ${days.length}`;
  if (!isKept) return joined(days, firstDay, subjects, now);
  const before = lists.get(name);
  const made =
    before === undefined ? joined(days, firstDay, subjects, now) : rejoined(before, days, firstDay, subjects, now);
  if (made === before) return made;
  const bytes = weightOfLists(made);
  // What is too much for all who were asked for may be kept of those who are asked for now.
  const kept = bytes <= shareOf('calendarLists') / 2 ? made : ofSubjects(made, subjects);
  lists.set(name, kept, kept === made ? bytes : weightOfLists(kept));
  return made;
}

/** Keeps what was read, of the incarnation of the reading that came before. */
function keep(
  companyId: string,
  question: Question,
  { epoch, incarnation }: Origin,
  catalogue: Catalogue,
  read: ReadonlyMap<number, Slices>,
): void {
  const origin = { epoch, incarnation };
  const subjects = subjectsOf(catalogue);
  catalogues.set(
    `${companyId} ${question.key}`,
    { ...origin, catalogue, subjects, ages: new WeakMap() },
    weightOfCatalogue(catalogue, question.days),
  );
  for (const [day, slices] of read) {
    const before = calendar.get(`${companyId} ${day}`);
    const all = new Map(before !== undefined && isOf(origin, before) ? before.slices : []);
    for (const [id, slice] of slices) if ((all.get(id)?.revision ?? -1) <= slice.revision) all.set(id, slice);
    calendar.set(`${companyId} ${day}`, { ...origin, slices: all }, weightOfDay(all));
  }
}

/** Days that follow each other as pairs. */
function pairsOf(days: readonly number[]): number[] {
  const pairs: number[] = [];
  for (const day of days) {
    if (pairs.at(-1) === day) pairs.pop();
    else pairs.push(day);
    pairs.push(day + 1);
  }
  return pairs;
}
