import { chmod, readFile, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { join } from 'node:path';

/** The binary that Miniflare starts, by its package's own word; its package has no types. */
const workerd = (createRequire(createRequire(import.meta.url).resolve('miniflare'))('workerd') as { default: string })
  .default;
/** Which workerd Miniflare starts instead. */
const SETTING = 'MINIFLARE_WORKERD_PATH';

/** What a Worker logs, in a file. */
export type LogFile = { text(): Promise<string> };

/**
 * Starts a Worker whose log goes to a file instead of through Miniflare, which parses each line on the processors that the
 * Worker is measured on, and at their price.
 */
export async function loggingToFile<W>(dir: string, name: string, start: () => Promise<W>): Promise<W & LogFile> {
  const [script, file] = [join(dir, `${name}.sh`), join(dir, `${name}.log`)];
  await writeFile(script, `#!/bin/sh\nexec '${workerd}' "$@" >>'${file}'\n`);
  await chmod(script, 0o755);
  const before = process.env[SETTING];
  process.env[SETTING] = script;
  try {
    return { ...(await start()), text: () => readFile(file, 'utf8') };
  } finally {
    if (before === undefined) delete process.env[SETTING];
    else process.env[SETTING] = before;
  }
}
