import type { Resource } from './catalogue.ts';
import type { Occupied, Shape } from './parts.ts';

/** By id, or by a field of theirs: somebody else's time off spoils nothing. */
export type BookingGuard = {
  since: number;
  entities: Record<string, readonly string[] | Record<string, readonly string[]>>;
};

type Request = {
  branchId: string;
  services: readonly { serviceId: string }[];
  ignoreWorkingHours?: boolean | undefined;
};

/** What a plan took from the catalogue. Bookings are not in it: the database's own rule speaks for those. */
export function guardOf(
  { revision, resources }: { revision: number; resources: readonly Resource[] },
  { branchId, services, ignoreWorkingHours }: Request,
  { shape, resources: occupied }: { shape: Shape; resources: readonly Occupied[] },
): BookingGuard {
  const staff = [...shape.staff.keys()];
  const kinds = new Set(occupied.map(({ kind }) => kind));
  const things = resources.filter(({ kind }) => kinds.has(kind)).map(({ id }) => id);
  const away = ignoreWorkingHours
    ? {}
    : { 'time-off': { staff_id: staff, ...(things.length === 0 ? {} : { resource_id: things }) } };
  return {
    since: revision,
    entities: {
      ...{ branch: [branchId], service: [...new Set(services.map(({ serviceId }) => serviceId))], staff },
      ...(things.length === 0 ? {} : { resource: things }),
      ...away,
    },
  };
}

/** What several plans took, none of which may have changed. */
export function unitedGuard(guards: readonly BookingGuard[]): BookingGuard {
  const entities: Record<string, readonly string[] | Record<string, readonly string[]>> = {};
  for (const [entity, guarded] of guards.flatMap((guard) => Object.entries(guard.entities))) {
    entities[entity] = united(entities[entity], guarded);
  }
  return { since: Math.min(...guards.map(({ since }) => since)), entities };
}

type Guarded = BookingGuard['entities'][string];

function united(known: Guarded | undefined, more: Guarded): Guarded {
  if (known === undefined) return more;
  if (isList(known) && isList(more)) return [...new Set([...known, ...more])];
  const fields: Record<string, readonly string[]> = isList(known) ? {} : { ...known };
  for (const [field, ids] of Object.entries(isList(more) ? {} : more))
    fields[field] = [...new Set([...(fields[field] ?? []), ...ids])];
  return fields;
}

const isList = (guarded: Guarded): guarded is readonly string[] => Array.isArray(guarded);
