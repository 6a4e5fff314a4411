import { describe, expect, test } from 'vitest';
import type { ErrorCode } from '../../../src/core/errors.ts';
import { importers } from '../../../src/registry.ts';
import { addUser } from '../../support/accounts.ts';
import { received } from '../../support/api.ts';
import { openCompany } from '../../support/company.ts';
import { counts, ended, faults, headOf, imported, send } from '../../support/imports.ts';
import { uuidOf } from '../../support/people.ts';
import { expectProblem } from '../../support/problem.ts';
import { sharedWorld } from '../../support/shared.ts';
import { until } from '../../support/until.ts';

// What a file may be, and what becomes of those that are none.

const MIB = 1024 * 1024;
const world = await sharedWorld();
const salon = await openCompany(world);

const bytes = (...parts: (string | number[])[]): Buffer =>
  Buffer.concat(parts.map((part) => Buffer.from(part as string)));

/** A body without a declared length. */
const streamed = (piece: string, times: number): ReadableStream<Uint8Array> =>
  new ReadableStream({
    async start(controller) {
      for (let i = 0; i < times; i += 1) controller.enqueue(Buffer.from(piece));
      controller.close();
    },
  });

describe('refused as a whole, and nothing kept, is', () => {
  const text = (
    file: string | Uint8Array,
    code: ErrorCode,
    type = 'text/csv',
  ): [string | Uint8Array, ErrorCode, string] => [file, code, type];
  test.each([
    ['an empty file', ...text('', 'empty_body')],
    ['an empty file of lines', ...text('', 'empty_body', 'application/x-ndjson')],
    ['blank lines alone', ...text('\n\r\n\n', 'malformed_file')],
    [
      'UTF-8 broken in the middle',
      ...text(bytes('externalId\nü\n', 'x\n'.repeat(50_000), [0xc3, 0x28], '\ny'), 'malformed_file'),
    ],
    ['UTF-8 broken at the end', ...text(bytes('externalId\nü', [0xe2, 0x82]), 'malformed_file')],
    [
      'UTF-16 without its mark',
      ...text('externalId,firstName\nu1,Anna\n'.replaceAll(/(?=.)/gs, '\0'), 'malformed_file'),
    ],
    [
      'Latin-1 that says it is UTF-8',
      ...text(bytes('externalId\n', [0xfc]), 'malformed_file', 'text/csv; charset=utf-8'),
    ],
    ['no known column', ...text('Maria Muster,+43664123\na,b\n', 'invalid_body')],
    ['no match key', ...text('firstName,lastName\na,b\n', 'invalid_body')],
    ['UTF-16', ...text(Buffer.from('\uFEFFexternalId\nx', 'utf16le'), 'malformed_file')],
    [
      'lines in broken UTF-8',
      ...text(bytes('{"externalId":"', [0xff], '"}'), 'malformed_file', 'application/x-ndjson'),
    ],
    ['a quote that never ends', ...text(`externalId,notes\na,"b\n${'c,d\n'.repeat(5000)}`, 'malformed_file')],
    ['a broken header', ...text('externalId,na"me\na,b', 'malformed_file')],
    ['a header of many megabytes', ...text('x'.repeat(10 * MIB - 1), 'malformed_file')],
    ['more than 10 MiB', ...text('x'.repeat(10 * MIB + 1), 'payload_too_large')],
    ['JSON', ...text('{}', 'unsupported_media_type', 'application/json')],
    ['another character set', ...text('externalId\nx', 'unsupported_media_type', 'text/csv; charset=koi8-r')],
  ])('%s', async (_, file, code, type) => {
    const more = code === 'invalid_body' ? ['missing', 'columns'] : [];
    expectProblem(await send(salon.api, file, { type }), code, more);
  });

  test('a large file of somebody who may not, who is told so and not cut off', async () => {
    const reader = await addUser(world, salon, 'READONLY');
    for (let i = 0; i < 5; i += 1) expectProblem(await send(reader, 'x'.repeat(10 * MIB - i)), 'forbidden');
  });

  test('more than 10 MiB that declares no length', async () => {
    const body = streamed('x'.repeat(MIB), 11);
    const init = {
      method: 'POST',
      body,
      duplex: 'half',
      headers: { Authorization: `Bearer ${salon.api.token}`, 'Content-Type': 'text/csv' },
    };
    const answer = await fetch(`${world.worker.url}/api/v1/imports?resource=clients`, init as RequestInit);
    expectProblem(await received('POST', '/imports?resource=clients', answer), 'payload_too_large');
  });

  test('what cannot be imported, with what can', async () => {
    const wrong = async (query: string): Promise<string> => {
      const reply = await salon.api.ask('POST', `/imports${query}`, {
        raw: 'externalId\nx',
        headers: { 'Content-Type': 'text/csv' },
      });
      return [
        reply.json.code,
        ...(reply.json.errors as { parameter: string }[]).map(({ parameter }) => parameter),
      ].join(' ');
    };
    expect(await wrong('')).toBe('invalid_parameter resource');
    expect(await wrong('?resource=users&dryRun=yes')).toBe('invalid_parameter resource dryRun');
    expect(await wrong('?resource=clients&resource=clients')).toBe('invalid_parameter resource');
    expect(await wrong('?resource=clients&mode=x')).toBe('unknown_parameter mode');
    const reply = await send(salon.api, 'externalId\nx', { resource: 'branches' });
    expect(expectProblem(reply, 'invalid_parameter')[0]?.detail).toBe(
      `Must be one of: ${[...importers().keys()].join(', ')}.`,
    );
  });

  test('afterwards there is no job', async () => {
    const company = uuidOf('comp', salon.companyId);
    expect(await world.sql('select count(*)::int as n from imports where company_id = $1', [company])).toEqual([
      { n: 0 },
    ]);
  });
});

