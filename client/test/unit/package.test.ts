import { gzipSync } from 'node:zlib';
import { build } from 'esbuild';
import { expect, expectTypeOf, test } from 'vitest';
import { WebSocket } from 'ws';
import type { api, Host } from '../../src/index.ts';
import type { RowAt } from '../../src/live.ts';

/** What a page loads that imports this, gzipped. */
async function sizeOf(contents: string): Promise<number> {
  const { outputFiles } = await build({
    stdin: { contents, resolveDir: 'client/src', loader: 'ts' },
    bundle: true,
    minify: true,
    format: 'esm',
    target: 'es2022',
    write: false,
  });
  return gzipSync(outputFiles[0]?.contents ?? '', { level: 9 }).length;
}

const KIB = 1024;

test.each([
  ['REST', `export { createClient } from './index.ts'`, 4 * KIB],
  ['REST and realtime', `export * from './index.ts'`, 8 * KIB],
  ['all of it', `export * from './index.ts'; export * from './live.ts'`, 11 * KIB],
])('%s stays small', async (what, contents, most) => {
  const size = await sizeOf(contents);
  console.log(`${what}: ${size} bytes gzipped, at most ${most}`);
  expect(size).toBeLessThanOrEqual(most);
});

// Held by the type check: the README's way for a Node without a WebSocket.
test('the WebSocket of ws fits as it is', () => {
  const socket: Host['socket'] = (url, protocols) => new WebSocket(url, protocols);
  expect(socket).toBeTypeOf('function');
});

// Held by the type check as well: a list that names its fields has no others, and a refusal says what it offers.
test('rows are typed as far as a list asks for them', () => {
  type Named = RowAt<'/clients?fields=id,name'>;
  type Whole = RowAt<`/appointments?branchId=${string}&sort=startsAt`>;
  expectTypeOf<Named['email']>().toEqualTypeOf<string | null | undefined>();
  expectTypeOf<Whole['localStart']>().toEqualTypeOf<string>();
  expectTypeOf<api.Problem['suggestions']>().toEqualTypeOf<string[] | undefined>();
});
