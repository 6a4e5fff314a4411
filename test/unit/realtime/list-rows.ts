import { formatId } from '../../../src/core/id.ts';
import type { Row } from '../../../src/data/log.ts';

/** Random numbers, and choices made with them. */
export type Luck = { number(below: number): number; chance(p: number): boolean; pick<T>(of: readonly T[]): T };

export const luckOf = (random: () => number): Luck => ({
  number: (below) => Math.floor(random() * below),
  chance: (p) => random() < p,
  pick: <T>(of: readonly T[]) => of[Math.floor(random() * of.length)] as T,
});

/** Ids of one kind, few, so that filters hit. */
export const uuidFrom = (kind: number, n: number): string =>
  `0190${String(kind).padStart(4, '0')}-0000-7000-8000-${String(n).padStart(12, '0')}`;
const BRANCHES = [1, 2].map((n) => uuidFrom(1, n));
const STAFF = [1, 2, 3].map((n) => uuidFrom(2, n));
const CLIENTS = [1, 2, 3, 4].map((n) => uuidFrom(3, n));
const DAYS = ['2026-03-01', '2026-03-02', '2026-03-03'];
/** What sorts otherwise by code points than by UTF-16 units is among them. */
const NAMES = ['Anna', 'anna', 'Ähre', 'Zoë', '\uffee', '😀', 'Bo', null];
const TAGS = ['vip', 'new', 'Müller'];

/** An instant as `to_jsonb` writes it, with ties and fractions of every length. */
const instant = (luck: Luck): string =>
  `${luck.pick(DAYS)}T10:00:0${luck.number(2)}${luck.pick(['', '.5', '.12', '.125', '.05'])}+00:00`;

export const ENTITIES = ['client', 'appointment', 'time-off', 'payment', 'user'] as const;
export type Entity = (typeof ENTITIES)[number];
const TOPICS: Record<Entity, string> = {
  client: 'clients',
  appointment: 'appointments',
  'time-off': 'staff',
  payment: 'payments',
  user: 'users',
};

const documented = (luck: Luck): Row => ({ version: 1, created_at: instant(luck), updated_at: instant(luck) });

/** Whatever may be said of a row; what is absent stays as it is. */
const parts: Record<Entity, (luck: Luck) => Row> = {
  client: (luck) => ({
    first_name: luck.pick(NAMES),
    last_name: luck.pick(NAMES),
    name: luck.pick(NAMES),
    status: luck.pick(['ACTIVE', 'ACTIVE', 'INACTIVE', 'ARCHIVED']),
    tags: TAGS.filter(() => luck.chance(0.4)),
    notes: `note ${luck.number(1000)}`,
    external_id: luck.pick(['crm-1', 'crm-2', null]),
  }),
  appointment: (luck) => ({
    branch_id: luck.pick(BRANCHES),
    client_id: luck.pick([...CLIENTS, null]),
    services: [...STAFF].filter(() => luck.chance(0.4)).map((staffId) => ({ serviceId: uuidFrom(4, 1), staffId })),
    status: luck.pick(['PENDING', 'CONFIRMED', 'CONFIRMED', 'CANCELLED', 'NO_SHOW']),
    starts_at: instant(luck),
    local_date: luck.pick(DAYS),
    notes: `note ${luck.number(1000)}`,
  }),
  'time-off': (luck) => ({ starts_at: instant(luck), staff_id: luck.pick(STAFF), reason: luck.pick(NAMES) }),
  payment: (luck) => ({
    branch_id: luck.pick(BRANCHES),
    client_id: luck.pick([...CLIENTS, null]),
    status: luck.pick(['PENDING', 'SUCCEEDED']),
    business_date: luck.pick(DAYS),
    paid_at: instant(luck),
  }),
  user: (luck) => ({
    name: luck.pick(NAMES) ?? 'Nobody',
    role: luck.pick(['OWNER', 'MANAGER', 'STAFF', 'READONLY']),
    status: luck.pick(['ACTIVE', 'ACTIVE', 'ARCHIVED']),
  }),
};

const rest: Record<Entity, Row> = {
  client: { email: null, phone: null, custom_fields: {}, merged_into: null, erased_at: null },
  appointment: {
    ...{ series_id: null, original_start: null, hold_id: null, resources: [], ends_at: '2026-03-01T11:00:00+00:00' },
    ...{ time_zone: 'Europe/Vienna', local_start: '11:00:00', staff_id: null, status_reason: null, status_history: [] },
    ...{ price: null, source: 'STAFF', allow_overlap: false, external_id: null },
  },
  'time-off': { resource_id: null, ends_at: '2026-04-01T10:00:00+00:00', source: 'MANUAL', external_id: null },
  payment: {
    invoice_id: null,
    amount: 100,
    currency: 'EUR',
    refunded: 0,
    method: 'CASH',
    reference: null,
    external_id: null,
  },
  user: { email: 'a@example.com', external_id: null },
};

