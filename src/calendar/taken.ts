import { DAY_MINUTES } from '../core/civil.ts';
import type { Times } from './catalogue.ts';
import type { Shape } from './parts.ts';
import { covered, reaching, without } from './spans.ts';

/** Where work was put, and with which resources. */
export type Placed = { start: number; shape: Shape; resources: readonly string[] };

/**
 * What is busy, and what is planned beside it one after another: hundreds of starts are judged by what lies near each. Owners
 * may be lifted, to be put elsewhere.
 */
export type Taken = {
  /** Near a start; what `but` has is not in its own way. */
  near(start: number, but?: string): Times;
  put(owner: string, placed: Placed): void;
  lift(owner: string): void;
};

/** Nothing reaches further from its start: a visit takes two days at most, and a buffer one. */
const REACH = 4 * DAY_MINUTES;

/** @param lifted what among it is to be put elsewhere: nothing is booked twice, so what that has is nobody else's */
export function takenOf(busy: Times, lifted: readonly Placed[] = []): Taken {
  const own = new Map<string, number[]>();
  for (const [id, pieces] of lifted.flatMap(occupiedBy)) own.set(id, [...(own.get(id) ?? []), ...pieces]);
  const base = new Map(
    [...busy].map(([id, times]) => {
      const pieces = own.get(id);
      return [id, pieces === undefined ? covered(times) : without(covered(times), covered(pieces))];
    }),
  );
  const beside = new Map<string, Map<string, readonly number[]>>();
  return {
    near(start, but) {
      const [from, to] = [start - REACH, start + REACH];
      const found = new Map<string, readonly number[]>();
      for (const [id, spans] of base) found.set(id, reaching(spans, from, to));
      for (const [id, owners] of beside) {
        const more: number[] = [];
        for (const [owner, pieces] of owners) {
          if (owner !== but && (pieces.at(-1) ?? from) > from && (pieces[0] ?? to) < to) more.push(...pieces);
        }
        if (more.length > 0) found.set(id, [...(found.get(id) ?? []), ...more]);
      }
      return found;
    },
    put(owner, placed) {
      for (const [id, pieces] of occupiedBy(placed)) {
        const owners = beside.get(id) ?? new Map<string, readonly number[]>();
        beside.set(id, owners.set(owner, pieces));
      }
    },
    lift(owner) {
      for (const owners of beside.values()) owners.delete(owner);
    },
  };
}

/** Whom and what it keeps busy, and when. */
export function occupiedBy({ start, shape, resources }: Placed): [id: string, pieces: readonly number[]][] {
  const throughout = [start + shape.occupied.start, start + shape.occupied.end];
  return [
    ...[...shape.staff].map(([id, { busy }]): [string, number[]] => [id, busy.map((minute) => start + minute)]),
    ...resources.map((id): [string, number[]] => [id, throughout]),
  ];
}
