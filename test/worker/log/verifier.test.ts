import { execFile } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { takenBy } from '../../../local/verify/calendar.ts';
import { parseId } from '../../../src/core/id.ts';
import type { Json } from '../../support/api.ts';
import { openCompany } from '../../support/company.ts';
import { sharedWorld } from '../../support/shared.ts';

// `npm run verify` on a company of every kind of row, and on the same with one row per law spoiled behind the triggers' backs.

const world = await sharedWorld();
const salon = await openCompany(world);

type Run = { code: number; broken: Map<string, string[]>; output: string };

/** Runs the command as people do; the breaches of each law by its name. */
function verified(): Promise<Run> {
  const script = join(import.meta.dirname, '../../../local/verify.ts');
  const args = [script, '--url', world.worker.url, '--token', String(salon.api.token), '--company', salon.companyId];
  return new Promise((resolve) =>
    execFile(process.execPath, args, (error, output, errors) => {
      const broken = new Map<string, string[]>();
      let breaches: string[] = [];
      for (const line of output.split('\n')) {
        const law = /^(ok|BROKEN) +(.*) \(.*\)$/.exec(line);
        if (law !== null) breaches = [];
        if (law?.[1] === 'BROKEN') broken.set(law[2] ?? '', breaches);
        if (line.startsWith('       ')) breaches.push(line.trim());
      }
      resolve({ code: error === null ? 0 : Number(error.code), broken, output: `${output}${errors}` });
    }),
  );
}

async function made(path: string, body: Json): Promise<string> {
  const reply = await salon.api.post(path, body, { headers: { 'Idempotency-Key': randomUUID() } });
  expect(reply.status, reply.text).toBeLessThan(300);
  return String(reply.json.id);
}

const euros = (amount: number) => ({ amount, currency: 'EUR' });
const branchId = await made('/branches', { name: 'Centre', timeZone: 'Europe/Vienna' });
const cut = await made('/services', { name: 'Cut', durationMinutes: 45, bufferAfterMinutes: 15, requires: ['CHAIR'] });
const colour = await made('/services', {
  ...{ name: 'Colour', durationMinutes: 90, bufferBeforeMinutes: 10, requires: ['CHAIR'] },
  processing: [{ afterMinutes: 30, minutes: 40 }],
});
const chair = await made('/resources', { name: '1', kind: 'CHAIR', branchId });
await made('/resources', { name: '2', kind: 'CHAIR', branchId });
const [ann, bea] = [
  await made('/staff', { firstName: 'Ann', branchIds: [branchId], serviceIds: [cut, colour] }),
  await made('/staff', { firstName: 'Bea', branchIds: [branchId], serviceIds: [cut, colour] }),
];
const clientId = await made('/clients', { firstName: 'Zoë' });
const booked = (staffId: string, startsAt: string, more: Json = {}): Promise<string> =>
  made('/appointments', {
    ...{ branchId, staffId, clientId, services: [{ serviceId: cut }], startsAt: `2031-03-03T${startsAt}:00Z` },
    ...{ status: 'CONFIRMED', ...more },
  });
const [nine, ten, twelve, deliberate] = [
  await booked(ann, '09:00'),
  await booked(ann, '10:00'),
  await booked(bea, '12:00', { services: [{ serviceId: colour }, { serviceId: cut, staffId: ann }] }),
  await booked(ann, '09:15', { allowOverlap: true }),
];
const cancelled = await booked(ann, '16:00');
await salon.api.delete(`/appointments/${cancelled}`);
for (const status of ['CHECKED_IN', 'IN_PROGRESS', 'COMPLETED']) await made(`/appointments/${nine}/status`, { status });
await made('/holds', { branchId, staffId: ann, serviceId: cut, startsAt: '2031-03-03T16:00:00Z' });
const taxes = [{ name: 'VAT', rateBasisPoints: 2000 }];
const line = { description: 'Cut', quantity: 2, unitPrice: euros(2425), discount: euros(50), taxes };
const invoices: string[] = [];
for (const discount of [0, 100, 0]) {
  const id = await made('/invoices', { branchId, clientId, lines: [line, line], discount: euros(discount) });
  await made(`/invoices/${id}/finalize`, {});
  invoices.push(id);
}
const [first = '', second = '', third = ''] = invoices;
const paymentId = await made('/payments', { invoiceId: first, amount: euros(5000), method: 'CARD' });
await made(`/payments/${paymentId}/refunds`, { amount: euros(1000) });

const LAWS = {
  log: 'the log has no gap',
  overlap: 'nobody and nothing is booked twice',
  status: 'every change of status is legal',
  sums: 'every total is the sum of its rounded lines',
  balances: 'every balance is right to the last unit',
  numbers: 'invoice numbers have no gap',
  lists: 'lists show what the log says',
};

