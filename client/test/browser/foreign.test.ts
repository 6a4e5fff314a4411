import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { build } from 'esbuild';
import type { Browser, Page } from 'puppeteer-core';
import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest';
import { freePort } from '../../../local/ports.ts';
import { until } from '../../../test/support/until.ts';
import { type RunningWorker, startWorker } from '../../../test/support/worker.ts';
import { openStack, type Stack } from '../../../test/support/world.ts';
import type { ApiClient } from '../../src/index.ts';
import { chromium, openBrowser, openWindow } from '../support/chromium.ts';
import { signUp } from '../support/sign-up.ts';

/** A page's own reading of the contract over a socket that somebody else keeps: what it heard, in `window.heard`. */
const PAGE = `
  window.follow = (name, token, api) => {
    const state = { revisions: [], at: null, opened: 0 };
    (window.heard ??= {})[name] = state;
    const ticket = async () => {
      const answer = await fetch(api + '/api/v1/realtime/tickets', { method: 'POST', headers: { Authorization: 'Bearer ' + token } });
      const { url, ticket } = await answer.json();
      return url + '?ticket=' + ticket;
    };
    // reconnecting-websocket stays away for good when what it asks for its address fails.
    const patient = () => ticket().catch(() => new Promise((done) => setTimeout(done, 200)).then(patient));
    const options = { minReconnectionDelay: 100, maxReconnectionDelay: 1000 };
    const Socket = { partysocket: PartySocket, 'reconnecting-websocket': ReconnectingWebSocket }[name];
    const socket = new Socket(patient, ['clientsplus.v1'], options);
    socket.addEventListener('message', ({ data }) => {
      const frame = JSON.parse(data);
      if (frame.type === 'welcome') {
        state.opened += 1;
        const resume = state.at === null ? {} : { resume: state.at };
        socket.send(JSON.stringify({ type: 'subscribe', id: state.opened, companyId: frame.companyId, topics: ['clients'], ...resume }));
      }
      if (frame.type === 'subscribed' && state.at === null) state.at = { epoch: frame.epoch, revision: frame.revision };
      if (frame.type !== 'batch_update' || frame.revision <= state.at.revision) return;
      state.revisions.push(...frame.messages.map(({ revision }) => revision).filter((revision) => revision > state.at.revision));
      state.at.revision = frame.revision;
    });
  };`;

type Heard = { revisions: number[]; at: { revision: number } | null; opened: number };

// Clients that nobody here wrote, in Chromium, hold a session through a restart of the server.
describe.skipIf(chromium === null).each(['partysocket', 'reconnecting-websocket'])('%s', (name) => {
  let stack: Stack;
  let worker: RunningWorker;
  let browser: Browser;
  let page: Page;
  let client: ApiClient;
  let folder: string;
  let start: () => Promise<RunningWorker>;

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'clientsplus-foreign-'));
    stack = await openStack();
    const port = await freePort();
    start = () => startWorker({ bundle: inject('bundle'), vars: stack.vars, port, persist: join(folder, 'rooms') });
    worker = await start();
    client = (await signUp(worker.url)).client;
    const contents = `import PartySocket from 'partysocket/ws'; import ReconnectingWebSocket from 'reconnecting-websocket';${PAGE}`;
    const stdin = { contents, resolveDir: '.' };
    const { outputFiles } = await build({ stdin, bundle: true, format: 'iife', platform: 'browser', write: false });
    browser = await openBrowser();
    page = await openWindow(browser, []);
    // Some page of this origin, where nothing forbids a script of ours.
    await page.setBypassCSP(true);
    await page.goto(`${worker.url}/api/v1/health/live`);
    await page.evaluate(outputFiles[0]?.text ?? '');
  });

  afterAll(async () => {
    await browser?.close();
    await worker?.stop();
    await stack?.close();
    await rm(folder, { recursive: true, force: true });
  });

  const heard = () => page.evaluate(`window.heard['${name}']`) as Promise<Heard>;
  const add = async (firstName: string) => (await client.request('post', '/clients', { body: { firstName } })).revision;

  test('hears each change once through a restart, and ends where Postgres is', async () => {
    const token = client.session.current?.accessToken;
    await page.evaluate(`window.follow('${name}', '${token}', '${worker.url}')`);
    await until('it listens', async () => (await heard()).at !== null);
    const written = [await add('Ada'), await add('Bea')];
    await until('both', async () => (await heard()).revisions.length === 2);
    await worker.stop();
    worker = await start();
    written.push(await add('Cleo'));
    await until('it is back', async () => (await heard()).opened === 2, 60_000);
    written.push(await add('Dora'));
    await until('all four', async () => (await heard()).revisions.length === 4);
    const stored = await stack.sql<{ revision: string }>(
      `select revision from changes where entity = 'client' order by revision`,
    );
    const { revisions } = await heard();
    expect(revisions).toEqual(written);
    expect(revisions).toEqual(stored.map(({ revision }) => Number(revision)));
  });
});
