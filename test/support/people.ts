import { parseId } from '../../src/core/id.ts';

/** The bare uuid of a public id. */
export function uuidOf(prefix: Parameters<typeof parseId>[0], id: string): string {
  const uuid = parseId(prefix, id);
  if (uuid === null) throw new Error(`not an id of ${prefix}: ${id}`);
  return uuid;
}
