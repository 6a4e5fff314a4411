import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { AppError } from '../../../src/core/errors.ts';
import { type ChunkWork, type Failure, takeChunk } from '../../../src/insight/imports/chunk.ts';
import { type FileForm, type RawRow, rowReader } from '../../../src/insight/imports/rows.ts';
import { nextAlarm, pauseAfter, SEAL_PATIENCE, UPLOAD_PATIENCE } from '../../../src/jobs/alarms.ts';
import { importers } from '../../../src/registry.ts';
import type { Importer, ImportRow } from '../../../src/resources/importer.ts';

const importer = importers().get('clients') as Importer;

const form = (header: readonly string[] | null): FileForm => ({ header, mapping: {}, match: 'externalId' });

describe('rows of CSV as clients', () => {
  const read = (header: string, cells: string): unknown => {
    const { value, faults } = rowReader(importer, form(header.split(',')))(cells.split(','));
    return faults.length > 0 ? faults.map(({ pointer, code }) => `${pointer} ${code}`) : value;
  };

  test('an empty cell is null, an absent column is absent, lists split at bars', () => {
    expect(read('externalId,firstName,tags', 'a,,x|y |x|')).toEqual({
      externalId: 'a',
      firstName: null,
      tags: ['x', 'y'],
    });
    expect(read('externalId,tags,customFields.size', 'a,,38')).toEqual({
      externalId: 'a',
      tags: null,
      customFields: { size: '38' },
    });
  });

  test('the apostrophe of an export goes, any other stays', () => {
    expect(read('externalId,notes,phone,lastName', "a,'=1,'+43664123456,'s")).toEqual({
      externalId: 'a',
      notes: '=1',
      phone: '+43664123456',
      lastName: "'s",
    });
  });

  test.each([
    ['+43 664 123 456', '+43664123456'],
    ['0043-664/123456', '+43664123456'],
    ['+43 (0) 664 123.456', '+43664123456'],
  ])('the number %s is read as people write it', (written, phone) => {
    expect(read('externalId,phone', `a,${written}`)).toEqual({ externalId: 'a', phone });
  });

  test('a number without its country is a fault: whose it is nobody knows', () => {
    expect(read('externalId,phone', 'a,0664 123456')).toEqual(['/phone invalid_format']);
  });

  test('a mapping gives the names of the file a meaning, or none', () => {
    const mapping = { Vorname: 'firstName', Nr: 'externalId', Rabatt: null, Größe: 'customFields.size' };
    const mapped = (header: string, cells: string) =>
      rowReader(importer, { ...form(header.split(',')), mapping })(cells.split(','));
    expect(mapped('Nr,Vorname,Rabatt,Größe', 'a,Ann,5,38')).toEqual({
      key: 'a',
      value: { externalId: 'a', firstName: 'Ann', customFields: { size: '38' } },
      faults: [],
    });
    // A field that is given a name twice over is one of two, nobody knows which.
    expect(mapped('Nr,Vorname,firstName', 'a,Ann,Bea').faults.map(({ code }) => code)).toEqual(['duplicate_column']);
    const line = rowReader(importer, { header: null, mapping, match: 'externalId' });
    expect(line('{"Nr":"a","externalId":"b"}').faults.map(({ code }) => code)).toEqual(['duplicate_column']);
    expect(line('{"Nr":"a","Rabatt":5,"Vorname":"Ann"}').value).toEqual({ externalId: 'a', firstName: 'Ann' });
  });

  test.each([
    ['email', 'email,firstName', 'Ann@Example.com,Ann', 'ann@example.com'],
    ['phone', 'phone,firstName', '+43664123456,Ann', '+43664123456'],
  ] as const)('matched by %s, a row needs that and no external id', (match, header, cells, key) => {
    const read = rowReader(importer, { ...form(header.split(',')), match });
    expect(read(cells.split(','))).toMatchObject({ key, faults: [] });
    expect(read(['', 'Ann']).faults).toMatchObject([{ pointer: `/${match}`, code: 'required' }]);
  });

  test('no row whatever makes it throw', () => {
    const raw = fc.oneof(fc.string(), fc.json(), fc.array(fc.string(), { maxLength: 5 }));
    const header = fc.option(
      fc.array(fc.oneof(fc.string(), fc.constantFrom('externalId', 'tags', 'customFields.x')), { maxLength: 5 }),
    );
    fc.assert(
      fc.property(header, raw, (columns, row) => {
        const { faults, value } = rowReader(importer, form(columns))(row as RawRow);
        expect(faults.length > 0 || typeof value === 'object').toBe(true);
        for (const { pointer } of faults) expect(typeof pointer).toBe('string');
      }),
    );
  });
});

