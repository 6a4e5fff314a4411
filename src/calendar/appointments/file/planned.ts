import { instantTexts, localOf, minuteOf } from '../../../core/civil.ts';
import { AppError } from '../../../core/errors.ts';
import { type Prefix, uuidOf } from '../../../core/id.ts';
import { canonicalJson } from '../../../core/json.ts';
import { type Offsets, offsetsOf } from '../../../core/offsets.ts';
import { definedOf } from '../../../core/record.ts';
import { neighbourhood } from '../../booking.ts';
import { fitting, type Occupied, type Part, partsOf, totalPrice } from '../../parts.ts';
import { minuteOfStart, type WantedStart } from '../../start.ts';
import { FREED } from '../table.ts';
import { Faults } from './faults.ts';
import { begun, continued, type Said, type Standing } from './history.ts';
import { occupied } from './occupied.ts';
import type { FileRow } from './schema.ts';
import type { Place, Shelf, Shelved, Stored } from './shelf.ts';

/** An appointment as it is to be stored. `resources` without an id are for the database to choose. */
export type Document = {
  branch_id: string;
  client_id: string | null;
  services: readonly Part[];
  resources: readonly Occupied[];
  starts_at: string;
  time_zone: string;
  notes: string | null;
  price: FileRow['price'];
  allow_overlap: boolean;
  /** Whether it is new, or occupies another time than before. */
  moved: boolean;
} & Standing;

/** Finds what a row names by `<field>ExternalId`, or else by `<field>Id`. Undefined where it names nothing, or nobody. */
function finder(faults: Faults) {
  return <T>(all: Shelved<T>, prefix: Prefix, at: string, id?: string | null, name?: string | null): T | undefined => {
    if (name == null && id == null) return undefined;
    const found = name == null ? all.byId.get(uuidOf(prefix, id ?? '')) : all.byName.get(name);
    return (
      found ?? faults.add(`${at}${name == null ? 'Id' : 'ExternalId'}`, 'unknown_reference', 'There is no such object.')
    );
  };
}

/**
 * What a row makes of an appointment. What was booked stays frozen where it is there already: what its services have become
 * since changes nothing, unless the row says so. @throws AppError with all that is wrong
 */
export async function planRow(row: FileRow, shelf: Shelf, now: number): Promise<Document> {
  const faults = new Faults();
  const stored = shelf.stored.get(row.externalId);
  const find = finder(faults);
  const branch = branchOf(row, shelf, stored, find);
  const client = find(shelf.clients, 'clnt', '/client', row.clientId, row.clientExternalId);
  const says = row.clientId !== undefined || row.clientExternalId !== undefined;
  const parts = partsOfRow(row, shelf, stored, faults);
  const minute = branch === undefined ? undefined : await startOf(row, branch, stored, faults);
  if (branch === undefined && row.branchId == null && row.branchExternalId == null)
    faults.add('/branchExternalId', 'required', 'This field is required.');
  for (const [at, price] of [
    ['/price', row.price] as const,
    ...(row.services ?? []).map((line, i) => [`/services/${i}/price`, line.price] as const),
  ])
    if (price != null && price.currency !== shelf.currency)
      faults.add(`${at}/currency`, 'currency_mismatch', `Amounts are in ${shelf.currency}.`);
  const resources = branch === undefined ? [] : occupied(row, shelf, stored, branch, parts, faults);
  faults.throwAny();
  if (branch === undefined || minute === undefined) throw new AppError('internal_error');
  const standing = stored === undefined ? begun(saidOf(row)) : continued(asStanding(stored), saidOf(row));
  const same = stored !== undefined && canonicalJson(parts) === canonicalJson(stored.services);
  const over = (minute + visitOf(parts)) * 60_000 <= now;
  const plan = {
    branch_id: branch.id,
    client_id: says ? (client?.id ?? null) : (stored?.client_id ?? null),
    services: parts,
    // Which chair it was of those that nobody named, nobody knows, and nothing can meet it there any more.
    resources: stored === undefined && row.resources == null && over ? [] : resources,
    starts_at: instantTexts([minute])[0] ?? '',
    time_zone: stored?.branch_id === branch.id ? stored.time_zone : branch.time_zone,
    notes: row.notes === undefined ? (stored?.notes ?? null) : row.notes,
    price: row.price === undefined ? (same ? stored.price : totalPrice(parts)) : row.price,
    allow_overlap: row.allowOverlap === true || stored?.allow_overlap === true,
    ...standing,
  };
  return { ...plan, moved: stored === undefined || occupancyOf(plan) !== occupancyOf(stored) };
}

/** What says when it keeps whom and what busy. */
const occupancyOf = (
  of: Pick<Document, 'branch_id' | 'services' | 'resources' | 'starts_at' | 'allow_overlap' | 'status'>,
) =>
  canonicalJson([
    of.branch_id,
    of.services,
    of.resources,
    Date.parse(of.starts_at),
    of.allow_overlap,
    FREED.has(of.status),
  ]);

