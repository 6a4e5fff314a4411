import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { Span } from '../../../src/realtime/spans.ts';
import { type TicketStore, UsedTickets } from '../../../src/realtime/used-tickets.ts';

type Used = { id: string; until: number };

/** A room's storage, which outlives the object. */
class MemoryTickets implements TicketStore {
  writes = 0;
  isFailing = false;
  #used: Used[] = [];
  #doubtful: readonly Span[] = [];

  read() {
    return { used: this.#used, doubtful: this.#doubtful };
  }
  doubt(doubtful: readonly Span[]): void {
    this.#write();
    this.#doubtful = doubtful;
  }
  keep(used: readonly Used[], doubtful: readonly Span[]): void {
    this.doubt(doubtful);
    this.#used = [...this.#used, ...used];
  }
  forget(now: number, doubtful: readonly Span[]): void {
    this.doubt(doubtful);
    this.#used = this.#used.filter(({ until }) => until >= now);
  }
  #write(): void {
    if (this.isFailing) throw new Error('a storage that fails');
    this.writes += 1;
  }
}

const GOOD_FOR = 30_000;

/** A room whose object ends and begins, with a clock of its own. */
class Room {
  now = 1_000_000;
  readonly store = new MemoryTickets();
  #timers: { at: number; work: () => void }[] = [];
  #tickets = this.#open();

