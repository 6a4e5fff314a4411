import { expect } from 'vitest';
import type { Api } from './api.ts';
import { listen, type WireListener } from './listener.ts';
import { type ListNews, Mirror } from './mirror.ts';
import { until } from './until.ts';

/** Lists that a connection may follow at most. */
const MOST = 20;

/** Follows these paths over as many connections as that takes, each loaded after it was subscribed to. */
export class ListFollower {
  readonly #api: Api;
  readonly mirrors = new Map<string, Mirror>();
  readonly listeners: WireListener[] = [];
  readonly #heard = new Map<WireListener, number>();
  readonly #told = new Map<string, number>();

  constructor(own: Api) {
    this.#api = own;
  }

  /** How often something was said of a list. */
  told(path: string): number {
    return this.#told.get(path) ?? 0;
  }

  async close(): Promise<void> {
    await Promise.all(this.listeners.map((listener) => listener.close()));
  }

  /** Comes back to all its lists, over one connection. */
  async resume(position: object): Promise<void> {
    const listener = await listen(this.#api);
    this.listeners.splice(0, this.listeners.length, listener);
    const queries = [...this.mirrors.keys()].map((path) => ({ id: path, path }));
    await listener.subscribe({ topics: ['company'], queries, resume: position });
  }

  async follow(paths: readonly string[]): Promise<void> {
    for (let at = 0; at < paths.length; at += MOST) {
      const some = paths.slice(at, at + MOST);
      const listener = await listen(this.#api);
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
        for (const news of (frame.lists ?? []) as ListNews[]) {
          this.mirrors.get(news.id)?.apply(news);
          this.#told.set(news.id, this.told(news.id) + 1);
        }
      this.#heard.set(listener, frames.length);
    }
  }

  /** Whether each list of these paths is what GET answers. */
  async check(paths: Iterable<string>, revision: number): Promise<void> {
    for (const path of paths) {
      const mirror = this.mirrors.get(path);
      if (mirror === undefined) continue;
      if (mirror.isStale) await this.#load(mirror, revision);
      const answer = await this.#api.get(path, { headers: { 'Min-Revision': String(revision) } });
      expect(mirror.text(), path).toBe(JSON.stringify(answer.json.data));
    }
  }

  async #load(mirror: Mirror, min: number): Promise<void> {
    const answer = await this.#api.get(mirror.path, { headers: { 'Min-Revision': String(min) } });
    mirror.load(answer.json.data as never, answer.revision);
  }
}
