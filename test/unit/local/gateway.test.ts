import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { type Gateway, type Notice, openGateway } from '../../../local/gateway.ts';
import { freePort } from '../../../local/ports.ts';

const starting: Notice = { status: 503, code: 'busy', detail: 'starting' };
const broken: Notice = { status: 500, code: 'internal_error', detail: 'src/x.ts:1:2: no' };
const behind = createServer((request, response) => void response.end(`served ${request.url}`));
let gateway: Gateway;
let url: string;
let port: number;
beforeEach(async () => {
  const outside = await freePort();
  url = `http://127.0.0.1:${outside}`;
  gateway = await openGateway(outside, starting);
  behind.listen(0, '127.0.0.1');
  await once(behind, 'listening');
  port = (behind.address() as AddressInfo).port;
});
afterEach(async () => {
  await gateway.stop();
  behind.closeAllConnections();
  behind.close();
});

const ask = async (path: string): Promise<[number, string]> => {
  const answer = await fetch(`${url}${path}`, { method: 'POST', body: 'x' });
  return [answer.status, await answer.text()];
};

it('answers by itself while nothing stands behind it', async () => {
  const answer = await fetch(`${url}/a?token=x`);
  expect([answer.status, answer.headers.get('retry-after')]).toEqual([503, '1']);
  expect(await answer.json()).toMatchObject({ code: 'busy', detail: 'starting', instance: '/a' });
});

it('leads through, tells what is broken, and leads through again', async () => {
  gateway.open(port);
  expect(await ask('/a')).toEqual([200, 'served /a']);
  gateway.close(broken);
  expect(await ask('/b')).toEqual([500, expect.stringContaining('src/x.ts:1:2: no')]);
  gateway.open(port);
  expect(await ask('/c')).toEqual([200, 'served /c']);
});

it.each([
  ['open', () => gateway.open(port), [200, 'served /a']],
  ['close', () => gateway.close(broken), [500, expect.stringContaining('src/x.ts')]],
] as const)('lets callers wait until %s', async (_, act, answer) => {
  gateway.hold();
  const waiting = ask('/a');
  act();
  expect(await waiting).toEqual(answer);
});

it('says whose the port is', async () => {
  await expect(openGateway(port, starting)).rejects.toThrow(
    `port ${port} is in use; try npm run dev -- --port ${port + 1}`,
  );
});
