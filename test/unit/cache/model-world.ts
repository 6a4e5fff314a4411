/** The small world of the cache model: a database with a log, Redis, three writers, one filler, and what each can do next. */
import { type Announcement, announce, type Entry, type TagState } from '../../../src/core/revision.ts';

export type Design = {
  /** R1 */
  revision: 'row lock' | 'sequence';
  /** R2 */
  fill: 'one snapshot' | 'revision, then data' | 'data, then revision' | 'data of a replica, revision of the primary';
  /** R3 */
  announcing: 'gap-aware' | 'plain max';
  missing: 'unknown' | 'zero';
  /** R4 */
  publish: 'after commit' | 'before commit';
  epochs: 'heeded' | 'ignored';
  incarnations: 'heeded' | 'ignored' | 'read after the snapshot';
  etag: 'names the incarnation' | 'names none';
};

/**
 * What may go wrong, each at any point: Redis loses the state (once, or only while nobody is at work), a writer dies
 * before it announces, the filler reads a replica that lags, the database is restored to an earlier point under a new
 * epoch. `seed` is no accident: the filler announces its snapshot, which starts missing state and heals a lost range.
 */
export type Accidents = { loss?: 'any' | 'quiet'; crash?: true; lag?: true; restore?: true; seed?: true };

export const RIGHT: Design = {
  revision: 'row lock',
  fill: 'one snapshot',
  announcing: 'gap-aware',
  missing: 'unknown',
  publish: 'after commit',
  epochs: 'heeded',
  incarnations: 'heeded',
  etag: 'names the incarnation',
};

type Commit = { revision: number; tag: string; writer: number };
type History = { epoch: string; log: Commit[] };
type Writer = { step: 'idle' | 'begun' | 'announced' | 'committed' | 'done'; revision: number; epoch: string };
type Filler = {
  step: 'idle' | 'asked' | 'half' | 'read' | 'seeded' | 'done';
  incarnation: string | null;
  epoch: string;
  revision: number;
  value: string;
};
export type World = {
  db: History;
  before: History | null;
  sequence: number;
  redis: TagState | null;
  writers: Writer[];
  filler: Filler;
  entry: (Entry & { value: string }) | null;
  lost: boolean;
};

const TAGS = ['T', 'U', 'T'];
const NOBODY: Filler = { step: 'idle', incarnation: null, epoch: '', revision: 0, value: '' };

export function firstWorld(): World {
  const idle = (): Writer => ({ step: 'idle', revision: 0, epoch: '' });
  return {
    db: { epoch: 'e1', log: [] },
    before: null,
    sequence: 0,
    redis: null,
    writers: TAGS.map(idle),
    filler: { ...NOBODY },
    entry: null,
    lost: false,
  };
}

/** One step of somebody; changes the world it is given. */
export type Move = (world: World) => void;

/** Everything that can happen next. */
export function moves(design: Design, accidents: Accidents, world: World): Move[] {
  const found: Move[] = [];
  for (const [index, writer] of world.writers.entries()) {
    found.push(...writerMoves(design, accidents, world, writer, index));
  }
  found.push(...fillerMoves(design, accidents, world));
  const losable = accidents.loss === 'any' || (accidents.loss === 'quiet' && isQuiet(world));
  if (losable && !world.lost && world.redis !== null) {
    found.push((w) => {
      forget(design, w);
      Object.assign(w, { redis: null, lost: true });
    });
  }
  if (accidents.restore && world.before === null) {
    for (let kept = 0; kept < world.db.log.length; kept++) {
      found.push((w) => {
        w.before = w.db;
        w.db = { epoch: design.epochs === 'heeded' ? 'e2' : 'e1', log: w.db.log.slice(0, kept) };
      });
    }
  }
  return found;
}

function writerMoves(design: Design, accidents: Accidents, world: World, writer: Writer, index: number): Move[] {
  const to = (step: Writer['step'], also?: (w: World, me: Writer) => void): Move => {
    return (w) => {
      const me = w.writers[index] as Writer;
      me.step = step;
      also?.(w, me);
    };
  };
  const begin = (w: World, me: Writer) => {
    me.revision = design.revision === 'sequence' ? ++w.sequence : newest(w.db.log) + 1;
    me.epoch = w.db.epoch;
  };
  const commit = (w: World, me: Writer) => {
    me.epoch = w.db.epoch;
    w.db.log.push({ revision: me.revision, tag: TAGS[index] as string, writer: index });
  };
  const publish = (w: World, me: Writer) => {
    const tags = { [TAGS[index] as string]: me.revision };
    tell(design, w, { epoch: me.epoch, first: me.revision, last: me.revision, tags });
  };
  switch (writer.step) {
    case 'idle':
      if (design.publish === 'before commit') {
        // The head's row lock lets one writer begin at a time.
        if (world.writers.some(({ step }) => step === 'begun' || step === 'announced')) return [];
        return [to('begun', begin)];
      }
      if (design.revision === 'sequence') return [to('begun', begin)];
      // Allocation under the row lock and the commit are one step to everybody else.
      return [
        to('committed', (w, me) => {
          begin(w, me);
          commit(w, me);
        }),
      ];
    case 'begun':
      return design.publish === 'before commit' ? [to('announced', publish)] : [to('committed', commit)];
    case 'announced':
      // A restore ends the connections of the history it replaces.
      return writer.epoch === world.db.epoch ? [to('done', commit), to('done')] : [to('done')];
    case 'committed':
      return accidents.crash ? [to('done', publish), to('done')] : [to('done', publish)];
    case 'done':
      return [];
  }
}

