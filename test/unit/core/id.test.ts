import fc from 'fast-check';
import { TypeID } from 'typeid-js';
import { describe, expect, it } from 'vitest';
import { formatId, ID_PREFIXES, idSource, newUuid, type Prefix, parseId, uuidSource } from '../../../src/core/id.ts';
import { anyText } from '../arbitraries.ts';

const ALPHABET = '0123456789abcdefghjkmnpqrstvwxyz';
const prefix = fc.constantFrom(...ID_PREFIXES);
const uuid = fc.uuid().map((text) => text.toLowerCase());
const anyUuid = fc.bigInt({ min: 0n, max: 2n ** 128n - 1n }).map((bits) => {
  const digits = bits.toString(16).padStart(32, '0');
  return digits.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5');
});

describe('formatId and parseId', () => {
  it('spell the examples of the TypeID specification', () => {
    for (const [digits, suffix] of [
      ['00000000-0000-0000-0000-000000000000', '00000000000000000000000000'],
      ['00000000-0000-0000-0000-000000000001', '00000000000000000000000001'],
      ['00000000-0000-0000-0000-000000000020', '00000000000000000000000010'],
      ['ffffffff-ffff-ffff-ffff-ffffffffffff', '7zzzzzzzzzzzzzzzzzzzzzzzzz'],
      ['0110c853-1d09-52d8-d73e-1194e95b5f19', '0123456789abcdefghjkmnpqrs'],
      ['01890a5d-ac96-774b-bcce-b302099a8057', '01h455vb4pex5vsknk084sn02q'],
    ] as const) {
      expect(formatId('clnt', digits)).toBe(`clnt_${suffix}`);
      expect(parseId('clnt', `clnt_${suffix}`)).toBe(digits);
    }
  });

  it('agree with typeid-js on every uuid', () => {
    fc.assert(
      fc.property(prefix, fc.oneof(uuid, anyUuid), (kind, text) => {
        const id = TypeID.fromUUID(kind, text).toString();
        expect(formatId(kind, text)).toBe(id);
        expect(parseId(kind, id)).toBe(text);
      }),
      { numRuns: 500 },
    );
  });

  it('take upper-case uuids for the same', () => {
    fc.assert(fc.property(anyUuid, (text) => formatId('inv', text.toUpperCase()) === formatId('inv', text)));
  });

  it('keep the order of uuids', () => {
    fc.assert(fc.property(anyUuid, anyUuid, (a, b) => formatId('inv', a) < formatId('inv', b) === a < b));
  });
});

describe('parseId refuses', () => {
  const id = 'clnt_01h455vb4pex5vsknk084sn02q';
  it.each([
    ['nothing', ''],
    ['the prefix alone', 'clnt_'],
    ['another prefix', id.replace('clnt', 'appt')],
    ['another prefix of another length', id.replace('clnt', 'inv')],
    ['no prefix', id.slice(5)],
    ['an empty prefix', id.slice(4)],
    ['another separator', id.replace('_', '-')],
    ['upper case', id.toUpperCase()],
    ['an upper-case suffix', `clnt_${id.slice(5).toUpperCase()}`],
    ['one character less', id.slice(0, -1)],
    ['one character more', `${id}0`],
    ['overflow', 'clnt_8zzzzzzzzzzzzzzzzzzzzzzzzz'],
    ['the letters Crockford leaves out: i', `${id.slice(0, -1)}i`],
    ['l', `${id.slice(0, -1)}l`],
    ['o', `${id.slice(0, -1)}o`],
    ['u', `${id.slice(0, -1)}u`],
    ['a bad first character', 'clnt_!1h455vb4pex5vsknk084sn02q'],
    ['a character outside ASCII', `${id.slice(0, -1)}٣`],
    ['one that is 0 in its low bits', `${id.slice(0, -1)}İ`],
    ['half an emoji', `${id.slice(0, -1)}\ud83d`],
    ['a uuid', '01890a5d-ac96-774b-bcce-b302099a8057'],
    ['white space', ` ${id.slice(1)}`],
  ])('%s', (_, text) => expect(parseId('clnt', text)).toBeNull());

  it('every single character that is not of the alphabet, wherever it stands', () => {
    for (let index = 5; index < id.length; index++) {
      for (const character of ['i', 'l', 'o', 'u', 'A', '-', '_', ' ', '\0', 'é', '０']) {
        expect(parseId('clnt', id.slice(0, index) + character + id.slice(index + 1))).toBeNull();
      }
    }
  });

  it('whatever typeid-js refuses, and never throws', () => {
    const text = fc.oneof(
      anyText,
      fc
        .string({ unit: fc.constantFrom(...ALPHABET, ...ALPHABET, 'u'), minLength: 26, maxLength: 26 })
        .map((s) => `clnt_${s}`),
    );
    fc.assert(
      fc.property(text, prefix, (id, kind) => parseId(kind, id) === oracle(kind, id)),
      { numRuns: 1000 },
    );
  });
});

