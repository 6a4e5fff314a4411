import { describe, expect, test } from 'vitest';
import { formatId } from '../../../src/core/id.ts';
import { importers, registry } from '../../../src/registry.ts';
import type { Api, Json, Reply } from '../../support/api.ts';
import { openCompany } from '../../support/company.ts';
import type { Sample } from '../../support/import-samples/sample.ts';
import { samples } from '../../support/import-samples.ts';
import { counts, faults, headOf, imported } from '../../support/imports.ts';
import { uuidOf } from '../../support/people.ts';
import { sharedWorld } from '../../support/shared.ts';

// Everything of a business but its clients (imports.test.ts), as files: the same for each resource, by its sample.

const world = await sharedWorld();
const salon = await openCompany(world);
await salon.api.post('/branches', { externalId: 'main', name: 'Main', timeZone: 'Europe/Vienna' });
await salon.api.post('/clients', { externalId: 'anna', firstName: 'Anna' });

const NDJSON = 'application/x-ndjson';
const ndjson = (lines: readonly Json[]): string => lines.map((line) => JSON.stringify(line)).join('\n');

const resources = new Map([...registry.values()].map((each) => [each.topic, each]));

/** The public ids of what the company has, by `resource/externalId`. */
async function allIds(): Promise<Map<string, string>> {
  const ids = new Map<string, string>();
  for (const resource of ['branches', 'clients', ...samples.map((sample) => sample.resource)]) {
    const rows = (await world.sql(`select external_id, id from ${resource} where company_id = $1`, [
      uuidOf('comp', salon.companyId),
    ])) as { external_id: string; id: string }[];
    const prefix = resources.get(resource)?.prefix ?? 'comp';
    for (const row of rows) ids.set(`${resource}/${row.external_id}`, formatId(prefix, row.id));
  }
  return ids;
}

test('every resource that can be imported has its sample', () => {
  const known = new Set(['clients', ...samples.map(({ resource }) => resource)]);
  expect([...importers().keys()].filter((resource) => !known.has(resource))).toEqual([]);
});

describe.each(samples.map((sample): [string, Sample] => [sample.resource, sample]))('%s', (resource, sample) => {
  const total = sample.lines.length;
  const all = { status: 'COMPLETED', total, created: 0, updated: 0, unchanged: 0, failed: 0 };

  test('a dry run says what would happen and stores nothing', async () => {
    const head = await headOf(salon.api);
    const job = await imported(salon.api, sample.csv, { resource, dryRun: true });
    expect(faults(job)).toEqual({});
    expect(counts(job)).toEqual({ ...all, created: total });
    expect(await headOf(salon.api)).toBe(head);
  });

  test('CSV makes them; again, and as lines of JSON, it changes nothing', async () => {
    expect(counts(await imported(salon.api, sample.csv, { resource }))).toEqual({ ...all, created: total });
    const head = await headOf(salon.api);
    for (const [file, type] of [
      [sample.csv, 'text/csv'],
      [ndjson(sample.lines), NDJSON],
    ] as const) {
      const job = await imported(salon.api, file, { resource, type });
      expect(faults(job)).toEqual({});
      expect(counts(job)).toEqual({ ...all, unchanged: total });
    }
    expect(await headOf(salon.api)).toBe(head);
    const ids = await allIds();
    const idOf = (of: string, externalId: string): string => ids.get(`${of}/${externalId}`) ?? `no ${externalId}`;
    for (const [externalId, expected] of Object.entries(sample.shown))
      expect((await salon.api.get(`/${resource}/${idOf(resource, externalId)}`)).json).toMatchObject(expected(idOf));
  });

  test('what is wrong is named by its column, and nothing else is kept from coming in', async () => {
    const good = sample.lines.at(-1) as Json;
    const lines = [...sample.faulty.map(([line]) => line), { ...good, externalId: '' }, good, { ...good, wrong: 1 }];
    const job = await imported(salon.api, ndjson(lines), { resource, type: NDJSON });
    const expected = sample.faulty.map(([, said], i) => [i + 1, said] as const);
    expect(faults(job)).toEqual({
      ...Object.fromEntries(expected),
      [expected.length + 1]: ['/externalId too_small'],
      [expected.length + 3]: ['/externalId duplicate_external_id', '/wrong unknown_field'],
    });
    expect(counts(job)).toMatchObject({ created: 0, unchanged: 1, failed: expected.length + 2 });
  });
});

