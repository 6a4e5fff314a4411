import { existsSync, watch } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { errorText } from './errors.ts';
import { type Migration, migrationsFolder, readMigrations } from './migrate.ts';
import { pagesFolder } from './site/folders.ts';
import { makeSite } from './site.ts';

const everyMs = 1_000;
const settleMs = 300;

/** Calls back once when the file is gone. */
export function watchFolder(file: string, gone: () => void): void {
  const timer = setInterval(() => {
    if (existsSync(file)) return;
    clearInterval(timer);
    gone();
  }, everyMs);
  timer.unref();
}

/**
 * Names migrations that were added or changed since the start. They are not applied: a file in the making would be
 * noted as applied, and could never be finished.
 */
export async function watchMigrations(tell: (line: string) => void): Promise<void> {
  let known = hashes(await readMigrations());
  const added = new Set<string>();
  let looking = false;
  const look = async (): Promise<void> => {
    if (looking) return;
    looking = true;
    await sleep(settleMs);
    looking = false;
    const found = hashes(await readMigrations());
    for (const [name, sha256] of found) {
      if (!known.has(name)) tell(`migrations/${name} is new: restart npm run dev to apply it`);
      else if (known.get(name) !== sha256 && !added.has(name))
        tell(`migrations/${name} was changed after it was applied: restore it and add a new file`);
      if (!known.has(name)) added.add(name);
    }
    known = found;
  };
  watch(migrationsFolder, { persistent: false }, () => {
    look().catch((error: unknown) => tell(errorText(error)));
  });
}

/**
 * Makes the site anew whenever `public/` changes and whenever it is called: the code may describe another API. wrangler sees
 * what that changes and reloads the Worker.
 */
export function keepSite(tell: (line: string) => void): () => void {
  let [making, again] = [false, false];
  const make = async (): Promise<void> => {
    again = true;
    if (making) return;
    making = true;
    while (again) {
      again = false;
      await makeSite().catch((error: unknown) => tell(errorText(error)));
    }
    making = false;
  };
  watch(pagesFolder, { persistent: false }, () => void make());
  return () => void make();
}

const hashes = (migrations: readonly Migration[]): Map<string, string> =>
  new Map(migrations.map(({ name, sha256 }) => [name, sha256]));
