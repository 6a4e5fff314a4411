import { randomOf } from '../../../local/random.ts';
import { ROLES, TOPICS } from './hub-cast.ts';
import { Reader } from './hub-readers.ts';
import { HubWorld } from './hub-world.ts';

export type StormReport = { delivered: number; commits: number; crashes: number; hibernations: number; resets: number };

/**
 * Runs a room for so many random steps: pushes are dropped, doubled, delayed and reordered, reads of the log hang, fail and
 * overtake each other, clients come and go, the room crashes, forgets and sleeps, the database is set back. Readers check
 * every frame. In the end everybody is where the log is.
 * @param isTorn whether the ring's storage fails now and then, too
 * @throws Error naming what was wrong
 */
export async function stormHub(seed: number, steps: number, isTorn = false): Promise<StormReport> {
  const random = randomOf(seed);
  const chance = (p: number): boolean => random() < p;
  const pick = <T>(of: readonly T[]): T => of[Math.floor(random() * of.length)] as T;
  const world = new HubWorld(1e9);
  const readers = Array.from({ length: 6 }, (_, n) => new Reader(world, `r${n}`, pick(ROLES)));
  /** Pushes on their way: those of an earlier history may still arrive. */
  const pushes: (() => void)[] = [];
  const report: StormReport = { delivered: 0, commits: 0, crashes: 0, hibernations: 0, resets: 0 };

  const write = (): void => {
    report.commits += 1;
    const changes = Array.from({ length: chance(0.8) ? 1 : 1 + Math.floor(random() * 70) }, () =>
      world.commit(pick(TOPICS), chance(0.002)),
    );
    const end = world.head();
    const push = chance(0.1) ? () => world.published(end, []) : () => world.published(end, changes);
    if (chance(0.3)) return;
    pushes.push(push);
    if (chance(0.2)) pushes.push(push);
  };
  const answer = (): void => {
    const asked = pick(world.asked);
    if (asked === undefined) return;
    if (chance(0.3)) world.see(asked);
    if (chance(0.4)) return;
    world.asked.splice(world.asked.indexOf(asked), 1);
    if (chance(0.2)) {
      asked.fail(new Error('down'));
      return;
    }
    world.see(asked);
    if (asked.page !== null) asked.answer(asked.page);
  };
  const crash = (): void => {
    world.crash(chance(0.5) ? 0 : Math.floor(random() * 20));
    report.crashes += 1;
  };
  const sleep = async (): Promise<void> => {
    // What was answered is dealt with before a room can sleep.
    await turns(MOST_TURNS);
    if (!world.isQuiet()) return;
    world.hibernate();
    report.hibernations += 1;
  };
  const someTopics = (): readonly string[] | null => {
    const some = TOPICS.filter(() => chance(0.6));
    return some.length === 0 ? null : some;
  };
  const tear = (): void => {
    world.isRingTorn = true;
  };
  const tears: [number, () => void][] = isTorn ? [[0.3, tear]] : [];
  const actions: [number, () => void | Promise<void>][] = [
    [30, write],
    [25, () => pushes.splice(Math.floor(random() * pushes.length), 1)[0]?.()],
    [25, answer],
    [20, () => world.pass(Math.floor(random() * 120))],
    [6, () => pick(readers).connect()],
    [8, () => pick(readers).subscribe(chance(0.5) ? null : someTopics())],
    [2, () => pick(readers).disconnect()],
    [0.3, crash],
    ...tears,
    [1, sleep],
    [0.1, () => world.restore(Math.floor(random() * world.log.length))],
  ];
  const whole = actions.reduce((sum, [weight]) => sum + weight, 0);
  for (let step = 0; step < steps; step += 1) {
    let at = random() * whole;
    for (const [weight, act] of actions) {
      at -= weight;
      if (at >= 0) continue;
      await act();
      break;
    }
    // Answers go on where they were waited for.
    await turns(Math.floor(random() * MOST_TURNS));
    if (world.faults.length > 0) throw new Error(`step ${step}: ${world.faults[0]}`);
    if (world.log.length > 5000) world.restore(20);
  }
  await settle(world, readers);
  if (world.faults.length > 0) throw new Error(world.faults[0]);
  for (const reader of readers) {
    report.delivered += reader.delivered;
    report.resets += reader.resets;
  }
  return report;
}

/** As many turns of what is waited for as the longest way from an answer to what it does takes. */
const MOST_TURNS = 12;
async function turns(count: number): Promise<void> {
  for (let turn = 0; turn < count; turn += 1) await Promise.resolve();
}

/** Nothing fails any more: everybody comes back, and gets to where the log is. */
async function settle(world: HubWorld, readers: readonly Reader[]): Promise<void> {
  for (let round = 0; round < 2000; round += 1) {
    // What the relay does for whatever was committed without having been announced.
    if (round % 10 === 0) world.published(world.head(), []);
    for (const reader of readers) {
      reader.connect();
      if (!reader.isSubscribed && round % 5 === 0) reader.subscribe(null);
    }
    for (const asked of world.asked.splice(0)) {
      world.see(asked);
      if (asked.page !== null) asked.answer(asked.page);
    }
    world.pass(100);
    for (let turn = 0; turn < 8; turn += 1) await Promise.resolve();
    const head = world.head();
    const there = readers.every(({ isSubscribed, position }) => {
      return isSubscribed && position?.epoch === head.epoch && position.revision === head.revision;
    });
    if (there) return;
  }
  const where = readers.map(({ isSubscribed, position }) => `${isSubscribed} ${JSON.stringify(position)}`);
  throw new Error(`not everybody gets to ${JSON.stringify(world.head())}: ${where.join('; ')}`);
}
