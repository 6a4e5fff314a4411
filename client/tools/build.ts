import { execFileSync } from 'node:child_process';
import { readdir, rm } from 'node:fs/promises';
import { build } from 'esbuild';
import './types.ts';

/** The entry points of the package. */
const ENTRIES = ['index', 'live'];

/** The published files: an entry each, what they share once, source maps, types. @param declarations false: scripts alone */
export async function buildClient(outdir: string, declarations = true): Promise<void> {
  await rm(outdir, { recursive: true, force: true });
  await build({
    entryPoints: ENTRIES.map((name) => `client/src/${name}.ts`),
    outdir,
    bundle: true,
    splitting: true,
    chunkNames: 'shared',
    minify: true,
    sourcemap: true,
    format: 'esm',
    target: 'es2022',
    logLevel: 'warning',
  });
  if (declarations)
    execFileSync('npx', ['tsc', '-p', 'client/tsconfig.build.json', '--outDir', outdir], { stdio: 'inherit' });
}

if (import.meta.main) {
  await buildClient('client/dist');
  const made = await readdir('client/dist', { recursive: true });
  console.log(
    `The client is in client/dist: ${made
      .filter((name) => name.endsWith('.js'))
      .sort()
      .join(', ')}, and its types.`,
  );
}