test.each([
  ['a key with NUL', '{"externalId":"n1","a\\u0000b":1}\n', 'application/x-ndjson'],
  ['a key of half a character', '{"externalId":"n2","\\ud800":1}\n', 'application/x-ndjson'],
  ['a key that is cut inside a character', `{"externalId":"n3","${'x'.repeat(198)}😀y":1}\n`, 'application/x-ndjson'],
])('%s is a fault of its row and does not hold the import up', async (_, file, type) => {
  const job = await imported(salon.api, file, { type });
  expect(counts(job)).toMatchObject({ status: 'COMPLETED', total: 1, failed: 1 });
});

describe('taken is', () => {
  test.each([
    ['a header alone', 'externalId,firstName', 'text/csv'],
    ['a header and blank lines', 'externalId\r\n\r\n\r\n', 'text/csv'],
    ['the last line of an empty export', '{"_end":true,"count":0}\n', 'application/x-ndjson'],
    ['lines by their name without x', '{"_end":true,"count":0}\n', 'application/ndjson'],
    ['lines by another name', '{"_end":true,"count":0}\n', 'application/jsonl'],
  ])('%s: no rows', async (_, file, type) => {
    const reply = await send(salon.api, file, { type });
    expect(reply.status).toBe(202);
    expect(counts(await ended(salon.api, reply.json.id))).toMatchObject({ status: 'COMPLETED', total: 0, failed: 0 });
  });

  test('a header with columns that are not ours or twice there: faults of every row', async () => {
    const head = await headOf(salon.api);
    const job = await imported(
      salon.api,
      '\uFEFFexternalId,firstName, Phone ,firstName,,customFields.,id\nk,a,,b,,,\nl,c,d,e,f,g,h\n',
    );
    const common = ['/Phone unknown_field', '/customFields. unknown_field', '/firstName duplicate_column'];
    expect(faults(job)).toEqual({ 1: common, 2: ['/ unknown_field', ...common] });
    expect(await headOf(salon.api)).toBe(head);
  });

  test('a line of ten megabytes: one fault, the rest goes in', async () => {
    const huge = 'x'.repeat(10 * MIB - 200);
    const csv = await imported(salon.api, `externalId,notes\nh1,a\nh2,${huge}\nh3,"c"`);
    expect([csv.created, faults(csv)]).toEqual([2, { 2: [' row_too_large'] }]);
    const lines = await imported(
      salon.api,
      `{"externalId":"h1","notes":"a"}\n{"externalId":"h2","notes":"${huge}"}\n`,
      { type: 'application/x-ndjson' },
    );
    expect([lines.unchanged, faults(lines)]).toEqual([1, { 2: [' row_too_large'] }]);
    const note = await imported(salon.api, `externalId,notes\nh4,${'é'.repeat(10_000)}\nh5,${'é'.repeat(10_001)}`);
    expect([note.created, faults(note)]).toEqual([1, { 2: ['/notes too_big'] }]);
  });

  test('names and values meant to hurt: faults or plain data', async () => {
    const lines = [
      '{"externalId":"__proto__","customFields":{"constructor":"a"}}',
      '{"externalId":"p2","__proto__":{"a":1}}',
      '{"externalId":"p3","firstName":"\\ud800"}',
      `{"externalId":"p4","customFields":${'['.repeat(100_000)}${']'.repeat(100_000)}}`,
      '{"externalId":{"toString":1}}',
      `{"externalId":"p6","firstName":"'); drop table clients; --"}`,
      `{${Array.from({ length: 300 }, (_, i) => `"${'k'.repeat(300)}${i}":1`).join()}}`,
    ];
    const job = await imported(salon.api, lines.join('\n'), { type: 'application/x-ndjson' });
    expect(counts(job)).toMatchObject({ total: 7, created: 2, failed: 5 });
    expect(job.rows.find(({ row }) => row === 7)?.errors.length).toBe(50);
    const proto = await imported(salon.api, '__proto__,externalId,customFields.__proto__\na,q1,b\n');
    expect(faults(proto)[1]).toContain('/__proto__ unknown_field');
  });

  test('a blank or repeated external id: a fault of its row', async () => {
    const job = await imported(salon.api, 'externalId\nr1\n\n r1 \n"  "\nR1\nr2\nr2\n\n\n');
    expect(faults(job)).toEqual({
      2: ['/externalId required'],
      3: ['/externalId duplicate_external_id'],
      4: ['/externalId required'],
      7: ['/externalId duplicate_external_id'],
    });
    expect(job.created).toBe(3);
  });

  test('a repeat far behind, in another chunk', async () => {
    const rows = Array.from({ length: 700 }, (_, i) => `far${i}`);
    const job = await imported(salon.api, ['externalId', ...rows, 'far3'].join('\n'), { dryRun: true });
    expect([job.created, faults(job)]).toEqual([700, { 701: ['/externalId duplicate_external_id'] }]);
    expect(job.rows[0]?.errors[0]?.detail).toBe('Row 4 has this external id already.');
  });

  test('more faults than a report holds: all counted, the first told', async () => {
    const unknown = Array.from({ length: 40 }, (_, i) => `,unknown ${i}`).join('');
    const rows = `${','.repeat(40)}\n`.repeat(2000);
    const { json } = await send(salon.api, `externalId${unknown}\n${rows}`, { dryRun: true });
    // Not by GET, which would fetch megabytes each time.
    const ids = [uuidOf('imp', String(json.id))];
    const done = async () =>
      (await world.sql('select finished_at is not null as done from imports where id = $1', ids))[0]?.done;
    await until('the job to end', done, 120_000);
    const job = await ended(salon.api, json.id);
    expect(counts(job)).toMatchObject({ total: 2000, failed: 2000 });
    expect(job.rows.length).toBeLessThan(2000);
    expect(job.rows.slice(0, 100).map(({ row }) => row)).toEqual(Array.from({ length: 100 }, (_, i) => i + 1));
    expect(JSON.stringify(job).length).toBeLessThan(MIB);
  }, 150_000);
});
