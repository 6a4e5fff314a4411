import { grantAfter, listenerMay } from '../src/account/listening.ts';
import { BASE, modules } from '../src/app.ts';
import { formatId } from '../src/core/id.ts';
import type { Counted, LiveList } from '../src/data/live-list.ts';
import type { Change, Row } from '../src/data/log.ts';
import { liveLists as findLists } from '../src/http/live-lists.ts';
import { audienceOf } from '../src/realtime/audience.ts';
import { Hub } from '../src/realtime/hub/hub.ts';
import type { Connection } from '../src/realtime/hub/member.ts';
import { MemoryRing } from '../src/realtime/hub/ring.ts';
import { MemoryShelf } from '../src/realtime/hub/shelf.ts';
import { registry } from '../src/registry.ts';
import type { BenchOptions, BenchResult } from './benchmark.ts';
import { median, round } from './statistics.ts';
import { table } from './table.ts';

/** All connections a company may have, on a busy day. */
const SOCKETS = 100;
const LISTS = 5;
const PER_SECOND = 10;
const EVENTS = 300;
const DAY = '2026-03-02';

const none = (): void => undefined;
const uuid = (kind: number, n: number): string => `0190000${kind}-0000-7000-8000-${String(n).padStart(12, '0')}`;
const COMPANY = formatId('comp', uuid(9, 1));

const documented = {
  version: 1,
  external_id: null,
  created_at: '2026-03-01T09:00:00.125+00:00',
  updated_at: '2026-03-01T09:00:00+00:00',
};
const appointment = (n: number, version: number): Row => ({
  ...documented,
  ...{
    id: uuid(5, n),
    branch_id: uuid(1, n % 3),
    client_id: uuid(3, n % 400),
    series_id: null,
    original_start: null,
    hold_id: null,
  },
  services: [
    {
      ...{
        serviceId: uuid(4, n % 20),
        staffId: uuid(2, n % 12),
        name: 'Cut and colour',
        startOffsetMinutes: 0,
        durationMinutes: 90,
      },
      ...{ bufferBeforeMinutes: 0, bufferAfterMinutes: 10, processing: [{ afterMinutes: 30, minutes: 30 }] },
      ...{ price: { amount: 9000, currency: 'EUR' }, taxes: [{ name: 'VAT', rateBasisPoints: 2000 }] },
    },
  ],
  resources: [{ kind: 'CHAIR', resourceId: uuid(6, n % 9) }],
  ...{ starts_at: `${DAY}T${String(8 + (n % 10)).padStart(2, '0')}:15:00+00:00`, ends_at: `${DAY}T20:00:00+00:00` },
  ...{
    time_zone: 'Europe/Vienna',
    local_date: DAY,
    local_start: '09:15:00',
    staff_id: uuid(2, n % 12),
    status: 'CONFIRMED',
  },
  ...{
    status_reason: null,
    status_history: [],
    notes: `note ${version}`,
    price: null,
    source: 'STAFF',
    allow_overlap: false,
    version,
  },
});
const client = (n: number, version: number): Row => ({
  ...documented,
  ...{
    id: uuid(3, n),
    first_name: `F${n % 97}`,
    last_name: `L${n % 89}`,
    name: `F${n % 97} L${n % 89}`,
    email: `c${n}@example.com`,
  },
  ...{ phone: '+436641234567', status: 'ACTIVE', tags: ['vip'], notes: `note ${version}`, custom_fields: { shoe: 38 } },
  ...{ merged_into: null, erased_at: null, version },
});

/** The lists of one front desk: its branch's day and week, clients, and what is quiet. */
function listsOf(socket: number, isOwn: boolean): string[] {
  const branch = formatId('brch', uuid(1, socket % 3));
  // Of the same rows under another name, so that nothing is shared.
  const own = isOwn
    ? `&createdAfter=2020-01-01T00:00:${String(socket % 60).padStart(2, '0')}.${String(socket).padStart(3, '0')}Z`
    : '';
  return [
    `/appointments?branchId=${branch}&date=${DAY}&sort=startsAt&limit=100${own}`,
    `/appointments?branchId=${branch}&from=2026-03-02&to=2026-03-09&limit=100${own}`,
    `/clients?sort=lastName&limit=50${own}`,
    `/staff?limit=100${own}`,
    `/services?limit=100${own}`,
  ];
}

type Room = { hub: Hub; reads(): number; pass(): void };