function fillerMoves(design: Design, accidents: Accidents, world: World): Move[] {
  const present = known(design, world)?.incarnation ?? null;
  const store: Move = (w) => {
    const late = design.incarnations === 'read after the snapshot';
    const { epoch, revision, value } = w.filler;
    w.entry = { epoch, incarnation: late ? present : w.filler.incarnation, revision, validUntil: null, value };
    w.filler = { ...NOBODY, step: 'done' };
  };
  const take =
    (step: Filler['step'], part: Partial<Filler>): Move =>
    (w) =>
      Object.assign(w.filler, { ...part, step });
  const revision = { epoch: world.db.epoch, revision: newest(world.db.log) };
  switch (world.filler.step) {
    case 'idle':
      // The one trip to Redis comes before the snapshot, a remembered reading long before.
      return [take('asked', { incarnation: design.incarnations === 'ignored' ? 'i' : present })];
    case 'asked':
      if (design.fill === 'revision, then data') return [take('half', revision)];
      if (design.fill === 'data, then revision') return [take('half', { value: heldBy(world.db.log) })];
      return snapshots(world, accidents.lag === true).map(({ epoch, log }) =>
        take('read', {
          ...(design.fill === 'one snapshot' ? { epoch, revision: newest(log) } : revision),
          value: heldBy(log),
        }),
      );
    case 'half':
      return [take('read', design.fill === 'revision, then data' ? { value: heldBy(world.db.log) } : revision)];
    case 'read': {
      const { epoch, revision: last } = world.filler;
      const seed: Move = (w) => {
        tell(design, w, { epoch, first: last + 1, last, tags: {} });
        w.filler.step = 'seeded';
      };
      return accidents.seed ? [store, seed] : [store];
    }
    case 'seeded':
      return [store];
    case 'done':
      return [];
  }
}

/** What a reader may be shown: the present, and with a lagging replica every earlier state, even of the replaced history. */
function snapshots(world: World, lag: boolean): History[] {
  if (!lag) return [world.db];
  const histories = world.before === null ? [world.db] : [world.db, world.before];
  return histories.flatMap(({ epoch, log }) => {
    return Array.from({ length: log.length + 1 }, (_, length) => ({ epoch, log: log.slice(0, length) }));
  });
}

/** Redis takes an announcement, as the design would. */
export function tell(design: Design, world: World, a: Announcement): void {
  const state = known(design, world);
  if (state !== null && a.epoch > state.epoch) forget(design, world);
  world.redis = announced(design, state, a, 'i');
}

/**
 * The state's life ends. Names of lives are random and never come back, so one that has ended is as good as none: every
 * life is called `i`, whoever holds the name of an ended one holds null, and worlds that differ in names alone merge.
 */
function forget(design: Design, { filler, entry }: World): void {
  if (design.incarnations === 'ignored') return;
  for (const holder of [filler, entry]) if (holder?.incarnation === 'i') holder.incarnation = null;
}

function announced(design: Design, state: TagState | null, a: Announcement, incarnation: string): TagState {
  if (design.announcing === 'gap-aware' || state === null) return announce(state, a, incarnation);
  // What the obvious implementation does: remember maxima and never look for gaps.
  return { ...announce({ ...state, head: a.last }, a, incarnation), head: Math.max(state.head, a.last) };
}

/** The state as its readers take it. */
export function known(design: Design, { redis, db }: World): TagState | null {
  if (redis !== null || design.missing === 'unknown') return redis;
  // What stands for missing state always has the same name.
  return { epoch: db.epoch, incarnation: 'zero', head: 0, floor: 0, tags: {} };
}

export function isQuiet(world: World): boolean {
  return world.filler.step === 'done' && world.writers.every(({ step }) => step === 'done');
}

export function newest(log: Commit[]): number {
  return log.reduce((revision, commit) => Math.max(revision, commit.revision), 0);
}

export function heldBy(log: Commit[]): string {
  return log
    .flatMap(({ tag, writer }) => (tag === 'T' ? [writer] : []))
    .sort()
    .join();
}
