import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Reporter, TestModule, TestRunEndReason, Vitest } from 'vitest/node';
import { siteBeside } from '../../local/miniflare.ts';
import { type Described, everyAnswer } from './described.ts';

/** At the end of a whole run: every answer the OpenAPI document names has been produced by some test. */
export default class Unseen implements Reporter {
  #vitest: Vitest | null = null;

  onInit(vitest: Vitest): void {
    this.#vitest = vitest;
  }

  async onTestRunEnd(ran: readonly TestModule[], _errors: unknown, reason: TestRunEndReason): Promise<void> {
    const vitest = this.#vitest;
    const stack = vitest?.projects.find(({ name }) => name === 'stack');
    // What failed or was left out may be what produces it.
    if (vitest === null || stack === undefined || reason !== 'passed') return;
    if (vitest.getGlobalTestNamePattern() !== undefined) return;
    const all = (await vitest.globTestSpecifications()).filter(({ project }) => project === stack);
    const modules = new Set(ran.map(({ moduleId }) => moduleId));
    if (!all.every(({ moduleId }) => modules.has(moduleId))) return;
    const { seen, bundle } = stack.getProvidedContext();
    const files = await Promise.all((await readdir(seen)).map((name) => readFile(join(seen, name), 'utf8')));
    const noted = new Set(files.flatMap((text) => text.split('\n')));
    const document = await readFile(join(siteBeside(bundle), 'openapi.json'), 'utf8');
    const wanted = everyAnswer(JSON.parse(document) as Described);
    const unseen = wanted.filter((answer) => !noted.has(answer));
    console.log(`${wanted.length - unseen.length} of ${wanted.length} documented answers were produced by a test`);
    if (unseen.length === 0) return;
    console.error(`No test produces these answers of the OpenAPI document:\n${unseen.join('\n')}`);
    process.exitCode = 1;
  }
}
