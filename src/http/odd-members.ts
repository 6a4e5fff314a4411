import type { Fault } from '../core/errors.ts';
import { pointer } from '../core/json.ts';

/** No object within a body has more members: custom fields have the most. */
const MOST_MEMBERS = 50;
/** No array within a body has more items: a bulk and the holidays of a branch have the most. */
const MOST_ITEMS = 500;
/** Deeper than anything a schema of ours looks into. */
const DEEPEST = 6;

/**
 * What no schema sees of a body: members named `__proto__`, which zod leaves out without a word, and objects and arrays
 * within it that have more members than any may, which zod looks at one by one before it counts them.
 */
export function oddMembers(value: unknown): { faults: Fault[]; large: boolean } {
  const found = { faults: [] as Fault[], large: false };
  look(value, [], found);
  return found;
}

function look(value: unknown, path: readonly PropertyKey[], found: { faults: Fault[]; large: boolean }): void {
  if (typeof value !== 'object' || value === null || path.length > DEEPEST) return;
  if (Array.isArray(value)) {
    if (value.length > MOST_ITEMS) refuse(`Must have at most ${MOST_ITEMS} items.`, path, found);
    else for (const [at, item] of value.entries()) look(item, [...path, at], found);
    return;
  }
  const names = Object.keys(value);
  if (path.length > 0 && names.length > MOST_MEMBERS) {
    refuse(`Must have at most ${MOST_MEMBERS} keys.`, path, found);
    return;
  }
  for (const name of names) {
    const at = [...path, name];
    if (name === '__proto__') {
      found.faults.push({ pointer: pointer(at), code: 'invalid_key', detail: 'No field can have this name.' });
      continue;
    }
    look((value as Record<string, unknown>)[name], at, found);
  }
}

function refuse(detail: string, path: readonly PropertyKey[], found: { faults: Fault[]; large: boolean }): void {
  found.large = true;
  found.faults.push({ pointer: pointer(path), code: 'too_big', detail });
}
