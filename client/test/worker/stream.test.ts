import { expect, test } from 'vitest';
import { sharedWorld } from '../../../test/support/shared.ts';
import { until } from '../../../test/support/until.ts';
import { type api, openStream, type Position } from '../../src/index.ts';
import { signUp } from '../support/sign-up.ts';

const { worker } = await sharedWorld();

test('hears each change once, as the log has it, over two connections', async () => {
  const { client } = await signUp(worker.url);
  const add = (firstName: string) => client.post('/clients', { body: { firstName } });
  const heard: api.Event[] = [];
  const stream = openStream(client);
  stream.on('message', (message) => heard.push(message));
  const from = await new Promise<Position>((done) => stream.on('fresh', done));
  await Promise.all(['Ada', 'Bea', 'Cleo'].map(add));
  await until('three changes', () => heard.length === 3);
  const position = stream.position ?? undefined;
  stream.close();

  await add('Dora');
  const again = openStream(client, { topics: ['clients'] }, position);
  again.on('message', (message) => heard.push(message));
  await until('the fourth', () => heard.length === 4);
  await add('Ella');
  await until('the fifth', () => heard.length === 5);
  const { data } = await client.get('/events', { query: { after: from.revision } });
  expect(heard).toEqual(data);
  again.close();
});

test('lives on past the end of the token it was opened with, and ends with its session', async () => {
  let [renewals, ahead] = [0, 0];
  const { client } = await signUp(worker.url, {
    now: () => Date.now() + ahead,
    // The nine minutes until it is to be renewed pass at once.
    after: (ms, run) => {
      const isLong = ms > 500_000 && renewals < 2;
      const jump = (): void => {
        if (isLong) ahead += ms;
        run();
      };
      const timer = setTimeout(jump, isLong ? 20 : ms);
      return () => clearTimeout(timer);
    },
  });
  client.session.onChange(() => {
    renewals += 1;
  });
  const stream = openStream(client);
  await until('two renewals', () => renewals === 2);
  expect(stream.state).toBe('live');
  const other = await client.request('post', '/auth/logout');
  expect(other.status).toBe(204);
  await until('its end', () => stream.state === 'ended');
});
