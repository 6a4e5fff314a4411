import { randomOf } from '../../../local/random.ts';
import type { Change } from '../../../src/data/log.ts';
import { ListReader } from './list-reader.ts';
import { luckOf, newRow } from './list-rows.ts';
import { ListWorld } from './list-world.ts';

export type ListReport = { changes: number; compared: number; exact: number; changed: number };

/**
 * Runs a room with followed lists until so many changes were made: pushes are dropped, doubled and reordered, reads fail and
 * overtake each other, readers with roles that change come and go, the room crashes and sleeps, clients are erased, the
 * database is set back. After every frame each reader compares each list with the truth. @throws Error naming what was wrong
 */
export async function stormLists(seed: number, changes: number): Promise<ListReport> {
  const luck = luckOf(randomOf(seed));
  const world = new ListWorld(luck);
  const { hub } = world;
  const readers = Array.from({ length: 5 }, (_, n) => new ListReader(world, luck, n));
  const report: ListReport = { changes: 0, compared: 0, exact: 0, changed: 0 };
  let pushes: (() => void)[] = [];

  const push = (made: readonly Change[]): void => {
    report.changes += made.length;
    if (luck.chance(0.05)) return;
    const end = hub.head();
    const act = luck.chance(0.1) ? () => hub.hub.published(end, []) : () => hub.hub.published(end, made);
    pushes.push(act);
    if (luck.chance(0.1)) pushes.push(act);
  };
  const write = (): void =>
    push(Array.from({ length: luck.chance(0.7) ? 1 : 1 + luck.number(6) }, () => world.commit()));
  const erase = (): void => {
    const change = world.erase();
    if (change !== null) push([change]);
  };
  const rank = (): void => {
    const { user } = luck.pick(readers);
    const row = { ...newRow(luck, 'user', user), status: luck.chance(0.95) ? 'ACTIVE' : 'ARCHIVED' };
    push([world.write('user', user, row)]);
  };
  const answer = (): void => {
    const asked = luck.pick(hub.asked);
    if (asked === undefined) return;
    hub.see(asked);
    if (luck.chance(0.2)) return;
    hub.asked.splice(hub.asked.indexOf(asked), 1);
    if (luck.chance(0.1)) asked.fail(new Error('down'));
    else if (asked.page !== null) asked.answer(asked.page);
  };
  const count = (): void => {
    const counting = luck.pick(hub.counting);
    if (counting === undefined) return;
    if (luck.chance(0.5)) hub.count(counting);
    if (luck.chance(0.5)) return;
    hub.counting.splice(hub.counting.indexOf(counting), 1);
    hub.count(counting);
    if (luck.chance(0.1)) counting.fail(new Error('down'));
    else if (counting.counts !== null) counting.answer(counting.counts);
  };
  const take = (reader: ListReader): void => {
    if (!reader.isSubscribed || luck.chance(0.1)) reader.subscribe();
  };
  const restore = (to: number): void => {
    const { user } = world.at(hub.log.length);
    world.restore(to);
    pushes = [];
    for (const reader of readers) world.write('user', reader.user, user.get(reader.user) ?? null);
  };
  const actions: [number, () => void][] = [
    [40, write],
    [60, () => pushes.splice(luck.number(Math.min(3, pushes.length)), 1)[0]?.()],
    [30, answer],
    [30, count],
    [20, () => hub.pass(luck.number(150))],
    [20, () => luck.pick(readers).connect()],
    [20, () => take(luck.pick(readers))],
    [0.5, () => luck.pick(readers).disconnect()],
    [1, erase],
    [0.7, rank],
    [0.1, () => hub.crash(luck.chance(0.5) ? 0 : luck.number(10))],
    [1, () => hub.isQuiet() && hub.hibernate()],
    [1, () => hub.pass(3000)],
    [0.05, () => restore(luck.number(hub.log.length))],
  ];
  const whole = actions.reduce((sum, [weight]) => sum + weight, 0);
  for (const reader of readers) world.write('user', reader.user, newRow(luck, 'user', reader.user));
  while (report.changes < changes) {
    let at = luck.number(1e6) * (whole / 1e6);
    const [, act] = actions.find(([weight]) => {
      at -= weight;
      return at < 0;
    }) ?? [0, write];
    act();
    // Answers go on where they were waited for.
    for (let turn = 0; turn < 6; turn += 1) await Promise.resolve();
    if (hub.faults.length > 0) throw new Error(`after ${report.changes} changes: ${hub.faults[0]}`);
    if (hub.log.length > 6000) restore(20);
  }
  for (const { compared, exact, changed } of readers) {
    report.compared += compared;
    report.exact += exact;
    report.changed += changed;
  }
  return report;
}
