import * as z from 'zod';
import { formatId, type Prefix, uuidOf } from '../core/id.ts';
import { canonicalJson, isObject } from '../core/json.ts';
import { reference } from '../http/schemas.ts';

/** What is the same twice is said once. */
export const references = (most: number = 500) =>
  z
    .array(reference())
    .max(most, `Must have at most ${most} ids.`)
    .transform((list) => [...new Set(list)]);

/** Objects of a list with one member that is a public id, as the column keeps them: with its uuid. */
export const inside =
  (prefix: Prefix, member: string) =>
  (value: unknown): unknown =>
    Array.isArray(value) ? value.map((each) => swap(each, member, (id) => uuidOf(prefix, id))) : [];

/** And as they are shown. */
export const outside = <T extends object>(
  prefix: Prefix,
  member: keyof T & string,
  list: readonly T[] | null,
): unknown[] => (list ?? []).map((each) => swap(each, member, (id) => formatId(prefix, id)));

function swap(each: unknown, member: string, by: (id: string) => string): unknown {
  const id = isObject(each) ? each[member] : undefined;
  return isObject(each) && typeof id === 'string' ? { ...each, [member]: by(id) } : each;
}

/** Whether two lists of a row's images say the same; an image of before the row was there has none. */
export const sameList = (one: unknown, other: unknown): boolean =>
  canonicalJson(one ?? []) === canonicalJson(other ?? []);
