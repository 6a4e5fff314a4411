import { afterAll, describe, expect, test } from 'vitest';
import { openCompany } from '../../support/company.ts';
import { listen, type WireListener } from '../../support/listener.ts';
import { type ListNews, Mirror } from '../../support/mirror.ts';
import { aim, cached, fire, makeEach, mutations, pathTo, queriesOf, takesId } from '../../support/routes.ts';
import { sharedWorld } from '../../support/shared.ts';
import { until } from '../../support/until.ts';

// Live lists of every resource, as a client sees them that knows nothing but the contract.

const world = await sharedWorld();
const salon = await openCompany(world);
const { api } = salon;
const objects = await makeEach(api);

/** Lists that a connection may follow at most. */
const MOST = 20;

/** Follows these paths over as many connections as that takes, each loaded after it was subscribed to. */
class Follower {
  readonly mirrors = new Map<string, Mirror>();
  readonly listeners: WireListener[] = [];
  #heard = new Map<WireListener, number>();

  async follow(paths: readonly string[]): Promise<void> {
    for (let at = 0; at < paths.length; at += MOST) {
      const some = paths.slice(at, at + MOST);
      const listener = await listen(api);
      this.listeners.push(listener);
      await listener.subscribe({ topics: ['company'], queries: some.map((path) => ({ id: path, path })) });
      for (const path of some) this.mirrors.set(path, new Mirror(path));
    }
    for (const mirror of this.mirrors.values()) await this.#load(mirror, 0);
  }

  /** Waits until every connection has been sent this revision, and does what the frames say. */
  async reach(revision: number): Promise<void> {
    for (const listener of this.listeners) {
      await until(
        `frames up to ${revision}`,
        () => Number(listener.of('batch_update').at(-1)?.revision ?? 0) >= revision,
      );
      const frames = listener.of('batch_update');
      for (const frame of frames.slice(this.#heard.get(listener) ?? 0))
        for (const news of (frame.lists ?? []) as ListNews[]) this.mirrors.get(news.id)?.apply(news);
      this.#heard.set(listener, frames.length);
    }
  }

  /** Whether each list of these paths is what GET answers. */
  async check(paths: Iterable<string>, revision: number): Promise<void> {
    for (const path of paths) {
      const mirror = this.mirrors.get(path);
      if (mirror === undefined) continue;
      if (mirror.isStale) await this.#load(mirror, revision);
      const answer = await api.get(path, { headers: { 'Min-Revision': String(revision) } });
      expect(mirror.text(), path).toBe(JSON.stringify(answer.json.data));
    }
  }

  async #load(mirror: Mirror, min: number): Promise<void> {
    const answer = await api.get(mirror.path, { headers: { 'Min-Revision': String(min) } });
    mirror.load(answer.json.data as never, answer.revision);
  }
}

/** What the clock changes, and what is no first page, is refused. */
const isFollowed = (path: string): boolean => !/overdue=|page=/.test(path);
const paths = cached
  .filter(({ spec }) => spec.live !== undefined)
  .flatMap((route) => {
    const path = takesId(route) ? pathTo(route, objects[route.topic] ?? '') : route.spec.path;
    return ['', ...queriesOf(route)].map((query) => path + query);
  })
  .filter(isFollowed);

describe('every list, followed', async () => {
  const follower = new Follower();
  await follower.follow(paths);
  afterAll(() => Promise.all(follower.listeners.map((listener) => listener.close())));

  test.each(mutations.map((route) => [route.name, route] as const))(
    'is what GET answers after %s',
    async (_, route) => {
      const shot = await aim(route, salon);
      const written = await fire(api, shot);
      expect(written.status, written.text).toBe(route.spec.success.status);
      const { head } = (await api.get(`/events?after=${written.revision}`)).json as { head: number };
      await follower.reach(head);
      await follower.check(
        paths.filter((path) => !path.includes('?') || path.startsWith(`/${route.topic}`)),
        head,
      );
    },
  );
});
