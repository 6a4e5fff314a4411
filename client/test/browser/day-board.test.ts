import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Browser } from 'puppeteer-core';
import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest';
import { serveDayBoard } from '../../../examples/day-board/serve.ts';
import { freePort } from '../../../local/ports.ts';
import { until } from '../../../test/support/until.ts';
import { type RunningWorker, startWorker } from '../../../test/support/worker.ts';
import { openStack, type Stack } from '../../../test/support/world.ts';
import type { ApiClient } from '../../src/index.ts';
import { buildClient } from '../../tools/build.ts';
import { Board } from '../support/board.ts';
import { chromium, openBrowser, openWindow } from '../support/chromium.ts';
import { PASSWORD, signUp } from '../support/sign-up.ts';

const DATE = '2027-03-08';
const SHOTS = '.cache/browser';

// The example with the published client, in Chromium: two windows on one day, through whatever happens to the server.
describe.skipIf(chromium === null)("two windows on a branch's day", () => {
  let stack: Stack;
  let worker: RunningWorker;
  let browser: Browser;
  let client: ApiClient;
  let one: Board;
  let other: Board;
  let folder: string;
  let page: string;
  const errors: string[] = [];
  const stops: (() => unknown)[] = [];
  let start: () => Promise<RunningWorker>;

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'clientsplus-browser-'));
    await mkdir(SHOTS, { recursive: true });
    stack = await openStack();
    const port = await freePort();
    start = () => startWorker({ bundle: inject('bundle'), vars: stack.vars, port, persist: join(folder, 'rooms') });
    [worker] = await Promise.all([start(), buildClient(join(folder, 'client'), false)]);
    const server = await serveDayBoard(0, join(folder, 'client'));
    stops.push(() => server.close());
    const { port: at } = server.address() as { port: number };
    page = `http://127.0.0.1:${at}/?api=${worker.url}&date=${DATE}`;
    const made = await signUp(worker.url);
    client = made.client;
    const branch = await client.post('/branches', { body: { name: 'Mitte', timeZone: 'Europe/Vienna' } });
    const service = { durationMinutes: 45, price: { amount: 4800, currency: 'EUR' } };
    const ids = [];
    for (const name of ['Cut', 'Colour']) ids.push((await client.post('/services', { body: { ...service, name } })).id);
    for (const firstName of ['Mia', 'Noor'])
      await client.post('/staff', { body: { firstName, branchIds: [branch.id], serviceIds: ids } });
    // Offers all, but works nowhere.
    await client.post('/staff', { body: { firstName: 'Aaron', serviceIds: ids } });
    browser = await openBrowser();
    one = new Board(await openWindow(browser, errors));
    other = new Board(await openWindow(browser, errors));
    for (const window of [one, other]) await window.signIn(page, made.email, PASSWORD);
  }, 120_000);

  afterAll(async () => {
    await browser?.close();
    await worker?.stop();
    await stack?.close();
    for (const stop of stops) await stop();
    await rm(folder, { recursive: true, force: true });
  }, 60_000);

  const stored = async (): Promise<string[]> =>
    (
      await stack.sql<{
        text: string;
      }>(`select to_char(a.local_start, 'HH24:MI') || ' ' || (a.services->0->>'name') || ' ' || s.name
        || ' ' || a.status as text from appointments a join staff s on s.id = a.staff_id order by a.starts_at`)
    ).map(({ text }) => text);
  test('what is booked in one is seen in the other, and a taken time is refused', async () => {
    await one.book('10:00', 'Cut', 'Mia');
    await other.seen(['10:00 Cut Mia CONFIRMED']);
    await other.book('09:00', 'Colour', 'Noor');
    const both = ['09:00 Colour Noor CONFIRMED', '10:00 Cut Mia CONFIRMED'];
    await one.seen(both);
    await one.book('10:15', 'Cut', 'Mia');
    expect(await one.refused()).toMatch(/booked.* Free: [0-9]{2}:[0-9]{2}, /);
    expect(
      await one.page.evaluate(`[...document.querySelectorAll('[name=staff] option')].map(({ text }) => text).sort()`),
    ).toEqual(['Mia', 'Noor']);
    await one.seen(both);
  });

  test('it fits a desk and a phone, in light and in dark', async () => {
    for (const value of ['light', 'dark']) {
      await one.page.emulateMediaFeatures([{ name: 'prefers-color-scheme', value }]);
      for (const [name, width, height] of [
        ['desktop', 1280, 800],
        ['phone', 390, 844],
      ] as const) {
        await one.page.setViewport({ width, height });
        await one.page.screenshot({ path: `${SHOTS}/${name}-${value}.png` });
        const isWide = await one.page.evaluate('document.documentElement.scrollWidth > innerWidth');
        expect(isWide, `${name} scrolls sideways`).toBe(false);
      }
    }
  });

  test('the server is killed and started meanwhile: both go on, and end as Postgres', async () => {
    await worker.stop();
    await Promise.all([one.shows('cached'), other.shows('cached')]);
    worker = await start();
    await Promise.all([one.shows('live'), other.shows('live')]);
    await other.book('11:00', 'Cut', 'Noor');
    await one.seen(['09:00 Colour Noor CONFIRMED', '10:00 Cut Mia CONFIRMED', '11:00 Cut Noor CONFIRMED']);
    const { data } = await client.get('/appointments', { query: { sort: 'startsAt' } });
    await client.post('/appointments/{id}/status', { path: { id: data[1]?.id ?? '' }, body: { status: 'CHECKED_IN' } });
    const after = await stored();
    expect(after[1]).toBe('10:00 Cut Mia CHECKED_IN');
    await Promise.all([one.seen(after), other.seen(after)]);
  });

  test('without a network the page paints at once what it knew, and books nothing', async () => {
    const known = await stored();
    await one.page.evaluate('navigator.serviceWorker.ready.then(() => undefined)');
    await until('the last change is kept', async () => (await one.kept()).join().includes('CHECKED_IN'));
    await one.page.setOfflineMode(true);
    await one.page.reload();
    await one.seen(known);
    await one.shows('cached');
    const painted = await one.page.evaluate(`performance.getEntriesByName('first-contentful-paint')[0]?.startTime`);
    console.log(`painted offline after ${Math.round(Number(painted))} ms`);
    await one.book('15:00', 'Cut', 'Mia');
    expect(await one.refused()).toContain('no network');
    await one.seen(known);
    await one.page.screenshot({ path: `${SHOTS}/offline.png` });
    await one.page.setOfflineMode(false);
    await one.shows('live');
    await other.book('16:00', 'Colour', 'Mia');
    await one.seen([...known, '16:00 Colour Mia CONFIRMED']);
    expect(await stored()).toEqual(await one.rows());
    expect(errors).toEqual([]);
  });

  test('who signs out leaves nothing behind', async () => {
    await one.page.click('#sign-out');
    await one.page.waitForSelector('#sign-in:not([hidden])');
    await until('nothing is kept', async () => (await one.kept()).length === 0);
    expect(await one.page.evaluate('localStorage.length')).toBe(0);
  });
});
