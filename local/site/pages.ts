import { createHash } from 'node:crypto';
import { readdir, readFile } from 'node:fs/promises';
import { extname, join } from 'node:path';
import { transform } from 'esbuild';
import { SCOPES } from '../../src/account/permissions.ts';
import { pagesFolder } from './folders.ts';

const kinds: ReadonlySet<string> = new Set(['.html', '.css', '.js', '.svg']);

/** A file of the site. */
export interface Page {
  name: string;
  body: string;
  /** In the address of whatever may be kept for ever; the Worker works out the same for its ETag. */
  version: string;
  integrity: string;
}

/** The files of `public/`, small, each naming what it loads by content. */
export async function readPages(): Promise<Page[]> {
  const names = (await readdir(pagesFolder)).filter((name) => kinds.has(extname(name))).sort();
  const pages = await Promise.all(
    names.map(async (name) => page(name, await small(name, await readFile(join(pagesFolder, name), 'utf8')))),
  );
  const scripts = pages.map((each) => (each.name.endsWith('.js') ? page(each.name, imported(each.body, pages)) : each));
  return scripts.map((each) => (each.name.endsWith('.html') ? page(each.name, completed(each.body, scripts)) : each));
}

/** What is served, in as few bytes as it can be. */
async function small(name: string, text: string): Promise<string> {
  const loader = extname(name).slice(1);
  if (loader === 'html') return text.replace(/\n\s+/g, '\n');
  if (loader !== 'js' && loader !== 'css') return text;
  return (await transform(text, { loader, minify: true, charset: 'utf8', target: 'es2024' })).code;
}

function page(name: string, text: string): Page {
  const body = text.replaceAll('\r\n', '\n');
  const hash = createHash('sha256').update(body);
  const integrity = `sha256-${hash.copy().digest('base64')}`;
  return { name, body, version: hash.digest('hex').slice(0, 16), integrity };
}

/** Names in a script what it imports by content. What is imported imports nothing itself. */
function imported(script: string, pages: readonly Page[]): string {
  return pages.reduce(
    (text, { name, version }) => text.replace(`from"./${name}"`, `from"./${name}?v=${version}"`),
    script,
  );
}

/** Names in a page what it loads by content, so that it runs exactly that or nothing. */
function completed(html: string, pages: readonly Page[]): string {
  const linked = pages.reduce(
    (text, { name, version, integrity }) =>
      text.replace(
        new RegExp(`(href|src)="/assets/${name.replace('.', '\\.')}"`),
        `$1="/assets/${name}?v=${version}" integrity="${integrity}"`,
      ),
    html,
  );
  return linked.replace('{{scopes}}', SCOPES.join(' '));
}
