import { execFile } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { PASSWORD } from '../../support/api.ts';
import { sharedWorld } from '../../support/shared.ts';

// `npm run salon` on invented files of the real ones' format, as somebody types it: all of it arrives, once, to the cent.

const world = await sharedWorld();
const root = join(import.meta.dirname, '../../..');
const email = `${randomUUID()}@example.com`;
const who = ['--url', world.worker.url, '--email', email, '--password', PASSWORD];

const run = (script: string, ...args: string[]): Promise<{ code: number; output: string }> =>
  new Promise((resolve) =>
    execFile(process.execPath, [join(root, script), ...args, ...who], (error, output, errors) =>
      resolve({ code: error === null ? 0 : Number(error.code), output: `${output}${errors}` }),
    ),
  );
const loaded = () => run('local/salon.ts', join(root, 'test/support/small-salon'));
/** The figures of a line of the table: stored, expected, difference. */
const figures = (output: string, name: string): number[] => {
  const [, table = ''] = output.split('difference\n');
  const line = table.split('\n').find((each) => each.trimStart().startsWith(`${name}  `)) ?? '';
  return line.trim().slice(name.length).trim().split(/ +/).map(Number);
};

test('a year is loaded, and equals what the files say', async () => {
  const { code, output } = await loaded();
  expect(code, output).toBe(0);
  expect(output).toMatch(/^differences: 0$/m);
  // Added up by hand.
  for (const [name, figure] of [
    ['services', 5],
    ['staff', 3],
    ['clients', 6],
    ['bookings', 8],
    ['appointments', 11],
    ['COMPLETED', 7],
    ['NO_SHOW', 1],
    ['CANCELLED', 3],
    ['of nobody in particular', 1],
    ['KIM COMPLETED', 4],
    // Of three in a row the one in the middle is in the way of both others, who are not in each other's.
    ['overlapping on purpose', 1],
    ['receipts', 5],
    ['lines', 10],
    ['lines of a booking', 3],
    ['payments', 4],
    ['$ revenue', 256.1],
    ['$ GST', 10.81],
    ['$ PST', 20.49],
    ['$ total', 287.4],
    ['$ paid', 287.4],
    ['$ revenue of HOUSE', -70],
  ] as const)
    expect([name, ...figures(output, name)]).toEqual([name, figure, figure, 0]);
});

test('a second run stores nothing, and the verifier passes', async () => {
  const { code, output } = await loaded();
  expect(code, output).toBe(0);
  const [, before, after] = /^revision (\d+) → (\d+),/m.exec(output) ?? [];
  expect(before).toBe(after);
  expect(output.match(/ 0 created, 0 updated, \d+ unchanged/g)).toHaveLength(5);
  const verified = await run('local/verify.ts');
  expect(verified.code, verified.output).toBe(0);
});

test('a row more is a difference, and is named', async () => {
  const { json } = await world.api.post('/auth/login', { email, password: PASSWORD });
  await world.api.as(String(json.accessToken)).post('/clients', { externalId: 'STRANGER' });
  const { code, output } = await loaded();
  expect(code, output).toBe(1);
  expect(figures(output, 'clients')).toEqual([7, 6, 1]);
  expect(output).toContain('unknown: STRANGER | 0 | 0 | 0');
  expect(output).toMatch(/^differences: 2$/m);
});
