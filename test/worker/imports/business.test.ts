import { describe, expect, test } from 'vitest';
import { formatId } from '../../../src/core/id.ts';
import { importers, registry } from '../../../src/registry.ts';
import type { Json } from '../../support/api.ts';
import { openCompany } from '../../support/company.ts';
import { type Sample, samples } from '../../support/import-samples.ts';
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
  expect([...importers.keys()].filter((resource) => !known.has(resource))).toEqual([]);
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