describe('a chunk', () => {
  /** A database that refuses whatever holds one of the bad rows, and forgets or answers late as told. */
  function database(bad: ReadonlySet<string>, failAt: number, knows = false) {
    const state = { done: 0, created: [] as string[], failures: [] as Failure[], commits: 0 };
    const seen = new Map<string, number>();
    const work: ChunkWork = {
      match: 'externalId',
      prepare: async () => (given) => ({ id: given.id, key: (given.value as { externalId: string }).externalId }),
      read: rowReader(importer, form(['externalId'])),
      cells: true,
      newId: () => 'id',
      firstWith(key, row) {
        if (!seen.has(key)) seen.set(key, row);
        return seen.get(key) ?? row;
      },
      faulty: async (rows) =>
        rows.flatMap((row, index) =>
          knows && bad.has(String(row.key)) ? [{ index, error: new AppError('invalid_body', 'bad') }] : [],
        ),
      async commit(first, count, rows: readonly ImportRow[], { failures }) {
        state.commits += 1;
        if (state.commits === failAt) throw new AppError('busy');
        if (state.done !== first) return state.done;
        const keys = rows.map((row) => String(row.key));
        if (keys.some((key) => bad.has(key))) throw new AppError('invalid_body', 'bad');
        state.created.push(...keys);
        state.failures.push(...failures);
        state.done += count;
        // Committed, but the answer is lost.
        if (state.commits === failAt + 1) throw new AppError('database_unavailable');
        return state.done;
      },
    };
    return { state, work };
  }

  test('of any rows fails exactly the blank, the repeated and the refused ones, whatever dies in between', async () => {
    const key = fc.constantFrom('', 'a', 'b', 'c', 'd', 'e', 'f', 'g', 'h', 'i', 'j');
    const bad = fc.uniqueArray(fc.constantFrom('a', 'b', 'c', 'd'));
    await fc.assert(
      fc.asyncProperty(
        fc.array(key, { minLength: 1, maxLength: 30 }),
        bad,
        fc.integer({ min: -1, max: 12 }),
        fc.boolean(),
        async (keys, refused, failAt, knows) => {
          const { state, work } = database(new Set(refused), failAt, knows);
          for (let turn = 0; state.done < keys.length && turn < 10; turn += 1) {
            // As the object does: from where it is known to be, in chunks of its own cut.
            const raws: RawRow[] = keys.slice(state.done, state.done + 7).map((text) => [text]);
            await takeChunk(work, state.done, raws).catch((error: AppError) => {
              expect(['busy', 'database_unavailable']).toContain(error.code);
            });
          }
          const good = keys.filter(
            (text, at) => text !== '' && keys.indexOf(text) === at && !refused.includes(text as 'a'),
          );
          expect(state.created).toEqual(good);
          const failed = keys.flatMap((text, at) =>
            text === '' || keys.indexOf(text) !== at || refused.includes(text as 'a') ? [at + 1] : [],
          );
          expect(state.failures.map(({ row }) => row)).toEqual(failed);
        },
      ),
    );
  });

  test('one bad row among many costs a few transactions, not one each', async () => {
    const { state, work } = database(new Set(['k137']), -1);
    const raws: RawRow[] = Array.from({ length: 250 }, (_, i) => [`k${i}`]);
    expect(await takeChunk(work, 0, raws)).toBe(250);
    expect(state.failures).toEqual([
      { row: 138, status: 'FAILED', errors: [{ pointer: '', code: 'invalid_body', detail: 'bad' }] },
    ]);
    expect(state.commits).toBeLessThan(20);
  });

  test('a chunk of which every row is bad costs one try, one look and one that goes in', async () => {
    const keys = Array.from({ length: 250 }, (_, i) => `k${i}`);
    const { state, work } = database(new Set(keys), -1, true);
    expect(
      await takeChunk(
        work,
        0,
        keys.map((key) => [key]),
      ),
    ).toBe(250);
    expect([state.failures.length, state.commits]).toEqual([250, 2]);
  });

  test('a caller who may not write any more is no fault of a row', async () => {
    const { work } = database(new Set(), -1);
    const refusing = { ...work, commit: () => Promise.reject(new AppError('forbidden')) };
    await expect(takeChunk(refusing, 0, [['a']])).rejects.toMatchObject({ code: 'forbidden' });
  });
});

test('the next alarm is that of the first job that waits for one', () => {
  const job = (state: 'OPEN' | 'SEALED' | 'STARTED', at = 1000, notBefore = 0) => ({ state, at, notBefore });
  expect(nextAlarm([], 5)).toBe(null);
  expect(nextAlarm([job('STARTED')], 5000)).toBe(5000);
  expect(nextAlarm([job('STARTED', 0, 9000), job('STARTED'), job('OPEN')], 5000)).toBe(9000);
  expect(nextAlarm([job('SEALED')], 1500)).toBe(1000 + SEAL_PATIENCE);
  expect(nextAlarm([job('OPEN')], 1500)).toBe(1000 + UPLOAD_PATIENCE);
  expect(nextAlarm([job('OPEN')], 9_999_999)).toBe(9_999_999);
  expect([0, 1, 2, 50].map(pauseAfter)).toEqual([500, 1000, 2000, 60_000]);
});