/** A room whose sockets go nowhere. */
async function open(lists: (socket: number) => string[]): Promise<Room> {
  const rows: Record<string, Row[]> = {
    appointment: Array.from({ length: 240 }, (_, n) => appointment(n, 1)),
    client: Array.from({ length: 400 }, (_, n) => client(n, 1)),
  };
  let [now, reads] = [1_000_000, 0];
  let timers: { at: number; work: () => void }[] = [];
  const count = ({ rows: own }: LiveList): Counted => {
    const held = (rows[own?.entity ?? ''] ?? []).filter((row) => own?.holds(row) === true);
    return { size: held.length, places: held.flatMap((row) => own?.placeOf(row) ?? []), isThere: true };
  };
  const connections: Connection[] = [];
  const hub = new Hub({
    audience: audienceOf(registry, { may: listenerMay, grantAfter }, findLists(BASE, modules)),
    limits: { connections: SOCKETS, messagesPerMinute: 50, readsPerMinute: 1e9, idleMs: 300_000, batchMs: 100 },
    time: { now: () => now, after: (ms, work) => void timers.push({ at: now + ms, work }) },
    log: { after: async () => ({ epoch: 'e', head: 0, oldest: null, changes: [] }) },
    async readLists(asked) {
      reads += 1;
      return { epoch: 'e', revision: 0, counted: asked.map(count) };
    },
    ...{
      ring: new MemoryRing(),
      shelf: new MemoryShelf(),
      connections: () => connections,
      lastPing: () => now,
      redeem: async () => null,
    },
  });
  const roles = ['OWNER', 'MANAGER', 'STAFF', 'READONLY'];
  for (let n = 0; n < SOCKETS; n += 1) {
    const member = {
      ...{
        company: COMPANY,
        actor: `USER:${uuid(7, n)}`,
        credential: `s${n}`,
        grant: { role: roles[n % 4] ?? 'STAFF' },
        expiresAt: null,
      },
      ...{ session: `r${n}`, connectedAt: now, lastMessageAt: now, topics: null, lists: [], live: false },
    };
    const connection: Connection = { member, save: none, close: none, send: none };
    connections.push(connection);
    const queries = lists(n).map((path, at) => ({ id: `l${at}`, path }));
    const command = { type: 'subscribe', id: 1, companyId: COMPANY, topics: ['company'], queries };
    await hub.hear(connection, JSON.stringify(command));
    if (!member.live) throw new Error(`socket ${n} is not subscribed`);
  }
  return {
    hub,
    reads: () => reads,
    pass() {
      now += 1000 / PER_SECOND;
      const due = timers.filter(({ at }) => at <= now);
      timers = timers.filter(({ at }) => at > now);
      for (const { work } of due) work();
    },
  };
}

/** Seven appointments to three clients, changed in turn. */
function changeOf(revision: number): Change {
  const isClient = revision % 10 < 3;
  const n = (revision * 7) % (isClient ? 400 : 240);
  const make = isClient ? client : appointment;
  return {
    ...{
      revision,
      entity: isClient ? 'client' : 'appointment',
      entityId: isClient ? uuid(3, n) : uuid(5, n),
      schemaVersion: 1,
    },
    ...{
      operation: 'UPDATE',
      before: make(n, revision),
      after: make(n, revision + 1),
      actor: 'SYSTEM',
      requestId: null,
    },
    changedAt: '2026-03-02T09:00:00+00:00',
  };
}

/** CPU of the changes of half a minute, ms a change. */
async function cost(lists: (socket: number) => string[]): Promise<{ cpuMs: number; reads: number }> {
  const room = await open(lists);
  const reads = room.reads();
  const changes = Array.from({ length: EVENTS }, (_, n) => changeOf(n + 1));
  const start = process.cpuUsage();
  for (const change of changes) {
    room.hub.published({ epoch: 'e', revision: change.revision }, [change]);
    room.pass();
  }
  const { user, system } = process.cpuUsage(start);
  if (room.reads() !== reads) throw new Error('the database was asked');
  return { cpuMs: (user + system) / 1000 / EVENTS, reads };
}

/** What a room spends on the lists that its sockets follow, beside the same sockets with none; no stack, no network. */
export async function liveLists({ rounds, progress }: BenchOptions): Promise<BenchResult> {
  const kinds = {
    none: () => cost(() => []),
    shared: () => cost((socket) => listsOf(socket, false)),
    own: () => cost((socket) => listsOf(socket, true)),
  };
  const measured: { round: number; none: number; shared: number; own: number }[] = [];
  const last = { shared: 0, own: 0 };
  for (let number = 0; number <= rounds; number += 1) {
    const [bare, shared, own] = [await kinds.none(), await kinds.shared(), await kinds.own()];
    [last.shared, last.own] = [shared.reads, own.reads];
    // Round 0 is when all are compiled.
    if (number === 0) continue;
    measured.push({
      round: number,
      none: round(bare.cpuMs, 4),
      shared: round(shared.cpuMs, 4),
      own: round(own.cpuMs, 4),
    });
    progress(`round ${number} of ${rounds}`);
  }
  const share = (ms: number): number => round(ms * PER_SECOND * 0.1, 3);
  const middle = (kind: 'none' | 'shared' | 'own'): number => median(measured.map((each) => each[kind]));
  const figures = {
    ...{ sockets: SOCKETS, listsPerSocket: LISTS, changesPerSecond: PER_SECOND },
    noneCpuPercent: share(middle('none')),
    sharedCpuPercent: share(middle('shared')),
    ownCpuPercent: share(middle('own')),
    ...{ sharedReadsAtStart: last.shared, ownReadsAtStart: last.own, readsAfterwards: 0 },
    rounds: measured,
  };
  return {
    lines: [
      `${SOCKETS} sockets × ${LISTS} lists × ${PER_SECOND} changes/s: CPU of one core`,
      ...table([
        ['', '%'],
        ['no lists', figures.noneCpuPercent],
        ['of 3 branches, many follow the same', figures.sharedCpuPercent],
        ['no two the same (500 lists)', figures.ownCpuPercent],
      ]),
    ],
    figures,
  };
}
