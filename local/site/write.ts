import { mkdir, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { BASE, everyRoute } from '../../src/app.ts';
import { describeApi } from './describe.ts';
import { docsPage } from './docs.ts';
import { readPages } from './pages.ts';

/** The whole site by file name; the same sources make the same bytes. */
export async function renderSite(): Promise<Map<string, string>> {
  const pages = await readPages();
  const style = pages.find(({ name }) => name === 'page.css');
  if (style === undefined) throw new Error('public/page.css is missing');
  return new Map([
    ...pages.map(({ name, body }): [string, string] => [name, body]),
    ['docs.html', docsPage(BASE, everyRoute(), style)],
    ['openapi.json', JSON.stringify(describeApi())],
  ]);
}

/** Writes what differs and takes away what is no longer part of it. Whoever reads meanwhile finds every file whole. */
export async function writeSite(folder: string): Promise<void> {
  const site = await renderSite();
  await mkdir(folder, { recursive: true });
  for (const [name, body] of site) {
    const path = join(folder, name);
    if ((await readFile(path, 'utf8').catch(() => null)) === body) continue;
    // Beside the folder: a deployment takes everything in it.
    const made = `${folder}.${process.pid}.${name}`;
    await writeFile(made, body);
    await rename(made, path);
  }
  const strays = (await readdir(folder)).filter((name) => !site.has(name));
  await Promise.all(strays.map((name) => rm(join(folder, name), { recursive: true, force: true })));
}
