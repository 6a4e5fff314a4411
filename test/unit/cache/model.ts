/**
 * Every reachable state of a small world: three writers (tags T, U, T), one filler of an entry that depends on T, Redis,
 * and the accidents a design must bear. Two readers are asked in each state: one who trusts the entry and one who asks
 * for the newest revision announced. States are merged, so interleavings need not be counted one by one.
 */
import {
  formatETag,
  judge,
  matchesETag,
  type Named,
  namedRevision,
  newestTag,
  type TagState,
} from '../../../src/core/revision.ts';
import {
  type Accidents,
  type Design,
  firstWorld,
  heldBy,
  isQuiet,
  known,
  moves,
  newest,
  tell,
  type World,
} from './model-world.ts';

/**
 * States in which the promise is broken, and one of them. `Unswept`: quiet, but the sweep has not run yet. `wrong304`:
 * who holds what the entry holds is told that it still stands. `twoBodies`: the entry goes out under another body's ETag.
 */
export type Verdict = {
  states: number;
  staleForEver: number;
  staleUnswept: number;
  wrong304ForEver: number;
  wrong304Unswept: number;
  twoBodies: number;
  readYourWrites: number;
  example: string;
};

const NONE = { staleForEver: 0, staleUnswept: 0, wrong304ForEver: 0, wrong304Unswept: 0, twoBodies: 0 };

export function explore(design: Design, accidents: Accidents): Verdict {
  const verdict: Verdict = { states: 0, ...NONE, readYourWrites: 0, example: '' };
  const seen = new Set<string>();
  const queue: World[] = [firstWorld()];
  for (let world = queue.pop(); world !== undefined; world = queue.pop()) {
    const text = JSON.stringify(world);
    if (seen.has(text)) continue;
    seen.add(text);
    verdict.states++;
    if (breaksReadYourWrites(design, world)) {
      verdict.readYourWrites++;
      verdict.example ||= text;
    }
    if (sharesETag(design, world)) {
      verdict.twoBodies++;
      verdict.example ||= text;
    }
    if (isQuiet(world) && world.entry !== null) {
      if (isStale(design, world)) verdict.staleUnswept++;
      if (allows304(design, world)) verdict.wrong304Unswept++;
      const swept = copy(world);
      sweep(design, swept);
      const stale = isStale(design, swept);
      const wrong304 = allows304(design, swept);
      if (stale) verdict.staleForEver++;
      if (wrong304) verdict.wrong304ForEver++;
      if (stale || wrong304) verdict.example ||= text;
    }
    // Each move gets a world of its own to change.
    for (const move of moves(design, accidents, world)) {
      const next = copy(world);
      move(next);
      queue.push(next);
    }
  }
  return verdict;
}

/** Copies what a move may change; commits, tag states and a history that was replaced are never changed. */
function copy(world: World): World {
  return {
    ...world,
    db: { ...world.db, log: [...world.db.log] },
    writers: world.writers.map((writer) => ({ ...writer })),
    filler: { ...world.filler },
    entry: world.entry === null ? null : { ...world.entry },
  };
}

/** The cron sweep: compares the database's head with Redis' and announces what is missing between them. */
function sweep(design: Design, world: World): void {
  const { db, redis } = world;
  const head = newest(db.log);
  if (redis === null || redis.epoch !== db.epoch) {
    tell(design, world, { epoch: db.epoch, first: head + 1, last: head, tags: {} });
    return;
  }
  const missed = db.log.filter(({ revision }) => revision > redis.head);
  if (missed.length === 0) return;
  const tags: Record<string, number> = {};
  for (const { tag, revision } of missed) tags[tag] = Math.max(tags[tag] ?? 0, revision);
  tell(design, world, { epoch: db.epoch, first: redis.head + 1, last: head, tags });
}

/** The state by which the entry is valid, or null. */
function vouching(design: Design, world: World): TagState | null {
  const state = known(design, world);
  if (world.entry === null || state === null) return null;
  const verdict = judge(world.entry, { ...state, values: [state.tags.T ?? 0] }, 0);
  return verdict === 'valid' ? state : null;
}

function isStale(design: Design, world: World): boolean {
  return vouching(design, world) !== null && world.entry?.value !== heldBy(world.db.log);
}

/**
 * Whether a client that holds the entry's outdated value under any ETag it may have got it with is answered 304: under
 * any, because which revision names the value depends on the reading of the moment.
 */
function allows304(design: Design, world: World): boolean {
  const { entry, db } = world;
  const state = known(design, world);
  if (entry === null || state === null || entry.value === heldBy(db.log)) return false;
  const named = newestTag(state.floor, [state.tags.T ?? 0]);
  const incarnation = (of: string | null): string | null => (design.etag === 'names none' ? null : of);
  const naming = (of: { epoch: string; incarnation: string | null }): Named => ({
    epoch: of.epoch,
    incarnation: incarnation(of.incarnation),
    newest: named,
    representation: 'r',
  });
  const held = formatETag(naming(entry), null);
  return bodyAt(world, entry.epoch, named) === entry.value && matchesETag(held, naming(state), 0);
}

/** Whether the entry is served under an ETag that names a revision with another body. */
function sharesETag(design: Design, world: World): boolean {
  const state = vouching(design, world);
  if (state === null || world.entry === null) return false;
  const { epoch, revision, value } = world.entry;
  const reading = { head: state.head, floor: state.floor, values: [state.tags.T ?? 0] };
  return bodyAt(world, epoch, namedRevision(revision, reading)) !== value;
}

function bodyAt({ db, before }: World, epoch: string, named: number): string {
  const history = before?.epoch === epoch ? before : db;
  return heldBy(history.log.filter(({ revision }) => revision <= named));
}

/** Who was told the announced head and asks for it gets every commit up to it, from the entry or from the database. */
function breaksReadYourWrites(design: Design, world: World): boolean {
  const { redis, db, entry } = world;
  if (redis === null || redis.epoch !== db.epoch) return false;
  if (entry === null || vouching(design, world) === null)
    return design.epochs === 'heeded' && newest(db.log) < redis.head;
  const held = entry.value.split(',');
  return db.log.some(({ tag, revision, writer }) => {
    return tag === 'T' && revision <= redis.head && !held.includes(String(writer));
  });
}