describe('what an export writes, an import reads', () => {
  const STATUSES = '?status=PENDING,CONFIRMED,CHECKED_IN,IN_PROGRESS,COMPLETED,CANCELLED,NO_SHOW';
  const parts = (resource: string): string[] =>
    resource === 'appointments' ? [STATUSES] : resource === 'invoices' ? [''] : ['', '?isActive=false'];
  /** Everything of one resource; without the last line, which says that it is whole. */
  async function exported(from: Api, resource: string): Promise<Json[]> {
    const texts = await Promise.all(
      parts(resource).map(async (query) => {
        const reply = await from.get(`/${resource}/export${query}`, {
          headers: { 'Min-Revision': String(await headOf(from)) },
        });
        expect(reply.status, reply.text.slice(0, 300)).toBe(200);
        return reply.text;
      }),
    );
    const lines = texts.flatMap((text) => text.trim().split('\n')).map((line) => JSON.parse(line) as Json);
    return lines.filter((line) => line._end !== true);
  }
  /** What is the same in every company. */
  const lasting = (value: unknown): unknown => {
    if (Array.isArray(value)) return value.map(lasting);
    if (typeof value !== 'object' || value === null) return value;
    const own = /^(?:id|version|createdAt|updatedAt|by|.*Ids?)$/;
    return Object.fromEntries(
      Object.entries(value).flatMap(([name, inner]) =>
        own.test(name) && !name.includes('xternalId') ? [] : [[name, lasting(inner)]],
      ),
    );
  };
  const sorted = (lines: Json[]): unknown[] =>
    lines.toSorted((a, b) => String(a.externalId).localeCompare(String(b.externalId))).map(lasting);

  test('in its own company it changes nothing, in another one it makes the same', async () => {
    const other = await openCompany(world, 'Elsewhere');
    await other.api.post('/branches', { externalId: 'main', name: 'Main', timeZone: 'Europe/Vienna' });
    await other.api.post('/clients', { externalId: 'anna', firstName: 'Anna' });
    const head = await headOf(salon.api);
    for (const { resource } of samples) {
      const lines = await exported(salon.api, resource);
      expect(lines.length).toBeGreaterThan(0);
      const back = await imported(salon.api, ndjson(lines), { resource, type: NDJSON });
      expect([resource, faults(back), counts(back)]).toMatchObject([resource, {}, { unchanged: lines.length }]);
      const there = await imported(other.api, ndjson(lines), { resource, type: NDJSON });
      expect([resource, faults(there), counts(there)]).toMatchObject([resource, {}, { created: lines.length }]);
      const again = (await exported(other.api, resource)).map((line) => ({
        ...line,
        series: lines.find(({ externalId }) => externalId === line.externalId)?.series,
      }));
      expect(sorted(again)).toEqual(sorted(lines.map((line) => ({ ...line, series: line.series }))));
    }
    expect(await headOf(salon.api)).toBe(head);
    // Nobody's client elsewhere; one who was merged here has become another.
    const [kept, gone] = (await Promise.all(
      ['Ann', 'Anne'].map((firstName) => salon.api.post('/clients', { firstName })),
    )) as [Reply, Reply];
    await salon.api.post(`/clients/${kept.json.id}/merge`, { sourceId: gone.json.id });
    const line = { externalId: 'r13', branchExternalId: 'main', clientId: gone.json.id, issueDate: '2018-03-17' };
    const file = ndjson([{ ...line, lines: [{ description: 'X', unitPrice: { amount: 1, currency: 'EUR' } }] }]);
    const invoice = { resource: 'invoices', type: NDJSON };
    expect(faults(await imported(other.api, file, invoice))).toEqual({ 1: ['/clientId unknown_reference'] });
    expect(counts(await imported(salon.api, file, invoice))).toMatchObject({ created: 1 });
    const [{ clientId }] = (await exported(salon.api, 'invoices')).filter(({ externalId }) => externalId === 'r13') as [
      Json,
    ];
    expect(clientId).toBe(kept.json.id);
  });

  test('as CSV too', async () => {
    for (const { resource } of samples) {
      const [query] = parts(resource);
      const file = (await salon.api.get(`/${resource}/export${query === '' ? '?' : `${query}&`}format=csv`)).text;
      const job = await imported(salon.api, file, { resource });
      expect([resource, faults(job), counts(job)]).toMatchObject([resource, {}, { unchanged: job.total, created: 0 }]);
    }
  });
});
