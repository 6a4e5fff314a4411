import { afterAll, beforeAll, expect, test } from 'vitest';
import { WebSocket } from 'ws';
import { quantile } from '../../../bench/statistics.ts';
import type { Tenant } from '../../support/api.ts';
import { BadLine } from '../../support/bad-line.ts';
import { newCompany } from '../../support/company.ts';
import { ticketOf, WireListener } from '../../support/listener.ts';
import { until } from '../../support/until.ts';
import { openWorld, type World } from '../../support/world.ts';

// Lines that stall, drip, swallow and break: who reads too slowly is closed, and nobody else notices.

let world: World;
let salon: Tenant;
const lines: BadLine[] = [];
beforeAll(async () => {
  world = await openWorld({ ROOM_MESSAGES_PER_MINUTE: '100000' });
  salon = await newCompany(world);
});
afterAll(async () => {
  for (const line of lines) line.close();
  await world?.close();
});

type Reader = { line: BadLine; listener: WireListener; epoch: string; from: number };

/** One who confirms whatever it is asked to confirm, as soon as it hears of it. */
async function read(resume?: object): Promise<Reader> {
  const line = await BadLine.to(Number(new URL(world.worker.url).port));
  lines.push(line);
  const { url, ticket } = await ticketOf(salon.api);
  const near = new URL(url);
  near.port = String(line.port);
  const listener = new WireListener(new WebSocket(near.href, ['clientsplus.v1', `ticket.${ticket}`]));
  listener.socket.on('message', (data) => {
    const { ack, revision } = JSON.parse(String(data)) as { ack?: boolean; revision: number };
    if (ack === true) listener.say({ type: 'ack', revision });
  });
  const { epoch, revision } = await listener.subscribe(resume === undefined ? {} : { resume });
  return { line, listener, epoch: String(epoch), from: Number(revision) };
}

const headOf = ({ listener }: Reader): number => Number(listener.of('batch_update').at(-1)?.revision ?? 0);

/** Writes so many small changes one after another. @returns how long each took from its call until all of these had it, ms */
async function latencies(readers: readonly Reader[], count: number): Promise<number[]> {
  const taken: number[] = [];
  for (let n = 0; n < count; n += 1) {
    const began = performance.now();
    const { revision } = await salon.api.post('/clients', { firstName: `Small ${n}` });
    await until(`told of ${revision}`, () => readers.every((reader) => headOf(reader) >= revision));
    taken.push(performance.now() - began);
  }
  return taken;
}

test('a slow reader is closed, a stalled and a broken one lose nothing, and others are told as before', async () => {
  const good = [await read(), await read()];
  const [swallowed, dripping, stalled, broken] = [await read(), await read(), await read(), await read()];
  const before = await latencies(good, 40);

  swallowed.line.setRate(0);
  dripping.line.setRate(10);
  stalled.line.setRate(0);
  // More than may be unconfirmed.
  const notes = 'n'.repeat(2000);
  const items = Array.from({ length: 20 }, (_, n) => ({ firstName: `Large ${n}`, notes }));
  for (let n = 0; n < 8; n += 1) await salon.api.post('/clients/bulk', { mode: 'atomic', items });
  const harmed = performance.now();
  const at = headOf(broken);
  broken.line.reset();
  await until('its line is gone', () => broken.listener.code !== null);
  const during: number[] = [];
  while (performance.now() - harmed < 3000) during.push(...(await latencies(good, 1)));
  stalled.line.setRate(null);
  // A reader has ten seconds.
  while (performance.now() - harmed < 12_000) during.push(...(await latencies(good, 1)));

  const back = await read({ epoch: broken.epoch, revision: at });
  swallowed.line.setRate(null);
  dripping.line.setRate(null);
  expect([await swallowed.listener.closed(), await dripping.listener.closed()]).toEqual([4008, 4008]);
  expect(broken.listener.code).toBe(1006);
  const { revision } = await salon.api.post('/clients', { firstName: 'Last' });
  for (const reader of [...good, stalled, back]) await until(`told of ${revision}`, () => headOf(reader) === revision);
  for (const { listener, from } of [...good, stalled, back]) {
    expect(listener.code).toBeNull();
    const told = listener.messages().map((message) => message.revision);
    expect(told).toEqual(Array.from({ length: revision - from }, (_, n) => from + 1 + n));
  }
  const after = await latencies(good, 40);
  const of = (share: number) => [before, during, after].map((taken) => Math.round(quantile(taken, share)));
  const [median, p90] = [of(0.5), of(0.9)];
  console.log(
    `told of a small change within ms, before, beside slow readers and after them: p50 ${median}, p90 ${p90}`,
  );
  // Whoever waited for those who read slowly would wait for seconds.
  const [quiet = 0, beside = 0, later = 0] = median;
  expect(beside).toBeLessThan(3 * Math.max(quiet, later) + 100);
});
