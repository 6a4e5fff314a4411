import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  formatETag,
  judge,
  matchesETag,
  namedRevision,
  newestTag,
  parseIfMatch,
  parseMinRevision,
} from '../../../src/core/revision.ts';

const EPOCH = '01890a5d-ac96-774b-bcce-b302099a8057';
const NEWER = '01890a5d-ac97-774b-bcce-b302099a8057';
const OLDER = '01890a5d-ac95-774b-bcce-b302099a8057';

describe('judge', () => {
  const entry = { epoch: EPOCH, incarnation: 'i1', revision: 7, validUntil: null };
  it.each([
    ['valid', entry, EPOCH, 'i1', 7, [7, 0], 0],
    ['valid', entry, EPOCH, 'i1', 0, [], 0],
    ['epoch', entry, NEWER, 'i1', 0, [1], 0],
    ['epoch', entry, OLDER, 'i1', 0, [1], 0],
    ['incarnation', entry, EPOCH, 'i2', 7, [1], 0],
    ['incarnation', { ...entry, incarnation: null }, EPOCH, 'i1', 7, [1], 0],
    ['epoch', entry, NEWER, 'i2', 7, [1], 0],
    ['floor', entry, EPOCH, 'i1', 8, [1], 0],
    ['tag', entry, EPOCH, 'i1', 7, [1, 8], 0],
    ['unknown', entry, EPOCH, 'i1', 7, [1, undefined], 0],
    ['valid', { ...entry, validUntil: 1000 }, EPOCH, 'i1', 7, [1], 999],
    ['clock', { ...entry, validUntil: 1000 }, EPOCH, 'i1', 7, [1], 1000],
    ['tag', { ...entry, validUntil: 1000 }, EPOCH, 'i1', 7, [8], 2000],
  ] as const)('%s', (verdict, given, epoch, incarnation, floor, values, now) => {
    expect(judge(given, { epoch, incarnation, floor, values }, now)).toBe(verdict);
  });
});

describe('newestTag', () => {
  it('is the largest of floor and tags', () => {
    fc.assert(
      fc.property(fc.nat(), fc.array(fc.nat()), (floor, tags) => newestTag(floor, tags) === Math.max(floor, ...tags)),
    );
  });
});

describe('namedRevision', () => {
  it.each([
    ['the newest change a reading at the snapshot knows', 9, { head: 9, floor: 2, values: [7, 3] }, 7],
    ['the floor when no tag is newer', 9, { head: 12, floor: 8, values: [7] }, 8],
    ['the snapshot itself when it is ahead of the reading', 10, { head: 9, floor: 2, values: [7] }, 10],
    ['the snapshot itself when the reading knows a newer change', 8, { head: 12, floor: 2, values: [7, 9] }, 8],
    ['the snapshot itself when the reading has a higher floor', 8, { head: 12, floor: 10, values: [7] }, 8],
    ['the snapshot itself without a reading', 8, null, 8],
  ])('is %s', (_, snapshot, reading, named) => expect(namedRevision(snapshot, reading)).toBe(named));
});

