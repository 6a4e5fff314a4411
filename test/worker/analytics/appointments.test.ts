import { expect, test } from 'vitest';
import { newUuid, parseId } from '../../../src/core/id.ts';
import type { Json } from '../../support/api.ts';
import { openCompany } from '../../support/company.ts';
import { sharedWorld } from '../../support/shared.ts';
import { add, dayAfter, dayAt, figuresOf, type Groups, type Sums, shownGroups, totalOf } from './model.ts';

// Appointments of a company with branches around the world, counted by its reports and by the test.

const world = await sharedWorld();
const { api, companyId } = await openCompany(world);
const company = parseId('comp', companyId) as string;
const ZONE = 'America/New_York';
await api.patch('/company', { timeZone: ZONE });

const made = async (path: string, body: Json): Promise<string> => String((await api.post(path, body)).json.id);
const ZONES = [ZONE, 'Pacific/Kiritimati', 'Pacific/Pago_Pago', 'Europe/Lisbon'];
const branches = await Promise.all(ZONES.map((timeZone, n) => made('/branches', { name: `Branch ${n}`, timeZone })));
const services = await Promise.all(
  ['Cut', 'Colour', 'Beard'].map((name) => made('/services', { name, durationMinutes: 30 })),
);
const staff = await Promise.all(
  ['Ann', 'Ben', 'Cem'].map((firstName) => made('/staff', { firstName, branchIds: branches, serviceIds: services })),
);
const clients = await Promise.all(Array.from({ length: 12 }, (_, n) => made('/clients', { firstName: `Client ${n}` })));

const STATUSES = [
  'PENDING',
  'CONFIRMED',
  'CHECKED_IN',
  'IN_PROGRESS',
  'COMPLETED',
  'COMPLETED',
  'CANCELLED',
  'NO_SHOW',
];
type Visit = {
  branch: string;
  zone: string;
  staff: string;
  service: string;
  client: string | null;
  at: number;
  status: string;
};

let seed = 20_260_308;
const random = (most: number): number => {
  seed = (seed * 48_271) % 2_147_483_647;
  return seed % most;
};
const pick = <T>(all: readonly T[]): T => all[random(all.length)] as T;

/** In seven weeks around the day on which New York's clocks are put forward, half of them in the two weeks of that day. */
const FIRST = Date.parse('2026-02-16T00:00:00Z');
const visits: Visit[] = Array.from({ length: 500 }, (_, n) => {
  const place = random(branches.length);
  const day = n % 2 === 0 ? random(49) : 14 + random(14);
  return {
    ...{ branch: branches[place] as string, zone: ZONES[place] as string, staff: pick(staff), service: pick(services) },
    client: random(8) === 0 ? null : pick(clients),
    at: FIRST + day * 86_400_000 + random(96) * 900_000,
    status: pick(STATUSES),
  };
});

const uuid = (id: string | null): string | null =>
  id === null ? null : parseId(id.slice(0, id.indexOf('_')) as 'brch', id);
const rows = visits.map(({ branch, zone, staff: who, service, client, at, status }) => ({
  ...{ company_id: company, id: newUuid(), branch_id: uuid(branch), client_id: uuid(client), status },
  services: [who, ...staff].slice(0, 1 + random(2)).map((each, n) => ({
    ...{ serviceId: uuid(n === 0 ? service : (services[0] as string)), staffId: uuid(each), name: 'Cut' },
    ...{ startOffsetMinutes: 30 * n, durationMinutes: 30, bufferBeforeMinutes: 0, bufferAfterMinutes: 0 },
    ...{ processing: [], price: null, taxes: [] },
  })),
  ...{ starts_at: new Date(at).toISOString(), time_zone: zone, local_date: dayAt(at, zone) },
}));
// Past the triggers: what is counted is what is stored. Nobody has asked for it yet.
await world.sql(`begin; set local session_replication_role = replica;
  insert into appointments (company_id, id, branch_id, client_id, status, services, starts_at, ends_at, time_zone, local_date, local_start, status_history)
  select r.company_id, r.id, r.branch_id, r.client_id, r.status, r.services, r.starts_at, r.starts_at + interval '30 minutes', r.time_zone, r.local_date, '00:00', jsonb_build_array(jsonb_build_object('status', r.status, 'at', r.starts_at, 'by', 'SYSTEM', 'reason', null))
  from jsonb_populate_recordset(null::appointments, $rows$${JSON.stringify(rows)}$rows$) r; commit`);

type Span = { from: string; to: string; branch: string | null };
const SPANS = [
  { from: '2026-03-08', to: '2026-03-09' },
  { from: '2026-03-01', to: '2026-03-15' },
  { from: '2026-01-01', to: '2026-12-31' },
];
const spans: Span[] = SPANS.flatMap((span) => [null, ...branches].map((branch) => ({ ...span, branch })));

const dayOf = (visit: Visit, branch: string | null): string => dayAt(visit.at, branch === null ? ZONE : visit.zone);
const within = ({ from, to, branch }: Span): Visit[] =>
  visits.filter((visit) => {
    const day = dayOf(visit, branch);
    return (branch === null || visit.branch === branch) && day >= from && day < to;
  });
