/**
 * A small world in which Redis is set back to an earlier state, lost, or refuses writes, at any point, and every reachable
 * state of it. Two or three writes (tags T, T, U), an entry that depends on T, its filler, the company's room, the watch, and one
 * isolate that remembers what it has seen. Time is in it as far as the rules need it: a beat is young or old, a room looks
 * only after a beat that followed its announcement (6 s and 3 s), and a state restored from before a beat has an old one.
 */
import { announce, judge, type TagState } from '../../../src/core/revision.ts';
import { isBefore } from '../../../src/data/position.ts';
import { incarnationOf } from '../../../src/data/pulse.ts';
import { isWhereItWasLeft } from '../../../src/data/pulse-keeper.ts';

/** What is there to find out that Redis is not what it was. The right design has all. */
export type Watchers = { looks: boolean; marks: boolean; floor: boolean; beats: boolean; refusals: boolean };
export const ALL: Watchers = { looks: true, marks: true, floor: true, beats: true, refusals: true };

/** How large the world is, and what may happen in it, each once and at any point. `reader`: an isolate that remembers is asked in between. */
export type Accidents = { back?: true; loss?: true; refusal?: true; reader?: true; writes?: 2 | 3; beats?: 1 | 2 | 3 };

type Kept = { incarnation: string | null; revision: number };
type Redis = { state: TagState | null; entry: Kept | null; era: string | null; mark: number | null; young: boolean };
export type World = {
  committed: number;
  /** Committed, their announcements under way. */
  pending: number[];
  redis: Redis;
  saved: Redis | null;
  wentBack: boolean;
  lost: boolean;
  refusing: 'not yet' | 'all but deletions' | 'all' | 'no more';
  room: { position: number; owes: boolean; looksAfter: number | null };
  watch: { mark: number };
  filler: { step: 'idle' | 'asked' | 'read' | 'done'; incarnation: string | null; revision: number };
  /** The newest revision the isolate has seen, and the one its last answer was of. */
  isolate: { seen: number; shown: number };
};

/**
 * `stale`: for whoever knows nothing, after the watchers had their turn. `believed`: an old beat or a refusal
 * notwithstanding. `wentBack`: for the isolate that knows.
 */
export type Verdict = { states: number; stale: number; believed: number; wentBack: number; example: string };

const EPOCH = 'e';
const TAGS = ['T', 'T', 'U'];

/** What an answer shows: the writes to T it holds. */
const shownBy = (revision: number): number => TAGS.slice(0, revision).filter((tag) => tag === 'T').length;
const refuses = ({ refusing }: World): boolean => refusing === 'all' || refusing === 'all but deletions';
const lifeOf = ({ state, era }: Redis): string | null =>
  state === null || era === null ? null : incarnationOf(state.incarnation, era);

function firstWorld(): World {
  return {
    committed: 0,
    pending: [],
    redis: { state: null, entry: null, era: 'time0', mark: 0, young: true },
    saved: null,
    wentBack: false,
    lost: false,
    refusing: 'not yet',
    room: { position: 0, owes: false, looksAfter: null },
    watch: { mark: 0 },
    filler: { step: 'idle', incarnation: null, revision: 0 },
    isolate: { seen: 0, shown: 0 },
  };
}

/** A name that nobody holds: names of lives are random, and one that nobody holds any more may be given again. */
function fresh(w: World, kind: string): string {
  const held = JSON.stringify(w);
  let n = 0;
  while (held.includes(`${kind}${n}`)) n += 1;
  return `${kind}${n}`;
}

/** Copies what a move may change; states, entries and what was saved are never changed. */
const copy = (w: World): World => ({
  ...w,
  pending: [...w.pending],
  redis: { ...w.redis },
  room: { ...w.room },
  watch: { ...w.watch },
  filler: { ...w.filler },
});

function tell(w: World, first: number, last: number): void {
  const tags: Record<string, number> = {};
  for (let revision = first; revision <= last; revision += 1) tags[TAGS[revision - 1] as string] = revision;
  w.redis.state = announce(w.redis.state, { epoch: EPOCH, first, last, tags }, fresh(w, 'life'));
  w.room.position = Math.max(w.room.position, last);
  w.room.looksAfter = w.watch.mark;
}

/** Whether a reader may be answered from the entry, and what it shows. Null: Postgres answers. */
function served(watchers: Watchers, w: World, seen: number): number | null {
  const { state, entry, era, young } = w.redis;
  if (state === null || era === null || entry === null) return null;
  if (watchers.refusals && refuses(w)) return null;
  if (watchers.floor && isBefore({ epoch: EPOCH, revision: state.head }, { epoch: EPOCH, revision: seen })) return null;
  if (watchers.beats && !young && state.head < w.committed) return null;
  const held = { ...entry, epoch: EPOCH, validUntil: null };
  const reading = { ...state, incarnation: String(lifeOf(w.redis)), values: [state.tags.T ?? 0] };
  return judge(held, reading, 0) === 'valid' ? shownBy(entry.revision) : null;
}

type Move = (w: World) => void;

