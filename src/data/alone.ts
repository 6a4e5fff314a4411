import { anchored, type Ctx } from './ctx.ts';

/** How often whoever waits looks whether it is over, ms: on a timer of its own, since a promise of another request may hang. */
const PAUSE = 15;
/** After which one that never told its end counts for none, ms. */
const LEASE = 15_000;

/** From so many on those are forgotten whose lease is over. */
const MANY = 1000;

/** What is being done in this isolate by somebody alone, and since when, ms. Plain numbers, gone when it is done or cut short. */
const under = new Map<string, { since: number }>();

function isUnderWay(key: string, now: number): boolean {
  const other = under.get(key);
  return other !== undefined && Math.abs(now - other.since) < LEASE;
}

function begun(key: string, now: number): () => void {
  if (under.size >= MANY) for (const other of under.keys()) if (!isUnderWay(other, now)) under.delete(other);
  const own = { since: now };
  under.set(key, own);
  return () => {
    if (under.get(key) === own) under.delete(key);
  };
}

/** Begins it unless somebody else is at it, and waits for nobody. @returns how to end it; null where somebody is */
export function ifNobodyIs(ctx: Ctx, key: string): (() => void) | null {
  const now = ctx.now();
  return isUnderWay(key, now) ? null : begun(key, now);
}

/**
 * Begins something that one at a time does in this isolate.
 * @param until when waiting is over and this one begins all the same, ms
 * @returns how to end it; null of one that had to wait: what the other did comes first
 */
export async function alone(ctx: Ctx, key: string, until: number): Promise<(() => void) | null> {
  if (isUnderWay(key, ctx.now()) && ctx.now() < until) {
    do await new Promise((resolve) => setTimeout(resolve, PAUSE));
    while (isUnderWay(key, ctx.now()) && ctx.now() < until);
    return null;
  }
  return begun(key, ctx.now());
}

/** Longest wait for somebody else who finds the same out, ms. */
const PATIENCE = 3000;

/** What is remembered, or is found out: by one at a time, and then remembered by all who came meanwhile. */
export async function foundOut<T>(ctx: Ctx, key: string, recall: () => T | null, find: () => Promise<T>): Promise<T> {
  const until = ctx.now() + PATIENCE;
  for (;;) {
    const remembered = recall();
    if (remembered !== null) return remembered;
    const end = await alone(ctx, key, until);
    if (end !== null) return await toItsEnd(ctx, end, find);
  }
}

/** Does what was begun to its end although the caller may leave, who would keep all others waiting. */
export const toItsEnd = <T>(ctx: Ctx, end: () => void, work: () => Promise<T>): Promise<T> =>
  anchored(ctx, async () => {
    try {
      return await work();
    } finally {
      end();
    }
  });
