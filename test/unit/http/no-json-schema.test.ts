import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import * as standIn from '../../../src/http/no-json-schema.ts';

const zod = join(import.meta.dirname, '../../../node_modules/zod/v4');
const HALF =
  /^import (?:\* as (\w+)|\{([^}]*)\}) from "[./]+(?:core\/)?(?:json-schema-processors|to-json-schema)\.js";$/gm;

/** What the files of a Worker ask that half of zod for. */
async function asked(folder: string): Promise<string[]> {
  const files = (await readdir(join(zod, folder))).filter(
    (name) => name.endsWith('.js') && !name.includes('json-schema'),
  );
  const texts = await Promise.all(files.map((name) => readFile(join(zod, folder, name), 'utf8')));
  return texts.flatMap((text) =>
    [...text.matchAll(HALF)].flatMap(([, all, some]) =>
      all === undefined
        ? (some ?? '').split(',').map((name) => name.trim())
        : [...text.matchAll(new RegExp(`\\b${all}\\.(\\w+)`, 'g'))].map(([, name]) => name ?? ''),
    ),
  );
}

test('what stands in the place of the half of zod that writes schemas out has what the other half asks for', async () => {
  const names = new Set([...(await asked('classic')), ...(await asked('core'))].filter((name) => name !== ''));
  expect(names.size).toBeGreaterThan(40);
  expect(Object.keys(standIn)).toEqual(expect.arrayContaining([...names]));
  expect(() => standIn.stringProcessor()).toThrow();
});