/** Announces what Redis does not know, as the relay does from the log. */
const catchUp: Move = (w) => {
  const head = w.redis.state?.head;
  if (head === undefined) tell(w, w.committed + 1, w.committed);
  else if (head < w.committed) tell(w, head + 1, w.committed);
  w.room.owes = false;
};
const look: Move = (w) => {
  w.room.looksAfter = null;
  const { state } = w.redis;
  if (state !== null && state.head < w.room.position) catchUp(w);
};
function beat(watchers: Watchers): Move {
  return (w) => {
    const { mark } = w.watch;
    const sound =
      w.redis.era !== null && (!watchers.marks || isWhereItWasLeft({ taken: mark, tried: mark }, w.redis.mark));
    if (!sound) w.redis.era = fresh(w, 'time');
    w.watch.mark = mark + 1;
    Object.assign(w.redis, { mark: w.watch.mark, young: true });
  };
}

function moves(watchers: Watchers, accidents: Accidents, world: World): Move[] {
  const found: Move[] = [];
  const { room, filler } = world;
  if (world.committed < (accidents.writes ?? 2))
    found.push((w) => {
      w.committed += 1;
      w.pending.push(w.committed);
    });
  for (const revision of world.pending) {
    const done = (w: World): void => {
      w.pending = w.pending.filter((each) => each !== revision);
    };
    const owing: Move = (w) => {
      done(w);
      w.room.owes = true;
      // The alert: nobody is vouched for while an announcement is owed.
      if (!refuses(w)) w.redis.young = false;
      if (w.refusing === 'all but deletions') w.redis.state = null;
    };
    if (refuses(world)) found.push(owing);
    else
      found.push(owing, (w) => {
        done(w);
        tell(w, revision, revision);
      });
  }
  if (!refuses(world)) {
    if (room.owes) found.push(catchUp);
    else if (world.watch.mark < (accidents.beats ?? 2)) found.push(beat(watchers));
    if (watchers.looks && room.looksAfter !== null && room.looksAfter < world.watch.mark) found.push(look);
  }
  if (world.redis.young)
    found.push((w) => {
      w.redis.young = false;
    });
  if (accidents.back && world.saved === null && world.committed > 0)
    found.push((w) => {
      w.saved = { ...w.redis };
    });
  if (world.saved !== null && !world.wentBack)
    found.push((w) => {
      const young = w.redis.young && w.redis.mark === w.saved?.mark;
      Object.assign(w, { redis: { ...(w.saved as Redis), young }, wentBack: true });
    });
  if (accidents.loss && !world.lost && world.committed > 0)
    found.push((w) => {
      Object.assign(w, { redis: { state: null, entry: null, era: null, mark: null, young: false }, lost: true });
    });
  const next = {
    'not yet': ['all but deletions', 'all'],
    all: ['no more'],
    'all but deletions': ['no more'],
    'no more': [],
  };
  if (accidents.refusal)
    for (const refusing of next[world.refusing]) found.push((w) => void Object.assign(w, { refusing }));
  if (filler.step === 'idle')
    found.push((w) => void Object.assign(w.filler, { step: 'asked', incarnation: lifeOf(w.redis) }));
  if (filler.step === 'asked') found.push((w) => void Object.assign(w.filler, { step: 'read', revision: w.committed }));
  if (filler.step === 'read')
    found.push((w) => {
      const { incarnation, revision } = w.filler;
      if (!refuses(w) && incarnation !== null) w.redis.entry = { incarnation, revision };
      w.filler.step = 'done';
    });
  if (accidents.reader)
    found.push((w) => {
      const shown = served(watchers, w, w.isolate.seen);
      w.isolate = {
        seen: Math.max(w.isolate.seen, shown === null ? w.committed : (w.redis.state?.head ?? 0)),
        shown: shown ?? shownBy(w.committed),
      };
    });
  return found;
}

/** Ends what is owed and due, as time would: a refusal, the room's debt, a beat, the room's look. */
function afterTheWatchers(watchers: Watchers, w: World): void {
  w.refusing = 'no more';
  if (w.room.owes) catchUp(w);
  beat(watchers)(w);
  if (watchers.looks && w.room.looksAfter !== null) look(w);
}

type Fault = 'stale' | 'believed' | 'wentBack';

/** @param sought the one fault to look for: then it ends with the first */
export function explore(watchers: Watchers, accidents: Accidents, sought?: Fault): Verdict {
  const verdict: Verdict = { states: 0, stale: 0, believed: 0, wentBack: 0, example: '' };
  const seen = new Set<string>();
  const queue = [firstWorld()];
  for (let world = queue.pop(); world !== undefined; world = queue.pop()) {
    const text = JSON.stringify(world);
    if (seen.has(text)) continue;
    seen.add(text);
    verdict.states += 1;
    const truth = shownBy(world.committed);
    const faults = { stale: 0, believed: 0, wentBack: 0 };
    if ((!world.redis.young || refuses(world)) && (served(watchers, world, 0) ?? truth) < truth) faults.believed = 1;
    if ((served(watchers, world, world.isolate.seen) ?? truth) < world.isolate.shown) faults.wentBack = 1;
    if (world.pending.length === 0) {
      const later = copy(world);
      afterTheWatchers(watchers, later);
      if ((served(watchers, later, 0) ?? truth) < truth) faults.stale = 1;
    }
    for (const name of ['stale', 'believed', 'wentBack'] as const) {
      verdict[name] += faults[name];
      if (faults[name] > 0) verdict.example ||= `${name}: ${text}`;
    }
    if (sought !== undefined && verdict[sought] > 0) return verdict;
    for (const move of moves(watchers, accidents, world)) {
      const next = copy(world);
      move(next);
      queue.push(next);
    }
  }
  return verdict;
}
