import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type Announcement, announce, judge, type TagState } from '../../../src/core/revision.ts';

const EPOCH = '01890a5d-ac96-774b-bcce-b302099a8057';
const NEWER = '01890a5d-ac97-774b-bcce-b302099a8057';
const OLDER = '01890a5d-ac95-774b-bcce-b302099a8057';
const state: TagState = { epoch: EPOCH, incarnation: 'old', head: 10, floor: 4, tags: { clients: 9, staff: 5 } };
const range = (first: number, last: number, tags = {}, epoch = EPOCH): Announcement => ({ epoch, first, last, tags });

describe('announce', () => {
  it.each<[string, TagState | null, Announcement, Partial<TagState>]>([
    [
      'starts missing state',
      null,
      range(7, 8, { clients: 8 }),
      { incarnation: 'new', head: 8, floor: 6, tags: { clients: 8 } },
    ],
    [
      'starts over with a newer epoch',
      state,
      range(3, 3, { a: 3 }, NEWER),
      { epoch: NEWER, incarnation: 'new', head: 3, floor: 2, tags: { a: 3 } },
    ],
    ['ignores an older epoch', state, range(11, 11, { a: 11 }, OLDER), state],
    ['advances', state, range(11, 12, { clients: 12 }), { head: 12, floor: 4, tags: { clients: 12, staff: 5 } }],
    ['adds a tag', state, range(11, 11, { new: 11 }), { head: 11, floor: 4, tags: { ...state.tags, new: 11 } }],
    [
      'raises the floor to the end of a gap',
      state,
      range(13, 14, { staff: 14 }),
      { head: 14, floor: 12, tags: { clients: 9, staff: 14 } },
    ],
    [
      'raises only tags when late',
      state,
      range(6, 7, { staff: 7, clients: 6 }),
      { head: 10, floor: 4, tags: { clients: 9, staff: 7 } },
    ],
    [
      'advances on overlap',
      state,
      range(9, 11, { staff: 11 }),
      { head: 11, floor: 4, tags: { clients: 9, staff: 11 } },
    ],
    ['starts missing state from a snapshot', null, range(8, 7), { incarnation: 'new', head: 7, floor: 7, tags: {} }],
    ['heals what a snapshot shows to be lost', state, range(13, 12), { head: 12, floor: 12, tags: state.tags }],
    ['learns nothing from a snapshot at the head', state, range(11, 10), state],
    ['learns nothing from an older snapshot', state, range(6, 5), state],
    ['keeps a floor that is higher', { ...state, floor: 20 }, range(12, 12), { head: 12, floor: 20 }],
  ])('%s', (_, before, announcement, after) => {
    expect(announce(before, announcement, 'new')).toEqual({ ...(before ?? { epoch: EPOCH }), ...after });
  });

  it('mutates neither argument', () => {
    const [before, announcement] = [structuredClone(state), range(13, 13, { clients: 13 })];
    announce(before, announcement, 'new').tags.clients = 99;
    announce(null, announcement, 'new').tags.clients = 99;
    expect(before).toEqual(state);
    expect(announcement).toEqual(range(13, 13, { clients: 13 }));
  });

  // A log cut into ranges, delivered in any order, some of them twice.
  const deliveries = fc
    .array(fc.record({ length: fc.integer({ min: 1, max: 3 }), tag: fc.constantFrom('a', 'b', 'c') }), {
      minLength: 1,
      maxLength: 8,
    })
    .map((parts) => {
      let head = 0;
      return parts.map(({ length, tag }) => {
        const first = head + 1;
        head += length;
        return range(first, head, { [tag]: head });
      });
    })
    .chain((ranges) => {
      const order = fc.array(fc.constantFrom(...ranges), { maxLength: 4 }).chain((again) => {
        const all = [...ranges, ...again];
        return fc.shuffledSubarray(all, { minLength: all.length });
      });
      return fc.record({ ranges: fc.constant(ranges), order });
    });
  const deliver = (order: Announcement[]) =>
    order.reduce<TagState | null>((known, each) => announce(known, each, 'new'), {
      epoch: EPOCH,
      incarnation: 'old',
      head: 0,
      floor: 0,
      tags: {},
    });

  it('comes to the same head and tags in every order', () => {
    fc.assert(
      fc.property(deliveries, ({ ranges, order }) => {
        const [expected, got] = [deliver(ranges), deliver(order)];
        expect({ ...got, floor: 0 }).toEqual(expected);
        expect(got?.floor).toBeLessThanOrEqual(got?.head ?? 0);
      }),
    );
  });

  it('at every moment lets no snapshot pass that lacks an announced or skipped change', () => {
    fc.assert(
      fc.property(deliveries, fc.nat({ max: 24 }), ({ ranges, order }, revision) => {
        for (let count = 1; count <= order.length; count++) {
          const now = deliver(order.slice(0, count)) as TagState;
          const verdict = judge(
            { epoch: EPOCH, incarnation: 'old', revision, validUntil: null },
            { ...now, values: [now.tags.a ?? 0] },
            0,
          );
          const lacks = ranges.some(({ last, tags }) => tags.a !== undefined && last > revision && last <= now.head);
          expect(lacks && verdict === 'valid').toBe(false);
        }
      }),
    );
  });

  it('never goes back', () => {
    fc.assert(
      fc.property(deliveries, ({ order }) => {
        let before = announce(null, order[0] as Announcement, 'first');
        for (const next of order) {
          const after = announce(before, next, 'next');
          expect(after.incarnation).toBe('first');
          expect(after.head).toBeGreaterThanOrEqual(before.head);
          expect(after.floor).toBeGreaterThanOrEqual(before.floor);
          for (const tag in before.tags) expect(after.tags[tag]).toBeGreaterThanOrEqual(before.tags[tag] as number);
          expect(announce(after, next, 'again')).toEqual(after);
          before = after;
        }
      }),
    );
  });
});