const before = ({ from, to, branch }: Span): Span => {
  const days = (Date.parse(to) - Date.parse(from)) / 86_400_000;
  return { from: dayAfter(from, -days), to: from, branch };
};
const query = ({ from, to, branch }: Span): string =>
  `from=${from}&to=${to}${branch === null ? '' : `&branchId=${branch}`}`;

const FIGURES = ['count', 'completed', 'cancelled', 'noShows'];
const counted = ({ status }: Visit): Sums => ({
  ...{ count: 1, completed: Number(status === 'COMPLETED') },
  ...{ cancelled: Number(status === 'CANCELLED'), noShows: Number(status === 'NO_SHOW') },
});
const KEYS: Record<string, (visit: Visit, branch: string | null) => string> = {
  day: dayOf,
  staff: (visit) => visit.staff,
  service: (visit) => visit.service,
  status: (visit) => visit.status,
  branch: (visit) => visit.branch,
};

test.each(Object.keys(KEYS))('appointments by %s are those that are stored, in every zone', async (by) => {
  for (const span of spans) {
    const groups = (of: Span): Groups => {
      const found: Groups = new Map();
      for (const visit of within(of)) add(found, KEYS[by]?.(visit, span.branch) ?? null, counted(visit));
      return found;
    };
    const { json } = await api.get(`/analytics/appointments?${query(span)}&groupBy=${by}&compare=previous`);
    expect(shownGroups(json), `${by} ${query(span)}`).toEqual(groups(span));
    expect(json.total).toEqual(totalOf(groups(span), FIGURES));
    expect(json.previous).toEqual(totalOf(groups(before(span)), FIGURES));
  }
});

test('a day and a branch are those of the list', async () => {
  for (const branchId of branches) {
    const list = await api.get(
      `/appointments?branchId=${branchId}&from=2026-03-01&to=2026-03-15&limit=1&status=${[...new Set(STATUSES)].join()}`,
    );
    const { json } = await api.get(`/analytics/appointments?branchId=${branchId}&from=2026-03-01&to=2026-03-15`);
    expect((json.total as Sums).count).toBe((list.json.pagination as Json).total);
  }
});

test('every day and every status is there, in order; others by what they hold', async () => {
  const span = 'from=2026-02-25&to=2026-03-25';
  const days = (await api.get(`/analytics/appointments?${span}&groupBy=day`)).json.data as Json[];
  expect(days.map(({ key }) => key)).toEqual(Array.from({ length: 28 }, (_, n) => dayAfter('2026-02-25', n)));
  const statuses = (await api.get('/analytics/appointments?from=2000-01-01&to=2000-01-02&groupBy=status')).json;
  expect((statuses.data as Json[]).map(({ label }) => label)).toEqual([
    'Pending',
    'Confirmed',
    'Checked in',
    'In progress',
    'Completed',
    'Cancelled',
    'No show',
  ]);
  expect(statuses).toMatchObject({ total: { count: 0 } });
  expect(statuses).not.toHaveProperty('previous');
  const people = (await api.get(`/analytics/appointments?${span}&groupBy=staff`)).json.data as Json[];
  const counts = people.map((each) => figuresOf(each).count ?? 0);
  expect(counts).toEqual(counts.toSorted((a, b) => b - a));
  expect(people.map(({ label }) => label).toSorted()).toEqual(['Ann', 'Ben', 'Cem']);
});

/** Who came for the first time, and who again. */
function newcomers(span: Span): Groups {
  const found: Groups = new Map();
  const seen = new Set<string>();
  for (const visit of within(span)) {
    if (visit.status === 'CANCELLED') continue;
    const { client, status } = visit;
    const came = (each: Visit): boolean =>
      each.client === client && each.status !== 'CANCELLED' && dayAt(each.at, zoneOf(span)) < span.from;
    const key = client === null ? null : visits.some(came) ? 'RETURNING' : 'NEW';
    const isFirst = client !== null && !seen.has(client);
    if (client !== null) seen.add(client);
    add(found, key, {
      ...{ count: Number(isFirst), visits: Number(status === 'COMPLETED'), noShows: Number(status === 'NO_SHOW') },
    });
  }
  return found;
}
const zoneOf = ({ branch }: Span): string => ZONES[branch === null ? 0 : branches.indexOf(branch)] as string;

async function compareClients(): Promise<void> {
  for (const span of spans) {
    const { json } = await api.get(`/analytics/clients?${query(span)}&compare=previous`, fresh);
    const found = newcomers(span);
    expect(shownGroups(json), query(span)).toEqual(
      new Map([...found].filter(([, sums]) => Object.values(sums).some(Boolean))),
    );
    expect(json.total).toEqual(totalOf(found, ['count', 'visits', 'noShows']));
    expect(json.previous).toEqual(totalOf(newcomers(before(span)), ['count', 'visits', 'noShows']));
  }
}
const fresh = { headers: { 'Cache-Control': 'no-cache' } };

test('clients are new in their first span and return in others; merged ones are one, erased ones stay counted', async () => {
  await compareClients();
  const [kept, source, erased] = clients;
  await api.post(`/clients/${kept}/merge`, { sourceId: source });
  await api.post(`/clients/${erased}/erase`);
  for (const visit of visits) if (visit.client === source) visit.client = kept ?? null;
  await compareClients();
});
