import fc from 'fast-check';
import { expect, test } from 'vitest';
import { type TicketStore, UsedTickets } from '../../../src/realtime/used-tickets.ts';

type Used = { id: string; until: number };

/** A room's storage, which outlives the object. */
class MemoryTickets implements TicketStore {
  writes = 0;
  #used: Used[] = [];
  #doubtful = 0;

  read() {
    return { used: this.#used, doubtful: this.#doubtful };
  }
  doubt(until: number): void {
    this.writes += 1;
    this.#doubtful = until;
  }
  keep(used: readonly Used[], doubtful: number): void {
    this.writes += 1;
    this.#used = [...this.#used, ...used];
    this.#doubtful = doubtful;
  }
  forget(now: number): void {
    this.#used = this.#used.filter(({ until }) => until >= now);
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
    this.#tickets.forget(this.now);
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

const step = fc.oneof(
  { weight: 6, arbitrary: fc.record({ do: fc.constant('use' as const), ticket: fc.nat(5) }) },
  { weight: 3, arbitrary: fc.record({ do: fc.constant('pass' as const), ms: fc.nat(3000) }) },
  fc.record({ do: fc.constantFrom('crash', 'sleep', 'forget' as const) }),
);

test('no ticket is good twice, whatever becomes of the room, and without a crash none is refused that was not used', () => {
  fc.assert(
    fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
      const room = new Room();
      const begun = room.now;
      const accepted = new Set<string>();
      let crashed = false;
      for (const each of steps) {
        if (each.do === 'pass') room.pass(each.ms);
        else if (each.do === 'crash') crashed = true;
        if (each.do === 'crash' || each.do === 'sleep' || each.do === 'forget') room[each.do]();
        if (each.do !== 'use') continue;
        // Given at moments all over the run, by isolates whose clocks differ; used as often as it is drawn.
        const ticket = { id: String(each.ticket), until: begun + GOOD_FOR + each.ticket * 300 };
        const was = accepted.has(ticket.id);
        const said = room.use(ticket);
        if (said === 'good') {
          expect(was).toBe(false);
          accepted.add(ticket.id);
        } else if (!crashed) expect(was || ticket.until <= room.now).toBe(true);
      }
    }),
    { numRuns: 2000 },
  );
});
