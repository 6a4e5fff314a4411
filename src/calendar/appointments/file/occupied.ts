import { uuidOf } from '../../../core/id.ts';
import { type Occupied, type Part, unitedKinds } from '../../parts.ts';
import type { Faults } from './faults.ts';
import type { FileRow } from './schema.ts';
import type { Place, Shelf, Stored } from './shelf.ts';

/** What it occupies: as the row says, as it was, or one of each kind that its services need, as far as there are some. */
export function occupied(
  row: FileRow,
  shelf: Shelf,
  stored: Stored | undefined,
  branch: Place,
  parts: readonly Part[],
  faults: Faults,
): Occupied[] {
  const there = shelf.things.filter((thing) => thing.branch_id === branch.id);
  if (row.resources != null) {
    return row.resources.map(({ kind, resourceId, resourceExternalId }, i) => {
      const before = stored?.resources[i];
      if (resourceId == null && resourceExternalId == null)
        return { kind, resourceId: before?.kind === kind ? before.resourceId : null };
      const id = resourceId == null ? null : uuidOf('rsrc', resourceId);
      const found = there.find(
        (thing) =>
          thing.kind === kind &&
          (resourceExternalId == null ? thing.id === id : thing.external_id === resourceExternalId),
      );
      if (found === undefined)
        faults.add(
          `/resources/${i}/resource${resourceExternalId == null ? 'Id' : 'ExternalId'}`,
          'unknown_reference',
          'There is no such resource of this kind at the branch.',
        );
      return { kind, resourceId: found?.id ?? null };
    });
  }
  if (stored !== undefined && stored.branch_id === branch.id) return [...stored.resources];
  const kinds = unitedKinds(parts.map(({ serviceId }) => shelf.services.byId.get(serviceId)?.requires ?? []));
  return [...kinds].flatMap(([kind, count]) => {
    const most = there.filter((thing) => thing.kind === kind && thing.is_active).length;
    return Array.from({ length: Math.min(count, most) }, () => ({ kind, resourceId: null }));
  });
}
