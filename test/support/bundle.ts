import { execFile } from 'node:child_process';
import { cp } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { siteBeside } from '../../local/miniflare.ts';
import { siteFolder } from '../../local/site/folders.ts';

const root = join(import.meta.dirname, '../..');

/** Bundles the Worker as a deployment would, its site beside it, and answers the path of the one file. */
export async function bundleWorker(outDir: string): Promise<string> {
  const wrangler = join(root, 'node_modules/wrangler/bin/wrangler.js');
  const env = { ...process.env, WRANGLER_SEND_METRICS: 'false', WRANGLER_LOG: 'error', CI: '1' };
  await promisify(execFile)(process.execPath, [wrangler, 'deploy', '--dry-run', '--outdir', outDir], {
    cwd: root,
    env,
  });
  const bundle = join(outDir, 'index.js');
  await cp(siteFolder, siteBeside(bundle), { recursive: true });
  return bundle;
}
