import { spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { freePort } from '../../../local/ports.ts';
import { addKey } from '../../support/accounts.ts';
import type { Json } from '../../support/api.ts';
import { openCompany } from '../../support/company.ts';
import { uuidOf } from '../../support/people.ts';
import { expectProblem } from '../../support/problem.ts';
import { sharedWorld } from '../../support/shared.ts';
import { until } from '../../support/until.ts';

// Who may have what sent where.

const world = await sharedWorld();
const salon = await openCompany(world);

const url = 'https://hooks.example.com/';
const made = async (more: Json = {}): Promise<string> => {
  const reply = await salon.api.post('/webhooks', { url, types: ['webhook.deleted'], ...more });
  expect(reply.status, reply.text).toBe(201);
  return String(reply.json.id);
};

test('a key has sent what its scopes let it read, and nothing else', async () => {
  const { api } = await addKey(salon.api, ['webhooks:write', 'clients:read']);
  expect((await api.post('/webhooks', { url, types: ['client.created', 'client.deleted'] })).status).toBe(201);
  for (const types of [['client.created', 'invoice.created'], ['user.updated'], null]) {
    const { detail } = (await api.post('/webhooks', { url, types })).json;
    expect(detail).toMatch(/^You may not read events of /);
  }
  // Nor does it lead away what somebody else is sent.
  const id = await made({ types: ['invoice.created'] });
  for (const patch of [{ url: 'https://elsewhere.example.com/' }, { types: ['payment.created'] }])
    expectProblem(await api.patch(`/webhooks/${id}`, patch), 'forbidden');
  expect((await api.patch(`/webhooks/${id}`, { description: 'seen' })).status).toBe(200);
  // Nor gets it what signs that, nor sets it in motion.
  const acts: [string, Json?][] = [['rotate'], ['ping'], ['replay', { after: 0 }]];
  for (const each of [id, await made({ types: null }), await made({ types: ['client.created', 'user.updated'] })])
    for (const [verb, body] of acts) expectProblem(await api.post(`/webhooks/${each}/${verb}`, body), 'forbidden');
  const own = await made({ types: ['client.created'] });
  for (const [verb, body] of acts) expect((await api.post(`/webhooks/${own}/${verb}`, body)).status).toBe(200);
});

test('secrets are in one answer, and in the database as nobody reads them there', async () => {
  const { json } = await salon.api.post('/webhooks', { url, types: ['webhook.deleted'] });
  const [row] = await world.sql('select row_to_json(s)::text as text from webhook_states s where webhook_id = $1', [
    uuidOf('whk', String(json.id)),
  ]);
  const secret = String(json.secret).replace('whsec_', '');
  expect(row?.text).not.toContain(secret.slice(0, 12));
  for (const path of [`/webhooks/${json.id}`, '/webhooks', '/events', '/audit'])
    expect((await salon.api.get(path)).text).not.toContain(secret.slice(0, 12));
});

test('a company has so many active ones, restored ones included', async () => {
  const { url: few } = await world.another({ WEBHOOKS_PER_COMPANY: '2' });
  const other = await openCompany(world);
  const api = other.api.at(few);
  const hook = { url, types: ['webhook.deleted'] };
  const [first] = [await api.post('/webhooks', hook), await api.post('/webhooks', hook)];
  expectProblem(await api.post('/webhooks', hook), 'conflict');
  await api.delete(`/webhooks/${first?.json.id}`);
  expect((await api.post('/webhooks', hook)).status).toBe(201);
  expectProblem(await api.post(`/webhooks/${first?.json.id}/restore`), 'conflict');
  expectProblem(await api.patch(`/webhooks/${first?.json.id}`, { isActive: true }), 'conflict');
});

test('a public name that leads to private addresses is not called, whenever it begins to', async () => {
  const names: Record<string, string[]> = { 'inside.example.com': ['10.0.0.7'], 'outside.example.com': ['1.1.1.1'] };
  const resolver = createServer((request, response) => {
    const asked = new URL(String(request.url), 'http://resolver');
    const data = asked.searchParams.get('type') === 'A' ? names[asked.searchParams.get('name') ?? ''] : [];
    response.setHeader('Content-Type', 'application/dns-json');
    response.end(JSON.stringify({ Status: 0, Answer: data?.map((address) => ({ type: 1, data: address })) }));
  });
  await new Promise<void>((resolve) => resolver.listen(0, '127.0.0.1', resolve));
  afterAll(() => void resolver.close());
  const address = `http://127.0.0.1:${(resolver.address() as AddressInfo).port}/resolve`;
  const { url: guarded } = await world.another({ DNS_OVER_HTTPS_URL: address });
  const api = salon.api.at(guarded);
  const hook = (host: string) => api.post('/webhooks', { url: `https://${host}/`, types: ['webhook.deleted'] });
  const [fault] = expectProblem(await hook('inside.example.com'), 'invalid_body');
  expect(fault).toMatchObject({ pointer: '/url', code: 'forbidden_url' });
  expectProblem(await hook('nowhere.example.com'), 'invalid_body');
  const { json } = await hook('outside.example.com');
  names['outside.example.com'] = ['1.1.1.1', '169.254.169.254'];
  const ping = async () => (await api.post(`/webhooks/${json.id}/ping`)).json;
  expect(await ping()).toMatchObject({ delivered: false, responseStatus: null, error: 'forbidden_address' });
  // While nobody can tell, nobody is called.
  resolver.close();
  resolver.closeAllConnections();
  expect(await ping()).toMatchObject({ delivered: false, error: 'unresolved' });
});

test('the receiver of docs/operations.md believes us, and nobody else', async () => {
  const root = join(import.meta.dirname, '../../..');
  const [, example = ''] = /```js\n(.*?)```/s.exec(readFileSync(join(root, 'docs/operations.md'), 'utf8')) ?? [];
  const port = await freePort();
  const { json } = await salon.api.post('/webhooks', { url: `http://127.0.0.1:${port}/`, types: ['client.merged'] });
  const env = { ...process.env, PORT: String(port), WEBHOOK_SECRET: String(json.secret) };
  const node = spawn(process.execPath, ['--input-type=module', '-e', example], { cwd: root, env, stdio: 'ignore' });
  try {
    const ping = async () => (await salon.api.post(`/webhooks/${json.id}/ping`)).json;
    await until('it takes a ping', async () => (await ping()).delivered === true);
    for (let n = 0; n < 2; n += 1) await salon.api.post(`/webhooks/${json.id}/rotate`);
    expect(await ping()).toMatchObject({ delivered: false, responseStatus: 400 });
  } finally {
    node.kill();
  }
});
