import fc from 'fast-check';
import { hostile, hostileText } from './values.ts';

/** One change to a body. `at` names a place by its number among all there are; `topic` and `at` an object for an id. */
export type Edit =
  | { how: 'set'; at: number; value: unknown }
  | { how: 'remove'; at: number }
  | { how: 'add'; at: number; name: string; value: unknown }
  | { how: 'id'; at: number; pick: number };

const at = fc.nat(50);
export const edit: fc.Arbitrary<Edit> = fc.oneof(
  { arbitrary: fc.record({ how: fc.constant('set' as const), at, value: hostile }), weight: 6 },
  fc.record({ how: fc.constant('remove' as const), at }),
  fc.record({ how: fc.constant('add' as const), at, name: hostileText, value: hostile }),
  fc.record({ how: fc.constant('id' as const), at, pick: fc.nat() }),
);

type Place = { holder: Record<string, unknown>; key: string };

function placesOf(value: unknown): Place[] {
  if (typeof value !== 'object' || value === null) return [];
  const holder = value as Record<string, unknown>;
  return Object.keys(holder).flatMap((key) => [{ holder, key }, ...placesOf(holder[key])]);
}

/** Defined, not assigned: `__proto__` is to be a member like any other. */
const define = (holder: object, key: string, value: unknown): void => {
  Object.defineProperty(holder, key, {
    value: structuredClone(value),
    enumerable: true,
    configurable: true,
    writable: true,
  });
};

/** A copy of a body with edits made to it, one after the other. @param idOf any id there is, by number */
export function edited(body: unknown, edits: readonly Edit[], idOf: (pick: number) => string): unknown {
  const root = { body: structuredClone(body) };
  for (const own of edits) {
    const places = placesOf(root);
    const place = places[own.at % places.length];
    if (place === undefined) continue;
    const { holder, key } = place;
    if (own.how === 'set') define(holder, key, own.value);
    else if (own.how === 'id') define(holder, key, idOf(own.pick));
    else if (own.how === 'remove') delete holder[key];
    else {
      const inner = holder[key];
      define(typeof inner === 'object' && inner !== null ? inner : holder, own.name, own.value);
    }
  }
  return root.body;
}
