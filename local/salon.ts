import { parseArgs } from 'node:util';
import { type Loaded, load } from './imports.ts';
import { ensureBranch, enter, headOf } from './salon/company.ts';
import { expectedOf } from './salon/expected.ts';
import { compare, tableOf } from './salon/figures.ts';
import { readFiles } from './salon/files.ts';
import { importsOf } from './salon/rows.ts';
import { storedOf } from './salon/stored.ts';

// Loads a salon's exported files through the public API alone and holds what is stored against what the files say, which code
// works out that shares nothing with the product. A second run finds everything there and changes nothing.
const USAGE = `usage: npm run salon -- FOLDER [--url URL] [--key KEY | --email EMAIL --password PASSWORD]
The company is that of the key, or of the log-in, which is signed up where there is none.
Ends with 0 when what is stored is what the files say, else with 1.`;

/** Ends with one line: what went wrong here is a matter of the command, not of this file. */
function fail(message: string): never {
  console.error(message);
  process.exit(1);
}

process.on('uncaughtException', (error) =>
  fail(error.message === 'fetch failed' ? `${values.url} does not answer: is npm run dev running?` : error.message),
);
const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    help: { type: 'boolean' },
    url: { type: 'string', default: 'http://127.0.0.1:8787' },
    key: { type: 'string' },
    email: { type: 'string', default: 'owner@salon.example' },
    password: { type: 'string', default: 'correct horse battery' },
  },
});
const [folder] = positionals;
if (values.help === true) {
  console.log(USAGE);
  process.exit(0);
}
if (folder === undefined) fail(USAGE);

const told = ({ resource, rows, created, updated, unchanged, seconds }: Loaded): string =>
  `${resource.padEnd(13)}${String(rows).padStart(5)} rows: ${created} created, ${updated} updated, ${unchanged} unchanged (${seconds.toFixed(1)} s)`;

const { url, key, email, password } = values;
const imports = importsOf(await readFiles(folder));
const ask = await enter(url, key === undefined ? { email, password } : { key });
const began = Date.now();
const before = await headOf(ask);
await ensureBranch(ask);
for (const each of imports) console.log(told(await load(ask, each)));
const after = await headOf(ask);
console.log(`revision ${before} → ${after}, ${((Date.now() - began) / 1000).toFixed(1)} s\n`);
const compared = compare(await storedOf(ask), await expectedOf(folder));
const differences = compared.reduce((sum, { differs }) => sum + differs, 0);
console.log(`${tableOf(compared)}\n\ndifferences: ${differences}`);
process.exit(differences === 0 ? 0 : 1);
