import { execFileSync, spawnSync } from 'node:child_process';
import { cpSync, existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';

// Breaks one rule at a time in a copy of the tree and runs the suites that must notice. A mutant that no test kills is
// a rule that no test holds. Each patch starts with two lines: `rule: …` and `tests: <files>`.
const root = join(import.meta.dirname, '../..');
const only = process.argv.slice(2);

type Mutant = { name: string; rule: string; tests: string[]; patch: string };

function readMutant(file: string): Mutant {
  const patch = readFileSync(join(import.meta.dirname, file), 'utf8');
  const field = (name: string): string => new RegExp(`^${name}: (.*)$`, 'm').exec(patch)?.[1] ?? '';
  return { name: file.replace('.patch', ''), rule: field('rule'), tests: field('tests').split(' '), patch };
}

/** A copy of what git tracks or would track, with the packages of the original. */
function copyTree(): string {
  const copy = mkdtempSync(join(tmpdir(), 'clientsplus-mutants-'));
  const files = execFileSync('git', ['ls-files', '-co', '--exclude-standard'], { cwd: root, encoding: 'utf8' });
  for (const file of files.split('\n').filter((name) => name !== '')) {
    mkdirSync(dirname(join(copy, file)), { recursive: true });
    cpSync(join(root, file), join(copy, file));
  }
  symlinkSync(join(root, 'node_modules'), join(copy, 'node_modules'));
  return copy;
}

function apply(copy: string, mutant: Mutant, reverse: boolean): void {
  const args = ['apply', '--whitespace=nowarn', ...(reverse ? ['-R'] : []), '-'];
  // Outside a repository, so that git applies to the files as they lie there.
  const env = { ...process.env, GIT_CEILING_DIRECTORIES: dirname(copy) };
  const done = spawnSync('git', args, { cwd: copy, input: mutant.patch, encoding: 'utf8', env });
  if (done.status !== 0) throw new Error(`${mutant.name} does not apply: ${done.stderr}`);
}

/** How long one suite may take on a machine that others use as well, ms. */
const PATIENCE = 300_000;

/** Runs the suites; answers the names of the tests that went red, or null when all stayed green. */
function run(copy: string, tests: readonly string[]): string[] | null {
  const vitest = join(root, 'node_modules/vitest/vitest.mjs');
  const file = join(copy, '.cache-report.json');
  rmSync(file, { force: true });
  const args = [
    vitest,
    'run',
    '--project=unit',
    '--project=stack',
    '--reporter=json',
    `--outputFile=${file}`,
    '--bail=1',
    ...tests,
  ];
  const done = spawnSync(process.execPath, args, {
    cwd: copy,
    encoding: 'utf8',
    maxBuffer: 64 * 1024 * 1024,
    timeout: PATIENCE * tests.length,
  });
  if (done.status === 0) return null;
  // No report: the suites never ran, which proves nothing about the mutant.
  if (!existsSync(file))
    throw new Error(`vitest made no report (${done.signal ?? done.status}):\n${done.stderr.slice(-2000)}`);
  const report = JSON.parse(readFileSync(file, 'utf8')) as {
    testResults: {
      name: string;
      status: string;
      message: string;
      assertionResults: { status: string; fullName: string }[];
    }[];
  };
  const red = report.testResults.flatMap(({ name, status, message, assertionResults }) => {
    const failed = assertionResults.filter((each) => each.status === 'failed').map((each) => each.fullName);
    const file = name.split('/test/').at(-1);
    if (failed.length > 0) return failed.map((test) => `${file} > ${test}`);
    return status === 'failed' ? [`${file}: ${message.split('\n')[0]}`] : [];
  });
  return red.length === 0 ? ['the suite failed as a whole'] : red;
}

const mutants = readdirSync(import.meta.dirname)
  .filter((file) => file.endsWith('.patch'))
  .sort()
  .map(readMutant)
  .filter(({ name }) => only.length === 0 || only.some((word) => name.includes(word)));
const copy = copyTree();
const survivors: string[] = [];
try {
  const suites = [...new Set(mutants.flatMap(({ tests }) => tests))];
  const healthy = run(copy, suites);
  if (healthy !== null) throw new Error(`the suites are red without any mutant:\n${healthy.join('\n')}`);
  console.log(`green without a mutant: ${suites.length} suites`);
  for (const mutant of mutants) {
    apply(copy, mutant, false);
    const red = run(copy, mutant.tests);
    apply(copy, mutant, true);
    if (red === null) survivors.push(mutant.name);
    console.log(
      red === null
        ? `SURVIVED ${mutant.name}: ${mutant.rule}`
        : `killed   ${mutant.name}: ${mutant.rule}\n         by ${red[0]}`,
    );
  }
} finally {
  rmSync(copy, { recursive: true, force: true });
}
console.log(`${mutants.length - survivors.length} of ${mutants.length} mutants killed`);
process.exitCode = survivors.length === 0 ? 0 : 1;
