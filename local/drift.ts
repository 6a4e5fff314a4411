import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type DrizzleSnapshotJSON, generateDrizzleJson, generateMigration } from 'drizzle-kit/api';
import config from '../drizzle.config.ts';
import { exportsOfTables } from './tables.ts';

// Whether `npm run migrations` would find nothing to do: the tables in TypeScript are those of the newest snapshot, and the
// journal knows every migration, hand-written ones too, because it numbers the next one. Writes nothing.
const folder = join(import.meta.dirname, '..', config.out);
const tables = await exportsOfTables();

const json = async (file: string): Promise<unknown> => JSON.parse(await readFile(join(folder, 'meta', file), 'utf8'));

const newest = (await readdir(join(folder, 'meta')))
  .filter((name) => name.endsWith('_snapshot.json'))
  .sort()
  .at(-1);
const before = (await json(String(newest))) as DrizzleSnapshotJSON;
const missing = await generateMigration(before, generateDrizzleJson(tables, before.id));

const journal = (await json('_journal.json')) as { entries: { tag: string }[] };
const known = journal.entries.map(({ tag }) => `${tag}.sql`);
const files = (await readdir(folder)).filter((name) => name.endsWith('.sql')).sort();

const faults = [
  ...missing.map((statement) => `${newest} lacks: ${statement}`),
  ...(files.join() === known.join()
    ? []
    : [`_journal.json names ${known.join(', ')}; the files are ${files.join(', ')}`]),
];
for (const fault of faults) console.error(fault);
if (faults.length > 0) process.exit(1);
console.log(`no drift: ${Object.keys(tables).length} exports, ${files.length} migrations`);
