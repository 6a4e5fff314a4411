import { randomUUID } from 'node:crypto';
import type { Api, Reply } from '../test/support/api.ts';
import { BRANCHES, CLIENTS, type CompanyIds, DAYS, nameOf, type Write } from './hitrate-trace.ts';
import type { Bench, BenchWorker } from './stack.ts';

const SCOPES = [
  ...[
    'clients:write',
    'catalog:write',
    'appointments:write',
    'appointments:overlap',
    'invoices:write',
    'payments:write',
  ],
  'analytics:read',
];

/** One of the workload, with its callers: of the Worker under test, of another isolate of it, of the one that tells the truth. */
export type Company = CompanyIds & {
  api: Api;
  elsewhere: Api;
  truth: Api;
  staff: readonly string[];
  services: readonly string[];
  invoice: string;
  writtenAt: number;
  /** Of its last write. */
  revision: number;
  /** The last answer to each question. */
  held: Map<string, { etag: string; text: string }>;
};

export type Isolates = Readonly<Record<'worker' | 'elsewhere' | 'truth', BenchWorker>>;

/** A company as the workload wants it. */
export async function company(bench: Bench, { worker, elsewhere, truth }: Isolates): Promise<Company> {
  const owner = (await bench.company(worker, 0)).api;
  // A key outlives the ten minutes of a token.
  const key = ok(await owner.post('/api-keys', { name: 'bench', scopes: SCOPES }));
  const api = owner.as(String(key.json.secret));
  const made = async (path: string, body: unknown): Promise<Reply['json']> => {
    return ok(await api.post(path, body)).json;
  };
  const bulk = async (path: string, items: readonly unknown[]): Promise<string[]> => {
    const { data } = (await made(`${path}/bulk`, { mode: 'atomic', items })) as { data: { id: string }[] };
    return data.map(({ id }) => id);
  };
  const each = <T>(count: number, of: (n: number) => T): T[] => Array.from({ length: count }, (_, n) => of(n));
  const branches = await bulk(
    '/branches',
    each(BRANCHES, (n) => ({ name: `Branch ${n}`, timeZone: 'UTC' })),
  );
  const price = { amount: 4000, currency: 'EUR' };
  const services = await bulk(
    '/services',
    each(5, (n) => ({ name: `Service ${n}`, durationMinutes: 30, price })),
  );
  const staff = await bulk(
    '/staff',
    each(BRANCHES, (n) => ({ firstName: `Staff ${n}`, branchIds: [branches[n]], serviceIds: services })),
  );
  const clients = await bulk(
    '/clients',
    each(CLIENTS, (n) => ({ ...nameOf(n), email: `client-${n}@example.com` })),
  );
  const today = Date.now();
  const days = each(DAYS, (n) => new Date(today + (n - 3) * 86_400_000).toISOString().slice(0, 10));
  await bulk(
    '/appointments',
    each(BRANCHES * DAYS * 6, (n) => ({
      ...{ branchId: branches[n % BRANCHES], staffId: staff[n % BRANCHES], clientId: clients[n] },
      ...{ services: [{ serviceId: services[n % 5] }], allowOverlap: true },
      localStart: `${days[Math.floor(n / BRANCHES) % DAYS]}T${String(8 + (n % 10)).padStart(2, '0')}:00`,
    })),
  );
  const lines = [
    { kind: 'OTHER', description: 'Paid in parts', quantity: 1, unitPrice: { amount: 1_000_000, currency: 'EUR' } },
  ];
  const invoice = String((await made('/invoices', { branchId: branches[0], lines })).id);
  await made(`/invoices/${invoice}/finalize`, {});
  return {
    ...{ api, elsewhere: api.at(elsewhere.url), truth: api.at(truth.url) },
    ...{ branches, services, staff, clients, days, invoice },
    ...{ writtenAt: Date.now(), revision: 0, held: new Map() },
  };
}

export function write(
  api: Api,
  { branches, staff, services, clients, days, invoice }: Company,
  order: Write,
): Promise<Reply> {
  const headers = { 'Idempotency-Key': randomUUID() };
  switch (order.what) {
    case 'client':
      return api.patch(`/clients/${clients[order.client]}`, { notes: `note ${order.note}` });
    case 'payment': {
      const amount = { amount: 1, currency: 'EUR' };
      return api.post('/payments', { invoiceId: invoice, amount, method: 'CASH' }, { headers });
    }
    case 'appointment': {
      const time = `${String(8 + Math.floor(order.minute / 60)).padStart(2, '0')}:${String(order.minute % 60).padStart(2, '0')}`;
      const body = {
        ...{ branchId: branches[order.branch], staffId: staff[order.branch], clientId: clients[order.client] },
        ...{ services: [{ serviceId: services[0] }], localStart: `${days[order.day]}T${time}`, allowOverlap: true },
      };
      return api.post('/appointments', body, { headers });
    }
  }
}

export function ok(reply: Reply): Reply {
  if (reply.status >= 300) throw new Error(`answered ${reply.status}: ${reply.text}`);
  return reply;
}