test('what appointments take is what the database says they occupy', async () => {
  const { data } = (await salon.api.get('/appointments?limit=100')).json as { data: Parameters<typeof takenBy>[0][] };
  const rows = await world.sql<{ appointment_id: string; subject_id: string; busy: [string, string][] }>(
    `select o.appointment_id, o.subject_id, (select jsonb_agg(jsonb_build_array(lower(r), upper(r)) order by r) from unnest(o.busy) r) as busy
     from occupancies o where company_id = $1 and appointment_id is not null`,
    [parseId('comp', salon.companyId)],
  );
  const text = (subject: string, from: number, to: number): string =>
    `${subject} ${new Date(from).toISOString()} ${new Date(to).toISOString()}`;
  const stored = rows.flatMap(({ subject_id, busy }) =>
    busy.map(([from, to]) => text(subject_id, Date.parse(from), Date.parse(to))),
  );
  const told = data
    .flatMap(takenBy)
    .map(({ subject, from, to }) => text(String(parseId('stf', subject) ?? parseId('rsrc', subject)), from, to));
  expect(data.map(({ id }) => id).sort()).toEqual([nine, ten, twelve, deliberate].sort());
  expect(told.sort()).toEqual(stored.sort());
});

test('a company that was only ever written to by the rules passes', async () => {
  const { code, broken, output } = await verified();
  expect([...broken]).toEqual([]);
  expect(code, output).toBe(0);
  expect(output.match(/^ok/gm)).toHaveLength(Object.keys(LAWS).length);
  expect(output).toContain('3 of 5 appointments, 1 holds');
  expect(output).toContain('3 invoices, 1 payments, 1 refunds');
});

test('one spoiled row per law, each is named', async () => {
  const company = parseId('comp', salon.companyId);
  const client = parseId('clnt', clientId);
  const [service, moved, wrong, unpaid, last, paid] = [
    ...[parseId('svc', cut), parseId('appt', ten), parseId('appt', twelve)],
    ...[parseId('inv', second), parseId('inv', third), parseId('pay', paymentId)],
  ];
  /** Changes a row and what the log says of it last, so that both agree on the lie. */
  const spoil = (table: string, id: string | null | undefined, values: Record<string, string>): string[] => {
    const own = `company_id = '${company}'`;
    const set = Object.entries(values).map(([column, value]) => `${column} = ${value}`);
    return [
      `update ${table} set ${set.join(', ')} where ${own} and id = '${id}'`,
      `update changes set after = (select jsonb_object_agg(k, to_jsonb(t) -> k) from ${table} t, jsonb_object_keys(after) k where t.${own} and t.id = '${id}')
       where ${own} and revision = (select max(revision) from changes where ${own} and entity_id = '${id}')`,
    ];
  };
  const history = ['COMPLETED', 'CONFIRMED'].map((status) => ({
    status,
    at: '2031-03-03T12:00:00Z',
    by: 'SQL',
    reason: null,
  }));
  const statements = [
    `delete from changes where company_id = '${company}' and entity_id = '${service}'`,
    ...spoil('appointments', moved, { starts_at: "'2031-03-03T09:30:00Z'" }),
    ...spoil('appointments', wrong, { status_history: `'${JSON.stringify(history)}'` }),
    // Totals of the same sum, so that no constraint minds.
    ...spoil('invoices', unpaid, { subtotal: 'subtotal + 1', discount_total: 'discount_total + 1' }),
    ...spoil('payments', paid, { amount: 'amount - 1' }),
    ...spoil('invoices', last, { sequence: '4', number: "'4'" }),
    `update clients set notes = 'Said to nobody.' where company_id = '${company}' and id = '${client}'`,
  ];
  await world.sql(
    `begin; set local timezone = 'UTC'; set local session_replication_role = replica; ${statements.join('; ')}; commit`,
  );
  const { code, broken, output } = await verified();
  expect(code, output).toBe(1);
  const told = Object.fromEntries([...broken].map(([law, breaches]) => [law, breaches.join('\n')]));
  expect(told).toEqual({
    [LAWS.log]: expect.stringMatching(/^after \d+ comes \d+$/),
    [LAWS.overlap]: [ann, chair]
      .map((subject) => `${subject}: ${nine} and ${ten} at 2031-03-03T09:30:00.000Z`)
      .join('\n'),
    [LAWS.status]: expect.stringContaining('COMPLETED → CONFIRMED'),
    [LAWS.sums]: expect.stringMatching(`^${second}: `),
    [LAWS.balances]: expect.stringMatching(`^${first}: paid 5000, payments come to 4999`),
    [LAWS.numbers]: expect.stringContaining('4 stands where 3 should'),
    [LAWS.lists]: expect.stringMatching(`^${clientId}: notes differs from the log$`),
  });
});
