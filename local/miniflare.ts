import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { Log, LogLevel } from 'miniflare';
import { freePort } from './ports.ts';

// How tests and benchmarks run a bundle in Miniflare, without wrangler.

/** As wrangler.toml says. */
export const COMPATIBILITY_DATE = '2026-10-20';

/** On this machine alone, and quiet. */
export const alone = async () => ({
  host: '127.0.0.1',
  port: await freePort(),
  log: new Log(LogLevel.ERROR),
  cf: false as const,
});

/** Where the site stands beside a bundle. */
export const siteBeside = (bundle: string): string => join(dirname(bundle), 'site');

/** A bundle as wrangler.toml has it run, on a socket of its own, with the site where there is one. */
export const ofBundle = (bundle: string, port: number) => ({
  modulesRoot: dirname(bundle),
  modules: [{ type: 'ESModule' as const, path: bundle }],
  compatibilityDate: COMPATIBILITY_DATE,
  compatibilityFlags: ['nodejs_compat'],
  unsafeDirectSockets: [{ host: '127.0.0.1', port }],
  // The platform's own way with assets has a router before the Worker, of which the platform's edge makes nothing to wait for.
  ...(existsSync(siteBeside(bundle)) && { serviceBindings: { ASSETS: { disk: { path: siteBeside(bundle) } } } }),
});
