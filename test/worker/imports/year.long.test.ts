import { expect, test } from 'vitest';
import type { Json } from '../../support/api.ts';
import { openCompany } from '../../support/company.ts';
import { counts, ended, faults, imported, send } from '../../support/imports.ts';
import { sharedWorld } from '../../support/shared.ts';

// A salon's year as files: how long it takes, and how long whoever books meanwhile waits. Both are printed, not judged.

const world = await sharedWorld();
const salon = await openCompany(world);
const branch = await salon.api.post('/branches', { externalId: 'main', name: 'Main', timeZone: 'America/Vancouver' });
const NDJSON = 'application/x-ndjson';
const N = 2000;
const ndjson = (lines: readonly Json[]): string => lines.map((line) => JSON.stringify(line)).join('\n');
const range = <T>(count: number, of: (i: number) => T): T[] => Array.from({ length: count }, (_, i) => of(i));
const euros = (amount: number): Json => ({ amount, currency: 'EUR' });

async function timed(resource: string, lines: readonly Json[]): Promise<void> {
  const started = performance.now();
  const job = await imported(salon.api, ndjson(lines), { resource, type: NDJSON }, 600_000);
  console.log(`${resource}: ${lines.length} rows in ${((performance.now() - started) / 1000).toFixed(1)} s`);
  expect(faults(job)).toEqual({});
}

const staff = range(8, (i): Json => ({ externalId: `s${i}`, firstName: `Staff ${i}`, branchExternalIds: ['main'] }));
const services = range(
  33,
  (i): Json => ({
    ...{ externalId: `v${i}`, name: `Service ${i}`, durationMinutes: 15 + (i % 6) * 15, price: euros(2000 + i * 100) },
    staff: staff.map(({ externalId }) => ({ staffExternalId: externalId })),
  }),
);
const clients = range(1000, (i): Json => ({ externalId: `c${i}`, lastName: `Client ${i}` }));
const appointments = range(
  N,
  (i): Json => ({
    ...{
      externalId: `a${i}`,
      branchExternalId: 'main',
      staffExternalId: `s${i % 8}`,
      clientExternalId: `c${(i * 7) % 1000}`,
    },
    ...{
      serviceExternalIds: [`v${i % 33}`],
      status: i % 9 === 0 ? 'CANCELLED' : i % 31 === 0 ? 'NO_SHOW' : 'COMPLETED',
    },
    localStart: `2018-${String(1 + ((i * 5) % 12)).padStart(2, '0')}-${String(1 + ((i * 3) % 28)).padStart(2, '0')}T${String(9 + (i % 8)).padStart(2, '0')}:${i % 2 === 0 ? '00' : '30'}`,
  }),
);
const invoices = range(
  N,
  (i): Json => ({
    ...{
      externalId: `r${i}`,
      number: String(i + 1),
      branchExternalId: 'main',
      clientExternalId: `c${(i * 7) % 1000}`,
      status: 'PAID',
    },
    issueDate: '2018-03-15',
    lines: [
      {
        ...{ description: 'Cut', unitPrice: euros(8200), staffExternalId: `s${i % 8}` },
        taxes: [
          { name: 'GST', rateBasisPoints: 500 },
          { name: 'PST', rateBasisPoints: 800 },
        ],
      },
    ],
    payments: [{ amount: euros(9266), method: 'CARD' }],
  }),
);

test('a year goes in, and again changes nothing', async () => {
  const files: [string, Json[]][] = [
    ['staff', staff],
    ['services', services],
    ['clients', clients],
    ['appointments', appointments],
    ['invoices', invoices],
  ];
  const started = performance.now();
  for (const [resource, lines] of files) await timed(resource, lines);
  console.log(`all of it: ${((performance.now() - started) / 1000).toFixed(1)} s`);
  for (const [resource, lines] of files) await timed(resource, lines);
});

test('whoever books while files go in waits for a chunk at most', async () => {
  const [first] = (await salon.api.get('/staff?limit=1&externalId=s0')).json.data as Json[];
  const [service] = (await salon.api.get('/services?limit=1&externalId=v0')).json.data as Json[];
  const again = appointments.map((line) => ({ ...line, externalId: `b${line.externalId}` }));
  const reply = await send(salon.api, ndjson(again), { resource: 'appointments', type: NDJSON });
  const waits: number[] = [];
  let done = false;
  const end = ended(salon.api, reply.json.id, 600_000).then((job) => {
    done = true;
    return job;
  });
  for (let i = 0; !done; i += 1) {
    const started = performance.now();
    const booked = await salon.api.post('/appointments', {
      ...{ branchId: branch.json.id, staffId: first?.id, services: [{ serviceId: service?.id }] },
      startsAt: new Date(Date.UTC(2030, 0, 1) + i * 3_600_000).toISOString(),
    });
    expect(booked.status, booked.text).toBe(201);
    waits.push(performance.now() - started);
  }
  expect(counts(await end)).toMatchObject({ created: N, failed: 0 });
  waits.sort((a, b) => a - b);
  const at = (share: number): string => (waits[Math.floor(waits.length * share)] ?? 0).toFixed(0);
  console.log(
    `${waits.length} bookings meanwhile: p50 ${at(0.5)} ms, p95 ${at(0.95)} ms, most ${waits.at(-1)?.toFixed(0)} ms`,
  );
});