  #open(): UsedTickets {
    this.#timers = [];
    return new UsedTickets(this.store, (ms, work) => void this.#timers.push({ at: this.now + ms, work }));
  }
  pass(ms: number): void {
    this.now += ms;
    const due = this.#timers.filter(({ at }) => at <= this.now);
    this.#timers = this.#timers.filter(({ at }) => at > this.now);
    for (const { work } of due) work();
  }
  use(ticket: Used): string {
    return this.#tickets.use(ticket, this.now);
  }
  forget(): void {
    try {
      this.#tickets.forget(this.now);
    } catch {
      expect(this.store.isFailing).toBe(true);
    }
  }
  /** Its clock is set; timers go by another. */
  step(ms: number): void {
    this.now += ms;
    for (const timer of this.#timers) timer.at += ms;
  }
  crash(): void {
    this.#tickets = this.#open();
  }
  /** As the platform does it: never while a timer runs. */
  sleep(): void {
    while (this.#timers.length > 0) this.pass(100);
    this.crash();
  }
}

test('a hundred who come back at once cost two writes', () => {
  const room = new Room();
  for (let n = 0; n < 100; n += 1)
    expect(room.use({ id: String(n), until: room.now + GOOD_FOR + (n % 10) })).toBe('good');
  room.pass(2000);
  expect(room.store.writes).toBe(2);
});

test('after a sleep a used ticket is known as such, and one from before that was not used is good', () => {
  const room = new Room();
  const [used, unused] = ['a', 'b'].map((id) => ({ id, until: room.now + GOOD_FOR })) as [Used, Used];
  expect(room.use(used)).toBe('good');
  room.sleep();
  expect([room.use(used), room.use(unused), room.use(unused)]).toEqual(['used', 'good', 'used']);
});

test('after a crash a ticket from before it is sent back for another, which is good at once or a moment later', () => {
  const room = new Room();
  const ticket = (id: string): Used => ({ id, until: room.now + GOOD_FOR });
  const [used, unused] = [ticket('a'), ticket('b')];
  expect(room.use(used)).toBe('good');
  room.crash();
  expect([room.use(used), room.use(unused)]).toEqual(['doubtful', 'doubtful']);
  room.pass(2001);
  expect(room.use(ticket('c'))).toBe('good');
});

test('used tickets are kept as soon as the storage takes them', () => {
  const room = new Room();
  const [first, second, unused] = ['a', 'b', 'c'].map((id) => ({ id, until: room.now + GOOD_FOR })) as [
    Used,
    Used,
    Used,
  ];
  expect(room.use(first)).toBe('good');
  room.store.isFailing = true;
  room.pass(2000);
  room.store.isFailing = false;
  expect(room.use(second)).toBe('good');
  room.pass(2000);
  room.crash();
  expect([first, second, unused].map((ticket) => room.use(ticket))).toEqual(['used', 'used', 'good']);
});

test('while the storage fails nobody is let in whose ticket could be used again after a crash, and all are as soon as it does not', () => {
  for (const ahead of [0, 300_000]) {
    const room = new Room();
    const [first, second] = ['a', 'b'].map((id) => ({ id, until: room.now + GOOD_FOR + ahead })) as [Used, Used];
    room.store.isFailing = true;
    for (let n = 0; n < 3; n += 1) {
      expect([room.use(first), room.use(second)]).toEqual(['doubtful', 'doubtful']);
      room.pass(2000);
    }
    room.store.isFailing = false;
    expect([room.use(first), room.use(first)]).toEqual(['good', 'used']);
    room.crash();
    expect(room.use(first)).not.toBe('good');
  }
});

test('a storage that fails while used tickets are in doubt keeps nobody out for longer than it fails', () => {
  const room = new Room();
  const ticket = (id: string): Used => ({ id, until: room.now + GOOD_FOR });
  expect(room.use(ticket('a'))).toBe('good');
  room.store.isFailing = true;
  // Those of this moment may be used after all, as was written down; of later ones nothing can be.
  expect(room.use(ticket('b'))).toBe('good');
  room.pass(2001);
  expect(room.use(ticket('c'))).toBe('doubtful');
  room.store.isFailing = false;
  expect(room.use(ticket('d'))).toBe('good');
  room.sleep();
  expect([room.use(ticket('d')), room.use(ticket('e'))]).toEqual(['used', 'good']);
});

test('a ticket by a clock five minutes ahead sends nobody back after a crash', () => {
  const room = new Room();
  const ahead = { id: 'ahead', until: room.now + GOOD_FOR + 300_000 };
  expect(room.use(ahead)).toBe('good');
  room.crash();
  expect([room.use(ahead), room.use({ id: 'own', until: room.now + GOOD_FOR })]).toEqual(['used', 'good']);
});

test('a clock that steps an hour ahead and back makes no used ticket good again, and keeps nobody out', () => {
  const room = new Room();
  const used = { id: 'used', until: room.now + GOOD_FOR };
  expect(room.use(used)).toBe('good');
  room.pass(2000);
  room.step(3_600_000);
  room.forget();
  room.step(-3_600_000);
  expect(room.use(used)).not.toBe('good');
  room.crash();
  expect(room.use(used)).not.toBe('good');
  expect(room.use({ id: 'next', until: room.now + GOOD_FOR })).toBe('good');
});

test.each([600_000, 86_400_000])(
  'a clock that was %s ms ahead for minutes keeps nobody out afterwards, and what was used then is good no more',
  (ahead) => {
    const room = new Room();
    const next = (): Used => ({ id: String(room.now), until: room.now + GOOD_FOR });
    const spent: Used[] = [];
    const come = (): void => {
      const ticket = next();
      expect(room.use(ticket)).toBe('good');
      spent.push(ticket);
      room.pass(2000);
    };
    come();
    room.step(ahead);
    for (let n = 0; n < 90; n += 1) {
      come();
      room.forget();
    }
    room.step(-ahead);
    expect(room.use(next())).toBe('good');
    room.pass(2000);
    room.crash();
    for (const ticket of spent) expect(room.use(ticket)).not.toBe('good');
    // And once more where the clock is right by then.
    room.step(ahead);
    for (const ticket of spent) expect(room.use(ticket)).not.toBe('good');
  },
);

test('what is in doubt is little, however long a room goes on and however often its clock steps', () => {
  const store = new MemoryTickets();
  const tickets = new UsedTickets(store, (_, work) => work());
  for (let n = 0; n < 200; n += 1) {
    const now = 1_000_000 + n * 600_000;
    expect(tickets.use({ id: String(n), until: now + GOOD_FOR }, now)).toBe('good');
    tickets.forget(now + GOOD_FOR + 1);
  }
  expect(store.read().doubtful.length).toBeLessThanOrEqual(8);
});

const step = fc.oneof(
  { weight: 6, arbitrary: fc.record({ do: fc.constant('use' as const), ticket: fc.nat(6) }) },
  { weight: 3, arbitrary: fc.record({ do: fc.constant('pass' as const), ms: fc.nat(3000) }) },
  fc.record({ do: fc.constant('step' as const), ms: fc.constantFrom(-3_600_000, -60_000, 60_000, 3_600_000) }),
  fc.record({ do: fc.constantFrom('crash', 'sleep', 'forget', 'fail', 'mend' as const) }),
);

test('no ticket is good twice, whatever becomes of the room, and without a crash none is refused that was not used', () => {
  fc.assert(
    fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
      const room = new Room();
      const begun = room.now;
      const accepted = new Set<string>();
      let harmed = false;
      for (const each of steps) {
        if (each.do === 'pass' || each.do === 'step') room[each.do](each.ms);
        harmed ||= each.do === 'crash' || each.do === 'step' || each.do === 'fail';
        if (each.do === 'fail' || each.do === 'mend') room.store.isFailing = each.do === 'fail';
        // Nor does the platform have it sleep while its storage fails.
        else if (each.do === 'sleep') room[room.store.isFailing ? 'crash' : 'sleep']();
        else if (each.do === 'crash' || each.do === 'forget') room[each.do]();
        if (each.do !== 'use') continue;
        // Given at moments all over the run, by isolates whose clocks differ, one by minutes; used as often as it is drawn.
        const ahead = each.ticket === 6 ? 300_000 : 0;
        const ticket = { id: String(each.ticket), until: begun + GOOD_FOR + each.ticket * 300 + ahead };
        const was = accepted.has(ticket.id);
        const said = room.use(ticket);
        if (said === 'good') {
          expect(was).toBe(false);
          accepted.add(ticket.id);
        } else if (!harmed) expect(was || ticket.until <= room.now).toBe(true);
      }
    }),
    { numRuns: 2000 },
  );
});
