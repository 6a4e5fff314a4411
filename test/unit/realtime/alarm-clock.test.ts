import fc from 'fast-check';
import { expect, test } from 'vitest';
import { AlarmClock } from '../../../src/realtime/alarm-clock.ts';

/** The platform's one alarm, which takes its time and may fail. */
class Platform {
  alarm: number | null = null;
  isFailing = false;
  #waiting: (() => void)[] = [];

  async getAlarm(): Promise<number | null> {
    const { alarm } = this;
    await this.#turn();
    return alarm;
  }
  async setAlarm(at: number | Date): Promise<void> {
    const { isFailing } = this;
    if (!isFailing) this.alarm = Number(at);
    await this.#turn();
    if (isFailing) throw new Error('a storage that fails');
  }
  #turn(): Promise<void> {
    return new Promise((done) => this.#waiting.push(done));
  }
  /** Answers one of those who wait. */
  answer(which: number): void {
    const [done] = this.#waiting.splice(which % Math.max(1, this.#waiting.length), 1);
    done?.();
  }
  async answerAll(settled: () => Promise<void>): Promise<void> {
    for (; this.#waiting.length > 0; await settled()) for (const done of this.#waiting.splice(0)) done();
  }
}

const step = fc.oneof(
  { weight: 3, arbitrary: fc.record({ do: fc.constant('ring by' as const), at: fc.nat(100) }) },
  { weight: 6, arbitrary: fc.record({ do: fc.constant('answer' as const), which: fc.nat(9) }) },
  fc.record({ do: fc.constantFrom('ring', 'break', 'mend' as const) }),
);

/** Whatever follows from what was answered has happened. */
const settled = (): Promise<void> => new Promise((done) => setImmediate(done));

test('whatever is under way, an alarm is set for the earliest of those who were told that it is', async () => {
  const soon = Date.now() + 60_000;
  await fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 40 }), async (steps) => {
      const platform = new Platform();
      const clock = new AlarmClock(platform);
      /** When somebody was promised that it rings. */
      let promised: number[] = [];
      let rung = 0;
      const expectSet = (): void => {
        if (promised.length > 0)
          expect(platform.alarm ?? Number.POSITIVE_INFINITY).toBeLessThanOrEqual(Math.min(...promised));
      };
      for (const each of steps) {
        if (each.do === 'break' || each.do === 'mend') platform.isFailing = each.do === 'break';
        else if (each.do === 'answer') platform.answer(each.which);
        else if (each.do === 'ring by') {
          const at = soon + each.at;
          const asked = rung;
          void clock.ringBy(at).then(
            // What rang meanwhile rang for them.
            () => asked === rung && promised.push(at),
            () => undefined,
          );
        } else if (platform.alarm !== null) {
          // The platform's rings at its time, and whoever asked hears of it.
          [platform.alarm, promised, rung] = [null, [], rung + 1];
          clock.rings();
        }
        await settled();
        expectSet();
      }
      await platform.answerAll(settled);
      expectSet();
    }),
    { numRuns: 1000 },
  );
});
