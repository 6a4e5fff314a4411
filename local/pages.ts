import { createHash } from 'node:crypto';
import { readdir, readFile, writeFile } from 'node:fs/promises';
import { extname, join } from 'node:path';
import { transform } from 'esbuild';
import { SCOPES } from '../src/account/permissions.ts';

// The pages of `public/` become texts of the Worker's one module: they are served by the code that serves the API, with its
// headers, wherever that runs. `node local/pages.ts` writes them, `--check` says whether they are written.
const root = join(import.meta.dirname, '..');
export const pagesFolder = join(root, 'public');
const target = join(root, 'src', 'pages', 'files.ts');
const types: Readonly<Record<string, string>> = {
  '.html': 'text/html; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.svg': 'image/svg+xml',
};

interface Asset {
  name: string;
  type: string;
  body: string;
  /** For the ETag, and in the address of whatever may be kept for ever. */
  version: string;
  integrity: string;
}

/** Writes `src/pages/files.ts` if it is not as it should be; answers whether it was not. */
export async function writePages(write: boolean = true): Promise<boolean> {
  const text = render(await readAssets());
  const present = await readFile(target, 'utf8').catch(() => '');
  if (text === present) return false;
  if (write) await writeFile(target, text);
  return true;
}

async function readAssets(): Promise<Asset[]> {
  const names = (await readdir(pagesFolder)).filter((name) => types[extname(name)] !== undefined).sort();
  const assets = await Promise.all(
    names.map(async (name) => asset(name, await small(name, await readFile(join(pagesFolder, name), 'utf8')))),
  );
  const scripts = assets.map((each) =>
    each.name.endsWith('.js') ? asset(each.name, imported(each.body, assets)) : each,
  );
  return scripts.map((each) => (each.name.endsWith('.html') ? asset(each.name, completed(each.body, scripts)) : each));
}

/** What is served, in as few bytes as it can be: the Worker carries them. */
async function small(name: string, text: string): Promise<string> {
  const loader = extname(name).slice(1);
  if (loader === 'html') return text.replace(/\n\s+/g, '\n');
  if (loader !== 'js' && loader !== 'css') return text;
  return (await transform(text, { loader, minify: true, charset: 'utf8', target: 'es2024' })).code;
}

function asset(name: string, text: string): Asset {
  const body = text.replaceAll('\r\n', '\n');
  const hash = createHash('sha256').update(body);
  const integrity = `sha256-${hash.copy().digest('base64')}`;
  return { name, type: types[extname(name)] ?? '', body, version: hash.digest('hex').slice(0, 16), integrity };
}

/** Names in a script what it imports by content. What is imported imports nothing itself. */
function imported(script: string, assets: readonly Asset[]): string {
  return assets.reduce(
    (text, { name, version }) => text.replace(`from"./${name}"`, `from"./${name}?v=${version}"`),
    script,
  );
}

/** Names in a page what it loads by content, so that it runs exactly that or nothing. */
function completed(html: string, assets: readonly Asset[]): string {
  const linked = assets.reduce(
    (text, { name, version, integrity }) =>
      text.replace(
        new RegExp(`(href|src)="/assets/${name.replace('.', '\\.')}"`),
        `$1="/assets/${name}?v=${version}" integrity="${integrity}"`,
      ),
    html,
  );
  return linked.replace('{{scopes}}', SCOPES.join(' '));
}

function render(assets: readonly Asset[]): string {
  const entries = assets.map(
    ({ name, type, body, version, integrity }) =>
      // Pages name what they load; only the one that is made when asked for has to look it up.
      `  ${JSON.stringify(name)}: ${JSON.stringify({ type, version, ...(name === 'page.css' && { integrity }), body })},`,
  );
  return `// Made by \`npm run pages\` from public/; edit there.\nexport const files = {\n${entries.join('\n')}\n} as const;\n`;
}

if (import.meta.main) {
  const check = process.argv.includes('--check');
  const changed = await writePages(!check);
  if (check && changed) {
    console.error('src/pages/files.ts is not what public/ makes: npm run pages');
    process.exitCode = 1;
  } else console.log(changed ? 'wrote src/pages/files.ts' : 'the pages are as public/ has them');
}