export const newRow = (luck: Luck, entity: Entity, id: string): Row => ({
  id,
  ...rest[entity],
  ...documented(luck),
  ...parts[entity](luck),
});

/** Some of it is another now. */
export function changedRow(luck: Luck, entity: Entity, row: Row): Row {
  const other = Object.entries(parts[entity](luck)).filter(() => luck.chance(0.3));
  return { ...row, ...Object.fromEntries(other), version: Number(row.version) + 1, updated_at: instant(luck) };
}

const FILTERS: Record<Entity, (luck: Luck) => [string, string][]> = {
  client: (luck) => [
    ['status', luck.pick(['ACTIVE', 'INACTIVE,ACTIVE', 'ARCHIVED'])],
    ['tag', luck.pick(TAGS)],
    ['externalId', luck.pick(['crm-1', 'crm-2'])],
    ['createdAfter', `${luck.pick(DAYS)}T10:00:00.120Z`],
    ['updatedAfter', `${luck.pick(DAYS)}T10:00:01Z`],
  ],
  appointment: (luck) => [
    ['branchId', formatId('brch', luck.pick(BRANCHES))],
    ['date', luck.pick(DAYS)],
    ['staffId', formatId('stf', luck.pick(STAFF))],
    ['clientId', luck.pick([...CLIENTS.map((id) => formatId('clnt', id)), 'nonsense'])],
    ['status', luck.pick(['CONFIRMED', 'CANCELLED,NO_SHOW'])],
    ['from', luck.pick(DAYS)],
    ['to', luck.pick(DAYS)],
    ['createdBefore', `${luck.pick(DAYS)}T12:00:00+02:00`],
  ],
  'time-off': () => [],
  payment: (luck) => [
    ['branchId', formatId('brch', luck.pick(BRANCHES))],
    ['status', 'SUCCEEDED'],
    ['from', luck.pick(DAYS)],
    ['to', luck.pick(DAYS)],
  ],
  user: (luck) => [
    ['role', luck.pick(['OWNER', 'STAFF,READONLY'])],
    ['status', 'ARCHIVED'],
  ],
};
const SORTS: Record<Entity, readonly string[]> = {
  client: ['lastName', 'firstName', 'name', 'createdAt', 'updatedAt'],
  appointment: ['startsAt', 'createdAt', 'updatedAt'],
  'time-off': ['startsAt', 'createdAt'],
  payment: ['paidAt', 'createdAt'],
  user: ['name', 'updatedAt'],
};

/** A random list, of an entity this role may mostly see. */
export function randomPath(luck: Luck, entity: Entity): string {
  const params = FILTERS[entity](luck).filter(() => luck.chance(0.25));
  if (luck.chance(0.6)) {
    const keys = SORTS[entity].filter(() => luck.chance(0.4)).map((name) => (luck.chance(0.5) ? `-${name}` : name));
    if (keys.length > 0) params.push(['sort', keys.join()]);
  }
  if (luck.chance(0.8)) params.push(['limit', String(luck.pick([1, 2, 3, 5, 10, 20, 50, 100]))]);
  if (luck.chance(0.2)) params.push(['fields', luck.pick(['id', 'createdAt', 'status,createdAt,startsAt', 'name'])]);
  if (entity === 'client' && luck.chance(0.1))
    params.push(
      luck.pick([
        ['include', 'stats'],
        ['search', 'anna'],
      ]),
    );
  const path = entity === 'time-off' ? `/staff/${formatId('stf', luck.pick(STAFF))}/time-off` : `/${TOPICS[entity]}`;
  const query = new URLSearchParams(params.filter(([name, value]) => isKnown(entity, name, value))).toString();
  return `${luck.chance(0.5) ? '/api/v1' : ''}${path}${query === '' ? '' : `?${query}`}`;
}

/** Not every one has every field. */
function isKnown(entity: Entity, name: string, value: string): boolean {
  if (name !== 'fields') return true;
  if (value.includes('startsAt')) return entity === 'appointment';
  return value !== 'name' || entity === 'client' || entity === 'user';
}
