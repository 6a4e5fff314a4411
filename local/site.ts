import { execFile } from 'node:child_process';
import { enableCompileCache } from 'node:module';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { StackError } from './errors.ts';
import { projectFolder, siteFolder } from './site/folders.ts';

// What people and generators read (pages, their scripts and styles, the reference, the OpenAPI document), made from `public/` and
// from the declarations that the routes run on: the static assets of a deployment. wrangler runs this before each build.

/** In a process of its own, which sees the code as it is now. */
export async function makeSite(): Promise<void> {
  await promisify(execFile)(process.execPath, [import.meta.filename]).catch(({ stderr }: { stderr: string }) => {
    throw new StackError(`the pages and the OpenAPI document cannot be made:\n${stderr.trim()}`);
  });
}

if (import.meta.main) {
  // Before the code is loaded: to take its types away is most of the work.
  enableCompileCache(join(projectFolder, '.cache', 'node'));
  const { writeSite } = await import('./site/write.ts');
  await writeSite(siteFolder);
}