const visitOf = (parts: readonly Part[]): number => {
  const last = parts.at(-1);
  return last === undefined ? 0 : last.startOffsetMinutes + last.durationMinutes;
};

const saidOf = ({ status, statusReason, statusHistory }: FileRow): Said => ({
  status: status ?? null,
  reason: statusReason,
  history: (statusHistory ?? []).map(({ by = null, reason = null, ...step }) => ({ ...step, by, reason })),
});

const asStanding = ({ status, status_reason, status_history }: Stored) => ({
  status,
  reason: status_reason,
  history: status_history,
});

function branchOf(
  row: FileRow,
  { branches }: Shelf,
  stored: Stored | undefined,
  find: ReturnType<typeof finder>,
): Place | undefined {
  const named = find(branches, 'brch', '/branch', row.branchId, row.branchExternalId);
  if (named !== undefined || row.branchId != null || row.branchExternalId != null || stored === undefined) return named;
  return { id: stored.branch_id, external_id: null, time_zone: stored.time_zone };
}

/** The services of a row in their order, each with whom; those of before where it says none. */
function partsOfRow(row: FileRow, shelf: Shelf, stored: Stored | undefined, faults: Faults): Part[] {
  const find = finder(faults);
  const before = stored?.services ?? [];
  const named = row.serviceExternalIds?.map((serviceExternalId) => ({ serviceExternalId })) ?? [];
  const lines: NonNullable<FileRow['services']> = row.services ?? named;
  const first = find(shelf.staff, 'stf', '/staff', row.staffId, row.staffExternalId);
  if (lines.length === 0) {
    if (before.length === 0) faults.add('/services', 'required', 'This field is required.');
    const beginner = before[0]?.staffId;
    return before.map((part) =>
      first !== undefined && part.staffId === beginner ? { ...part, staffId: first.id } : part,
    );
  }
  const parts: Part[] = [];
  let offset = 0;
  for (const [i, line] of lines.entries()) {
    const at = row.services ? `/services/${i}/service` : '';
    const service = row.services
      ? find(shelf.services, 'svc', at, line.serviceId, line.serviceExternalId)
      : (shelf.services.byName.get(line.serviceExternalId ?? '') ??
        faults.add(`/serviceExternalIds/${i}`, 'unknown_reference', 'There is no such object.'));
    const frozen = before[i]?.serviceId === service?.id ? before[i] : undefined;
    const own = find(shelf.staff, 'stf', `/services/${i}/staff`, line.staffId, line.staffExternalId);
    const named = line.staffId ?? line.staffExternalId ?? row.staffId ?? row.staffExternalId ?? null;
    const staffId = own?.id ?? first?.id ?? (named === null ? frozen?.staffId : undefined);
    if (staffId === undefined && named === null)
      faults.add('/staffExternalId', 'required', 'Nobody is named for this service.');
    if (service === undefined || staffId === undefined) continue;
    const fresh = frozen ?? partsOf([{ service, staffId }])[0];
    if (fresh === undefined) continue;
    const { staffId: _id, staffExternalId: _who, serviceId: _service, serviceExternalId: _what, ...said } = line;
    const given = definedOf(said);
    const durationMinutes = given.durationMinutes ?? row.durationMinutes ?? fresh.durationMinutes;
    const part: Part = {
      ...fresh,
      ...given,
      staffId,
      durationMinutes,
      startOffsetMinutes: i === 0 ? 0 : (given.startOffsetMinutes ?? offset),
    };
    if (part.startOffsetMinutes < offset)
      faults.add(
        `/services/${i}/startOffsetMinutes`,
        'out_of_range',
        'Must not begin before the one before it has ended.',
      );
    offset = part.startOffsetMinutes + durationMinutes;
    parts.push({ ...part, processing: fitting(part.processing, durationMinutes) });
  }
  return parts;
}

/** The minute at which it begins; an instant where the row says both, as exports do. */
async function startOf(
  row: FileRow,
  branch: Place,
  stored: Stored | undefined,
  faults: Faults,
): Promise<number | undefined> {
  const wanted: WantedStart | null =
    row.startsAt != null
      ? { startsAt: row.startsAt }
      : row.localStart != null
        ? { localStart: row.localStart, fold: row.fold ?? undefined }
        : null;
  if (wanted === null) {
    if (stored !== undefined) return minuteOf(stored.starts_at);
    return faults.add('/startsAt', 'required', 'Say when: startsAt or localStart.');
  }
  try {
    return minuteOfStart(offsetsNear(row.timeZone ?? branch.time_zone, wanted), wanted);
  } catch (error) {
    if (!(error instanceof AppError)) throw error;
    for (const { pointer = '', code, detail } of error.faults) faults.add(pointer, code, detail);
    return undefined;
  }
}

function offsetsNear(timeZone: string, wanted: WantedStart): Offsets {
  const { first, last } = neighbourhood('startsAt' in wanted ? minuteOf(wanted.startsAt) : localOf(wanted.localStart));
  return offsetsOf(timeZone, first, last);
}
