import { execFile } from 'node:child_process';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { promisify } from 'node:util';

export const root = join(import.meta.dirname, '..');

/** Runs wrangler as a deployment would, without sending anything anywhere. */
export async function wrangler(...args: string[]): Promise<string> {
  const program = join(root, 'node_modules/wrangler/bin/wrangler.js');
  const env = { ...process.env, WRANGLER_SEND_METRICS: 'false', CI: '1', NO_COLOR: '1' };
  const { stdout } = await promisify(execFile)(process.execPath, [program, ...args], { cwd: root, env });
  return stdout;
}

/** Bundles Clients+ with esbuild's account of it beside: which file gave how many bytes. */
export async function bundleWithMetafile(dir: string): Promise<{ path: string; metafile: string }> {
  await wrangler('deploy', '--dry-run', '--outdir', dir, '--metafile');
  return { path: join(dir, 'index.js'), metafile: join(dir, 'bundle-meta.json') };
}

/**
 * Bundles another Worker by the same tool with the same settings: what stands before the first table of wrangler.toml
 * (compatibility date, `minify`, `keep_names` …), without the bindings of Clients+.
 */
export async function bundleOther(source: string, dir: string): Promise<string> {
  const settings = (await readFile(join(root, 'wrangler.toml'), 'utf8')).split(/^\[/m)[0] ?? '';
  const others = settings.split('\n').filter((line) => !/^(name|main)\s*=/.test(line));
  await mkdir(dir, { recursive: true });
  const config = join(dir, 'wrangler.toml');
  await writeFile(config, [`name = "bench"`, `main = ${JSON.stringify(source)}`, ...others].join('\n'));
  await wrangler('deploy', '--dry-run', '--config', config, '--outdir', join(dir, 'out'));
  return join(dir, 'out', basename(source).replace(/\.ts$/, '.js'));
}
