import { mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { expect, test, vi } from 'vitest';
import { sharedWorld } from '../../../test/support/shared.ts';
import { PASSWORD, signUp } from '../support/sign-up.ts';

const { worker } = await sharedWorld();

test('the examples of the README run', async () => {
  const { email } = await signUp(worker.url);
  const text = await readFile('client/README.md', 'utf8');
  const blocks = [...text.matchAll(/```js\n(.*?)```/gs)].map(([, code = '']) => code);
  const source = (name: string) => pathToFileURL(join('client/src', name)).href;
  const program = blocks
    .join('\n')
    .replace("'@clientsplus/client'", `'${source('index.ts')}'`)
    .replace("'@clientsplus/client/live'", `'${source('live.ts')}'`)
    .replace('http://127.0.0.1:8787', worker.url)
    .replace('nora@studio-nord.example', email)
    .replace('correct horse battery', PASSWORD);
  const folder = join('.cache', `readme-${process.pid}`);
  await mkdir(folder, { recursive: true });
  await writeFile(join(folder, 'program.js'), program);
  const said: unknown[][] = [];
  const log = vi.spyOn(console, 'log').mockImplementation((...texts) => void said.push(texts));
  try {
    await import(pathToFileURL(join(folder, 'program.js')).href);
  } finally {
    log.mockRestore();
    await rm(folder, { recursive: true });
  }
  expect(said).toEqual([
    ['Ada Adler'],
    ['Ada Adler'],
    [expect.stringContaining('version')],
    ['client.created', expect.any(Number)],
    [3],
  ]);
});
