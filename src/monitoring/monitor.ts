import { DurableObject } from 'cloudflare:workers';
import { addTo, newCounts } from '../core/counts.ts';
import { type Ctx, makeCtx } from '../data/ctx.ts';
import type { AlertParts, MonitorApi, Point, Sight, Slot } from '../data/monitor.ts';
import type { Env } from '../env.ts';
import type { Settings } from '../settings.ts';
import { AlertDesk } from './alert-desk.ts';
import { CountStore, floor, type Step, stepFor } from './count-store.ts';
import { type Figures, figuresOf } from './figures.ts';
import { Listeners } from './listeners.ts';

const MINUTE = 60_000;
/** How long what came may wait to be written, ms: less than until an object that nobody calls is put away. */
const WRITTEN_WITHIN = 3000;

/** Behind a whole minute the alarm rings so much later, ms: until then isolates tell what they counted in it. */
const BEHIND = 15_000;

export type MonitorParts = { settings: Settings; alerts(ctx: Ctx): AlertParts };

/**
 * One per deployment: adds up what the isolates count, keeps it by ten seconds, minutes and hours, and tells what it came to. It is
 * on nobody's way: whoever cannot reach it loses counts, and nothing else.
 */
export abstract class MetricsMonitor extends DurableObject<Env> implements MonitorApi {
  /** Injected: rules, and who hears of them, are known to contexts only. */
  protected abstract parts(env: Env): MonitorParts;

  readonly #store: CountStore;
  readonly #listeners: Listeners;
  #isWriting = false;

  constructor(state: DurableObjectState, env: Env) {
    super(state, env);
    this.#store = new CountStore(state.storage.sql);
    this.#listeners = new Listeners(state.storage.sql);
  }

  /** The clock; tests set it forward. */
  protected now(): number {
    return Date.now();
  }

  async report(slots: readonly Slot[]): Promise<void> {
    this.#store.add(slots, this.now());
    if (!this.#isWriting && !this.#store.isWritten) {
      this.#isWriting = true;
      setTimeout(() => {
        this.#isWriting = false;
        this.#store.write();
      }, WRITTEN_WITHIN);
    }
    await this.#ring();
  }

  async look(span: number, slots: readonly Slot[]): Promise<Sight> {
    await this.report(slots);
    const now = this.now();
    const step = stepFor(span, span);
    // What began to be counted later than the window says less of it.
    const first = Math.max(floor(now - span, step) + step, this.#store.since(step) ?? floor(now, step));
    return this.#sight(step, first, now);
  }

  async totals(slots: readonly Slot[]): Promise<Sight> {
    await this.report(slots);
    const now = this.now();
    const sight = this.#sight(0, 0, now);
    return { ...sight, from: this.#store.since(3_600_000) ?? now };
  }

  async history(from: number, to: number, step: number): Promise<Point[]> {
    const own = step < 3_600_000 ? MINUTE : 3_600_000;
    const points = new Map<number, Point>();
    for (const { at, counts } of this.#store.points(own, from, to)) {
      const begins = floor(at - from, step) + from;
      const known = points.get(begins);
      if (known === undefined) points.set(begins, { at: begins, counts });
      else addTo(known.counts, counts);
    }
    return [...points.values()];
  }

  async listening(room: string, sockets: number): Promise<void> {
    this.#listeners.told(room, sockets, this.now());
    await this.#ring();
  }

  async tend(): Promise<void> {
    await this.#ring();
  }

  override async alarm(): Promise<void> {
    const now = this.now();
    // First: whatever becomes of this minute, another one comes.
    await this.ctx.storage.setAlarm(nextMinute());
    this.#listeners.forget(now);
    this.#store.sample(this.#listeners.count(now).sockets, now);
    this.#store.write();
    this.#store.forget(now);
    await this.#judge(floor(now, MINUTE) - MINUTE);
  }

  /** Looks at the alerts by this minute. */
  async #judge(minute: number): Promise<void> {
    const { settings, alerts } = this.parts(this.env);
    const ctx = makeCtx(`monitor_${crypto.randomUUID()}`, (work) => this.ctx.waitUntil(work));
    const minutes = new Map<number, Figures | null>();
    const figuresOfMinute = (at: number): Figures | null => {
      const counts = this.#store.points(MINUTE, at, at + 1)[0]?.counts;
      return counts === undefined ? null : figuresOf(counts, MINUTE, settings.databaseMetrics);
    };
    const figureAt = (at: number, metric: string): number | null => {
      if (!minutes.has(at)) minutes.set(at, figuresOfMinute(at));
      return minutes.get(at)?.[metric as keyof Figures] ?? null;
    };
    await new AlertDesk(this.ctx.storage.sql, alerts(ctx)).minute(minute, figureAt);
  }

  #sight(step: Step, from: number, until: number): Sight {
    const counts = newCounts();
    for (const point of this.#store.points(step, from, until + MINUTE)) addTo(counts, point.counts);
    const slow = step === 0 ? [] : this.#store.slowest(from, until);
    return { from, until, counts, slow, ...this.#listeners.count(until) };
  }

  async #ring(): Promise<void> {
    if ((await this.ctx.storage.getAlarm()) === null) await this.ctx.storage.setAlarm(nextMinute());
  }
}

/** By the platform's own clock, which is what rings. */
const nextMinute = (): number => floor(Date.now() - BEHIND, MINUTE) + MINUTE + BEHIND;