describe('formatETag and matchesETag', () => {
  const LIFE = '0f9c11d2-7b1e-4c6a-9f0e-0b8d3f6a2c51';
  const named = { epoch: EPOCH, incarnation: LIFE, newest: 1234, representation: 'Ab-_9' };
  const etag = formatETag(named, null);
  const timed = formatETag(named, 1_700_000_000_999);
  const matches = (
    presented: string,
    now = 0,
    epoch = EPOCH,
    newest = 1234,
    representation = 'Ab-_9',
    life: string | null = LIFE,
  ) => matchesETag(presented, { epoch, incarnation: life, newest, representation }, now);

  it('are weak and short', () => {
    expect(etag).toBe('W/"b302099a8057.0f9c11d2-7b1e-4c.ya.Ab-_9"');
    expect(timed).toBe('W/"b302099a8057.0f9c11d2-7b1e-4c.ya.Ab-_9.s44we8"');
  });

  it('match what was formatted, as long as its clock allows', () => {
    const revision = fc.nat({ max: Number.MAX_SAFE_INTEGER });
    const representation = fc.stringMatching(/^[A-Za-z0-9_-]{1,20}$/);
    const until = fc.option(fc.integer({ min: 1, max: 4_000_000_000_000 }));
    fc.assert(
      fc.property(
        revision,
        representation,
        until,
        fc.nat({ max: 4_000_000_000_000 }),
        (newest, hash, validUntil, now) => {
          const own = { epoch: EPOCH, incarnation: LIFE, newest, representation: hash };
          const tag = formatETag(own, validUntil);
          const alive = validUntil === null || now < Math.floor(validUntil / 1000) * 1000;
          expect(matchesETag(tag, own, now)).toBe(alive);
          expect(matchesETag(tag, { ...own, newest: newest + 1 }, now)).toBe(false);
          expect(matchesETag(tag, { ...own, representation: `${hash}x` }, now)).toBe(false);
        },
      ),
    );
  });

  it.each([
    ['itself', etag],
    ['the strong form', etag.slice(2)],
    ['a list', `"a", W/"b,c" ,${etag}`],
    ['a list without spaces', `"a",${etag},"b"`],
    ['empty list elements', `, ,${etag}`],
    ['a tag that is timed', timed],
    ['a timed tag after one that is past', `W/"b302099a8057.0f9c11d2-7b1e-4c.ya.Ab-_9.1", ${timed}`],
  ])('match %s', (_, presented) => expect(matches(presented, 1_699_999_999_999)).toBe(true));

  it.each([
    ['nothing', ''],
    ['another tag', 'W/"x"'],
    ['a tag that was longer', etag.replace('9"', '99"')],
    ['a tag that was shorter', etag.replace('9"', '"')],
    ['a tag with more before', etag.replace('"b', '"ab')],
    ['an unquoted tag', etag.slice(3, -1)],
    ['a half-quoted tag', etag.slice(0, -1)],
    ['a lower-case weakness', etag.replace('W', 'w')],
    ['any, which is for whoever knows what is there', '*'],
    ['any among others', `"a", *`],
    ['what stands behind a fault of the list', `nonsense, ${etag}`],
    ['text glued to a tag', `${etag}x`],
    ['a time that is none', timed.replace('.s44we8', '.')],
    ['a time with a sign', timed.replace('.s44we8', '.-s44we8')],
    ['two times', timed.replace('.s44we8', '.s44we8.s44we8')],
    ['a time without end', timed.replace('.s44we8', `.${'z'.repeat(40)}`)],
  ])('do not match %s', (_, presented) => expect(matches(presented)).toBe(false));

  it('do not match another epoch, revision or representation', () => {
    expect(matches(etag, 0, '01890a5d-ac96-774b-bcce-b302099a8058')).toBe(false);
    expect(matches(etag, 0, EPOCH, 1235)).toBe(false);
    expect(matches(etag, 0, EPOCH, 1234, 'Ab-_8')).toBe(false);
    expect(matches(timed, 1_700_000_000_000)).toBe(false);
  });

  it('do not match another incarnation, nor what was computed without one', () => {
    const without = formatETag({ ...named, incarnation: null }, null);
    expect(without).toBe('W/"b302099a8057.-.ya.Ab-_9"');
    expect(matches(etag, 0, EPOCH, 1234, 'Ab-_9', LIFE.replace('0f', '1f'))).toBe(false);
    expect(matches(etag, 0, EPOCH, 1234, 'Ab-_9', null)).toBe(false);
    expect(matches(without)).toBe(false);
    expect(matches(without, 0, EPOCH, 1234, 'Ab-_9', null)).toBe(true);
  });

  it('answer hostile headers quickly', () => {
    const started = performance.now();
    for (const piece of [' ', ',', '"', 'W/', '"",', `${etag} `]) matches(etag.slice(3, -1) + piece.repeat(100_000));
    expect(performance.now() - started).toBeLessThan(10_000);
  });
});

describe('parseMinRevision', () => {
  it.each([
    [undefined, 0],
    ['0', 0],
    ['7', 7],
    ['007', 7],
    ['9007199254740991', Number.MAX_SAFE_INTEGER],
  ])('%j is %i', (value, revision) => expect(parseMinRevision(value)).toBe(revision));

  it.each([
    '',
    ' ',
    '-1',
    '+1',
    '1.0',
    '1e3',
    '0x1',
    '7, 8',
    '٧',
    '9007199254740992',
    '9'.repeat(40),
    'NaN',
    'seven',
    '7\n',
  ])('refuses %j', (value) => {
    expect(() => parseMinRevision(value)).toThrow(
      expect.objectContaining({
        code: 'invalid_min_revision',
        faults: [expect.objectContaining({ parameter: 'Min-Revision' })],
      }),
    );
  });
});

describe('parseIfMatch', () => {
  it.each([
    [undefined, null],
    ['*', null],
    [' * ', null],
    ['"7"', 7],
    ['"0"', 0],
    [' "12" ', 12],
    ['7', -1],
    ['W/"7"', -1],
    ['"07"', -1],
    ['"7", "8"', -1],
    ['"-7"', -1],
    ['"7.0"', -1],
    ['"9007199254740992"', -1],
    ['""', -1],
    ['', -1],
    ['"*"', -1],
    [formatETag({ epoch: EPOCH, incarnation: null, newest: 7, representation: 'x' }, null), -1],
  ])('%j is %j', (value, version) => expect(parseIfMatch(value)).toBe(version));
});