function oracle(kind: Prefix, id: string): string | null {
  try {
    // Not toUUID(), which throws on uuids whose version no RFC names.
    const digits = Buffer.from(TypeID.fromString(id, kind).toUUIDBytes()).toString('hex');
    return digits.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5');
  } catch {
    return null;
  }
}

describe('formatId throws on what is no uuid', () => {
  const uuid = '01890a5d-ac96-774b-bcce-b302099a8057';
  it.each([
    '',
    'none',
    uuid.replaceAll('-', ''),
    `${uuid}0`,
    uuid.slice(1),
    uuid.replace('5', 'g'),
    uuid.replace('-', '_'),
  ])('%j', (text) => expect(() => formatId('clnt', text)).toThrow(RangeError));

  it('wherever the fault stands', () => {
    for (let index = 0; index < 36; index++) {
      for (const character of ['x', '/', ':', '@', 'G', '`', '٣', '\ud83d']) {
        const text = uuid.slice(0, index) + character + uuid.slice(index + 1);
        expect(() => formatId('clnt', text)).toThrow(RangeError);
      }
    }
  });
});

describe('newUuid', () => {
  it('makes version 7, variant 10, of the present time', () => {
    const before = Date.now();
    const text = newUuid();
    expect(text).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
    const time = Number.parseInt(text.slice(0, 8) + text.slice(9, 13), 16);
    expect(time).toBeGreaterThanOrEqual(before);
    expect(time).toBeLessThanOrEqual(Date.now() + 1);
  });

  it('increases strictly and never repeats', () => {
    const all = Array.from({ length: 20_000 }, newUuid);
    expect(all).toEqual([...new Set(all)].sort());
  });
});

describe('uuidSource', () => {
  const fill = (value: number) => (bytes: Uint8Array) => bytes.fill(value);

  it('keeps increasing when the clock stands still or steps back, past the end of the counter', () => {
    let clock = 1_000;
    const next = uuidSource(() => clock, fill(0xff));
    const all = Array.from({ length: 3_000 }, next);
    clock = 900;
    all.push(...Array.from({ length: 3_000 }, next));
    expect(all).toEqual([...new Set(all)].sort());
    expect(all[0]).toBe('00000000-03e8-77ff-bfff-ffffffffffff');
    // 2048 fit above the start of the counter, and 2049 after each borrowed millisecond.
    expect(all.at(2048)?.slice(0, 13)).toBe('00000000-03e8');
    expect(all.at(2049)?.slice(0, 13)).toBe('00000000-03e9');
  });

  it('keeps version and variant whatever the random bits', () => {
    for (const byte of [0, 0x55, 0xaa, 0xff]) {
      expect(uuidSource(() => 2 ** 48 - 1, fill(byte))()).toMatch(/^ffffffff-ffff-7[0-7]..-[89ab]...-.{12}$/);
    }
  });

  it('asks for randomness again before it runs out', () => {
    let asked = 0;
    const next = uuidSource(
      () => 1,
      (bytes) => bytes.fill(++asked),
    );
    const tails = new Set(Array.from({ length: 129 }, () => next().slice(-12)));
    expect(asked).toBe(3);
    expect(tails).toEqual(new Set(['010101010101', '020202020202', '030303030303']));
  });

  it('starts over when there was no randomness', () => {
    let broken = true;
    const next = uuidSource(
      () => 1,
      (bytes) => {
        if (broken) throw new Error('not inside a request');
        bytes.fill(7);
      },
    );
    expect(next).toThrow('not inside a request');
    broken = false;
    expect(next()).toContain('0707');
  });
});

describe('idSource', () => {
  it('names uuids of version 7 and the present time, increasing while the clock stands still or steps back', () => {
    let clock = 1_700_000_000_123;
    const next = idSource(
      'req',
      () => clock,
      (bytes) => crypto.getRandomValues(bytes),
    );
    const all = Array.from({ length: 3_000 }, next);
    clock -= 100;
    all.push(...Array.from({ length: 3_000 }, next));
    clock += 200;
    all.push(next());
    expect(all).toEqual([...new Set(all)].sort());
    const uuids = all.map((id) => parseId('req', id) ?? '');
    for (const uuid of uuids) expect(uuid).toMatch(/^.{8}-.{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-.{12}$/);
    const times = [uuids[0], uuids.at(-1)].map((uuid) =>
      Number.parseInt(String(uuid).slice(0, 13).replace('-', ''), 16),
    );
    expect(times).toEqual([1_700_000_000_123, 1_700_000_000_223]);
  });

  it('keeps version and variant whatever the random bits, and every random bit', () => {
    for (const byte of [0, 0x55, 0xaa, 0xff]) {
      const id = idSource(
        'req',
        () => 2 ** 48 - 1,
        (bytes) => bytes.fill(byte),
      )();
      expect(parseId('req', id)).toMatch(/^ffffffff-ffff-7[0-7]..-[89ab]...-.{12}$/);
      expect(parseId('req', id)?.slice(-12)).toBe(byte.toString(16).padStart(2, '0').repeat(6));
    }
  });
});
