import fc from 'fast-check';
import { expect } from 'vitest';
import { ApiClient, type api } from '../../src/index.ts';
import { memoryStorage, openLive } from '../../src/live.ts';
import { FakeHost, json, settled, signedIn } from './fake-host.ts';
import { type Fate, ModelRoom } from './model-room.ts';

// Whatever the way to the server does, a list ends as the server's, and each change is told once and in order.

const fates = fc.constantFrom<Fate>('told', 'told', 'told', 'lost', 'twice', 'late', 'held');
const names = fc.option(fc.constantFrom('a', 'b', 'c', 'd', 'e', 'f'), { freq: 3 });
export const step = fc.oneof(
  { weight: 10, arbitrary: fc.record({ do: fc.constant('write'), id: fc.nat(6), name: names, fate: fates }) },
  {
    weight: 4,
    arbitrary: fc.record({ do: fc.constant('mine'), id: fc.nat(6), name: names, fate: fates, isRefused: fc.boolean() }),
  },
  { weight: 4, arbitrary: fc.record({ do: fc.constant('answer') }) },
  { weight: 3, arbitrary: fc.record({ do: fc.constant('attend') }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('pass'), ms: fc.constantFrom(100, 1000, 5000, 31_000) }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('cut'), code: fc.constantFrom(1006, 1012, 4003, 4008) }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('restore'), revisions: fc.nat(4) }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('reload') }) },
);
export type Step = typeof step extends fc.Arbitrary<infer S> ? S : never;

const draft = { firstName: 'draft' } as api.Client;

/** @throws what differs in the end */
export async function run(steps: readonly Step[], takesQueries: boolean, lag: number): Promise<void> {
  const host = new FakeHost();
  const model = new ModelRoom(host, takesQueries);
  const storage = memoryStorage();
  let pairs = 0;
  host.answer = (request) => {
    if (request.url.includes('/auth/')) return json(signedIn(++pairs, 1_000_000));
    if (request.url.endsWith('/realtime/tickets')) return json({ url: 'ws://x', ticket: 't' }, { status: 201 });
    return model.get(request, lag);
  };
  const client = new ApiClient({ url: 'http://api.test', host });
  await client.signIn({ email: 'a@example.com', password: 'x' });
  const told: string[] = [];
  const open = () => {
    const live = openLive(client, { storage });
    const list = live.list('/clients?sort=firstName&limit=3');
    return { live, list };
  };
  let { live, list } = open();
  const listened = new Set<unknown>();
  const listen = (): void => {
    if (live.stream === null || listened.has(live.stream)) return;
    listened.add(live.stream);
    live.stream.on('message', ({ id }) => told.push(id));
  };
  for (const taken of steps) {
    if (taken.do === 'write') model.write(`${taken.id}`, taken.name, taken.fate);
    else if (taken.do === 'mine') {
      const { id, name, fate, isRefused } = taken;
      const write = async () => {
        if (isRefused) throw new Error('refused');
        model.write(`${id}`, name, fate);
        client.saw(model.head);
        return { status: 200, body: null, revision: model.head, headers: new Headers() };
      };
      list.optimistic((rows) => [...rows, { ...draft, id: `draft-${id}` }], write).catch(() => undefined);
    } else if (taken.do === 'answer') model.answer();
    else if (taken.do === 'attend') model.attend();
    else if (taken.do === 'pass') await host.pass(taken.ms);
    else if (taken.do === 'cut') model.cut(taken.code);
    else if (taken.do === 'restore') model.restore(taken.revisions);
    else {
      live.close();
      told.length = 0;
      ({ live, list } = open());
    }
    await settled();
    listen();
  }
  // The way is well again. A change that everybody hears of shows what is missing before it.
  const round = async (): Promise<void> => {
    for (let n = 0; n < 3; n += 1) {
      model.attend();
      await settled();
      model.answer();
      await settled();
    }
  };
  for (let second = 0; second < 45; second += 1) {
    await round();
    await host.pass(1000);
  }
  await round();
  model.write('last', 'a', 'told');
  for (let n = 0; n < 3; n += 1) await round();
  const shown = list.getSnapshot();
  live.close();
  expect(shown).toEqual({ data: model.page(), status: 'live', error: null });
  // Of each history a run of its log without a gap, a repeat or a turn back.
  const byEpoch = Map.groupBy(told, (id) => id.split('/')[0]);
  for (const ids of byEpoch.values()) {
    const numbers = ids.map((id) => Number(id.split('/')[1]));
    expect(numbers).toEqual(numbers.map((_, n) => (numbers[0] ?? 0) + n));
  }
}
