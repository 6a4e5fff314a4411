import { glob } from 'node:fs/promises';
import { join } from 'node:path';
import config from '../drizzle.config.ts';

const root = join(import.meta.dirname, '..');

/** Whatever the files of tables export, as drizzle-kit reads them. */
export async function exportsOfTables(): Promise<Record<string, unknown>> {
  const found: Record<string, unknown> = {};
  for (const pattern of config.schema)
    for await (const file of glob(pattern, { cwd: root })) Object.assign(found, await import(join(root, file)));
  return found;
}
