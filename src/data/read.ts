import type { Loaded, ReadDemand, ReadPlan } from './answer.ts';
import type { Admission } from './caller.ts';
import type { Ctx } from './ctx.ts';
import type { Head } from './readings.ts';
import type { TagRow } from './tags.ts';

/** One read: what its answer depends on, what the caller demands, who admits them, and where it comes from. */
export type Read = {
  ctx: Ctx;
  plan: ReadPlan;
  demand: ReadDemand;
  admission: Admission;
  /** Made where an answer is not at hand: a hit needs none of it. */
  origin(): Origin;
};

/** What is behind the cache, for one read. */
export type Origin = {
  /** Computes the answer from one snapshot, which the reading came before; with `unsure` it also settles the caller's life. */
  load(unsure: boolean, row: TagRow | null): Promise<Loaded>;
  /**
   * Of what is costly: takes the place of the one that is computed before its caller is known, and so in no turn.
   * @returns how to leave it; null where it is taken, and callers are looked up first
   */
  unsurePlace?(): (() => void) | null;
  /** Puts the answer together from parts that this reading vouches for; null: Postgres is needed. */
  compose?(row: TagRow): Promise<Loaded | null>;
  /** Where the company is and, with `unsure`, whether the caller lives: for an answer that needs no Postgres itself. */
  confirm(unsure: boolean): Promise<Head>;
  /** Called when Redis does not know the company: announces where its snapshot is. */
  heal(head: Head): Promise<unknown>;
};
