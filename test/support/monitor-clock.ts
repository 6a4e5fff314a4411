import worker, { CompanyRoom, Dispatcher, Jobs, Monitor as Real, RedisWatch } from '../../src/index.ts';

// Stands before the bundle in workerd: the monitor as it is deployed, with minutes that pass when a test says so.

export { CompanyRoom, Dispatcher, Jobs, RedisWatch };

const PASSING = '/a-minute-passes';

export class Monitor extends Real {
  #ahead = 0;

  protected override now(): number {
    return Date.now() + this.#ahead;
  }

  override async report(...[slots]: Parameters<Real['report']>): Promise<void> {
    await super.report(slots.map((slot) => ({ ...slot, at: slot.at + this.#ahead })));
  }

  /** Only when a test says so. */
  override async alarm(): Promise<void> {
    await Promise.resolve();
  }

  async pass(minutes: number): Promise<void> {
    this.#ahead += minutes * 60_000;
    await super.alarm();
  }
}

export default {
  ...worker,
  async fetch(request, env, context) {
    const { pathname } = new URL(request.url);
    if (!pathname.startsWith(PASSING)) return worker.fetch(request, env, context);
    const monitor = env.MONITOR.get(env.MONITOR.idFromName('monitor')) as unknown as Monitor;
    await monitor.pass(Number(await request.text()));
    return new Response(null, { status: 204 });
  },
} satisfies typeof worker;
