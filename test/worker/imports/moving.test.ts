import { expect, test } from 'vitest';
import type { Api, Json } from '../../support/api.ts';
import { openCompany } from '../../support/company.ts';
import { counts, faults, headOf, imported, type Job } from '../../support/imports.ts';
import { maker } from '../../support/made.ts';
import { sharedWorld } from '../../support/shared.ts';

// A company moves into a new one by its exports, the branch made by hand there; and takes its own back.

const world = await sharedWorld();
const { api: home } = await openCompany(world, 'Home');
const made = maker(home);
const euros = (amount: number): Json => ({ amount, currency: 'EUR' });
const BRANCH = { externalId: 'b1', name: 'One', timeZone: 'Europe/Vienna' };

const branchId = await made('/branches', BRANCH);
// An external id may hold the sign that parts lists in CSV.
const cut = await made('/services', {
  externalId: 'cut|long',
  name: 'Cut',
  durationMinutes: 45,
  price: euros(4500),
  requires: ['CHAIR'],
});
const tint = await made('/services', { externalId: '[tint', name: 'Tint', durationMinutes: 30, price: null });
const staffId = await made('/staff', {
  externalId: 'eve',
  firstName: 'Eve',
  branchIds: [branchId],
  serviceIds: [cut, tint],
});
await made('/staff', { externalId: 'bob', firstName: 'Bob', branchIds: [branchId], serviceIds: [] });
await home.patch(`/services/${cut}`, { staff: [{ staffId, price: euros(5000), durationMinutes: 50 }] });
await made('/resources', { externalId: 'c1', name: 'Chair', kind: 'CHAIR', branchId });
const customFields = { shoe: 38, vip: true, 'a.b': 'c', code: '007' };
const clientId = await made('/clients', { externalId: 'anna', firstName: 'Anna', customFields, tags: ['a|b', 'c'] });
await made('/clients', { externalId: 'plain', firstName: 'Plain' });
const visit = { branchId, staffId, clientId, services: [{ serviceId: cut }, { serviceId: tint, staffId }] };
const appointmentId = await made('/appointments', {
  ...visit,
  externalId: 'a1',
  localStart: '2031-03-04T10:00',
  notes: 'n',
});
const lines = [{ description: 'Cut', unitPrice: euros(9000), appointmentId, serviceId: cut, staffId }];
const invoiceId = await made('/invoices', { externalId: 'i1', branchId, clientId, lines });
await home.post(`/invoices/${invoiceId}/finalize`);
const payment = { invoiceId, amount: euros(4000), method: 'CARD', reference: 't1' };
expect((await home.post('/payments', payment, { headers: { 'Idempotency-Key': 'move' } })).status).toBe(201);

const FORMATS = { ndjson: 'application/x-ndjson', csv: 'text/csv' } as const;
type Format = keyof typeof FORMATS;
const ALL = ['services', 'staff', 'resources', 'clients', 'appointments', 'invoices'];

async function exported(api: Api, resource: string, format: Format): Promise<string> {
  const headers = { 'Min-Revision': String(await headOf(api)) };
  const { status, text } = await api.get(`/${resource}/export?format=${format}`, { headers });
  expect(status, text.slice(0, 300)).toBe(200);
  return text;
}
const take = (api: Api, resource: string, file: string, format: Format): Promise<Job> =>
  imported(api, file, { resource, type: FORMATS[format] });
const objects = (text: string): Json[] =>
  text
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as Json)
    .filter((line) => line._end !== true);
/** What is the same in every company. */
const lasting = (value: unknown): unknown =>
  Array.isArray(value)
    ? value.map(lasting)
    : typeof value === 'object' && value !== null
      ? Object.fromEntries(
          Object.entries(value)
            .filter(
              ([name]) =>
                /xternalIds?$/.test(name) ||
                !/^(?:id|version|createdAt|updatedAt|by|at|series|source|number|.*Ids?)$/.test(name),
            )
            .map(([name, inner]) => [name, lasting(inner)]),
        )
      : value;
const sorted = (text: string): unknown[] =>
  objects(text)
    .toSorted((a, b) => String(a.externalId).localeCompare(String(b.externalId)))
    .map(lasting);

test.each(['ndjson', 'csv'] as const)(
  'by %s: services first, again once there is staff, then the rest',
  async (format) => {
    const { api } = await openCompany(world, `Away ${format}`);
    await maker(api)('/branches', BRANCH);
    const files = new Map<string, string>();
    for (const resource of ALL) files.set(resource, await exported(home, resource, format));
    const file = (resource: string): string => files.get(resource) ?? '';

    const dry = await imported(api, file('services'), { resource: 'services', type: FORMATS[format], dryRun: true });
    expect([counts(dry), dry.rows.length]).toMatchObject([{ created: 2, failed: 0 }, 1]);
    const first = await take(api, 'services', file('services'), format);
    expect(counts(first)).toMatchObject({ created: 2, failed: 0 });
    expect(first.rows.map(({ status, errors }) => [status, errors[0]?.pointer, errors[0]?.code])).toEqual([
      ['INCOMPLETE', '/staff/0/staffExternalId', 'unknown_reference'],
    ]);
    const staff = await take(api, 'staff', file('staff'), format);
    expect([faults(staff), staff.created]).toEqual([{}, 2]);
    const again = await take(api, 'services', file('services'), format);
    expect([faults(again), again.updated, again.unchanged]).toEqual([{}, 1, 1]);
    for (const resource of ALL.slice(2)) {
      const job = await take(api, resource, file(resource), format);
      expect([resource, faults(job), job.created]).toEqual([resource, {}, job.total]);
      expect(job.total).toBeGreaterThan(0);
    }
    for (const resource of ALL) {
      expect([resource, sorted(await exported(api, resource, 'ndjson'))]).toEqual([
        resource,
        sorted(await exported(home, resource, 'ndjson')),
      ]);
      for (const to of [api, home]) {
        const job = await take(to, resource, file(resource), format);
        expect([resource, faults(job), counts(job).unchanged]).toEqual([resource, {}, job.total]);
      }
    }
  },
);
