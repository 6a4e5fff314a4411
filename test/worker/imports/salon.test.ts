import { describe, expect, test } from 'vitest';
import type { Json } from '../../support/api.ts';
import { openCompany } from '../../support/company.ts';
import { allClients, counts, faults, headOf, imported, salonCodes, salonMissing } from '../../support/imports.ts';
import { sharedWorld } from '../../support/shared.ts';

const salon = await openCompany(await sharedWorld());
const start = await headOf(salon.api);
const codes = salonMissing === null ? await salonCodes() : new Map<string, string[]>();
if (salonMissing !== null) console.warn(salonMissing);
// No line end at the end, as in the salon's own files.
const file = [
  'externalId,lastName,tags',
  ...[...codes].map(([code, seen]) => `${code},${code.slice(0, 3)},${seen.join('|')}`),
].join('\r\n');

describe.skipIf(salonMissing !== null)("a real salon's clients", () => {
  test('the files are what their README says', () => expect(codes.size).toBeGreaterThan(500));

  test('a dry run says what would happen and stores nothing', async () => {
    const job = await imported(salon.api, file, { dryRun: true });
    expect(counts(job)).toEqual({
      status: 'COMPLETED',
      total: codes.size,
      created: codes.size,
      updated: 0,
      unchanged: 0,
      failed: 0,
    });
    expect(job).toMatchObject({ dryRun: true, resource: 'clients', rows: [], error: null });
    expect(await headOf(salon.api)).toBe(start);
    expect(await allClients(salon.api)).toEqual([]);
  });

  test('the import creates them all, each readable', async () => {
    const job = await imported(salon.api, file);
    expect(counts(job)).toEqual({
      status: 'COMPLETED',
      total: codes.size,
      created: codes.size,
      updated: 0,
      unchanged: 0,
      failed: 0,
    });
    expect(await headOf(salon.api)).toBe(start + codes.size);
    const clients = await allClients(salon.api);
    expect(new Map(clients.map(({ externalId, tags }) => [externalId, tags]))).toEqual(codes);
    for (const client of clients.slice(0, 20)) {
      const read = await salon.api.get(`/clients/${client.id}`);
      expect(read.json).toEqual(client);
    }
  });

  test('a repeat changes nothing and takes no revision', async () => {
    for (const dryRun of [true, false]) {
      const job = await imported(salon.api, `\uFEFF${file}\n`, { dryRun });
      expect(counts(job)).toEqual({
        status: 'COMPLETED',
        total: codes.size,
        created: 0,
        updated: 0,
        unchanged: codes.size,
        failed: 0,
      });
    }
    expect(await headOf(salon.api)).toBe(start + codes.size);
  });

  test('faulty rows are named with every reason, the others go in', async () => {
    const [first = '', second = '', third = ''] = codes.keys();
    const rows = [
      'externalId,lastName,email,phone,status,tags',
      `${first},Changed,,,,`.replace(/,$/, ',a|b'),
      ',Nobody,,,ACTIVE,',
      'NEW1,New,not an address,0664,GONE,',
      'NEW2,"New, too",new2@example.com,+43664123456,ACTIVE,vip',
      'NEW2,Again,,,ACTIVE,',
      `${second},short`,
      `${third},Nul\0,,,ACTIVE,`,
      'NEW3,quo"te,,,ACTIVE,',
    ];
    const job = await imported(salon.api, rows.join('\n'));
    expect(faults(job)).toEqual({
      1: ['/status invalid_value'],
      2: ['/externalId required'],
      3: ['/email invalid_format', '/phone invalid_format', '/status invalid_value'],
      5: ['/externalId duplicate_external_id'],
      6: [' cell_count'],
      7: ['/lastName invalid_text'],
      8: [' malformed_row'],
    });
    expect(counts(job)).toEqual({ status: 'COMPLETED', total: 8, created: 1, updated: 0, unchanged: 0, failed: 7 });
    expect(job.rows.every(({ status }) => status === 'FAILED')).toBe(true);
    const [created] = (await salon.api.get('/clients?externalId=NEW2')).json.data as Json[];
    expect(created).toMatchObject({ lastName: 'New, too', email: 'new2@example.com', tags: ['vip'] });
    expect(JSON.stringify(job.rows)).not.toMatch(/Nobody|not an address|0664|GONE/);
  });
});
