import { execFile } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';

// The tour of README.md as somebody types it, and what it says they will see.

type Step = { commands: string; shown: string[] };

/** The blocks of "Five minutes": commands, and what is printed behind them. */
export async function tourOf(readme: string): Promise<Step[]> {
  const text = await readFile(readme, 'utf8');
  const [, tour = ''] = text.split('\n## Five minutes\n');
  const steps: Step[] = [];
  for (const [, kind, block = ''] of (tour.split('\n## ')[0] ?? '').matchAll(/^```(\w*)\n([\s\S]*?)^```$/gm)) {
    if (kind === 'sh') steps.push({ commands: block, shown: [] });
    // A path alone is an example, not an answer.
    else if (kind === '' && !block.startsWith('/'))
      steps.at(-1)?.shown.push(...block.split(/…|\n/).filter((piece) => piece !== ''));
  }
  return steps;
}

/** Runs all steps in one shell; answers what each printed. */
export function typed(steps: readonly Step[], folder: string, port: number): Promise<string[]> {
  const mark = '--- next step ---';
  const here = (commands: string): string =>
    commands.replaceAll('8787', String(port)).replace('verify -- ', `verify -- --url http://127.0.0.1:${port} `);
  const script = steps.map(({ commands }) => `${here(commands)}\necho; echo '${mark}'`).join('\n');
  const path = `${dirname(process.execPath)}:${join(folder, 'node_modules/.bin')}:${process.env.PATH}`;
  return new Promise((resolve, reject) =>
    // A shell at the end of a socket may take itself for a remote one and read its user's settings.
    execFile(
      'bash',
      ['--norc', '-uc', script],
      { cwd: folder, env: { ...process.env, PATH: path } },
      (error, output, errors) => {
        if (error === null && errors === '') resolve(output.split(mark));
        else reject(new Error(`${errors}\n${output}`));
      },
    ),
  );
}

/** Without what is another one each time: ids, instants, days, tags of answers. */
export const timeless = (text: string): string =>
  text
    .replaceAll('\r', '')
    .replaceAll(/\b([a-z]{2,5})_[0-9a-hjkmnp-tv-z]{26}/g, '$1_…')
    .replaceAll(/W\/"[^"]*"/g, 'W/…')
    .replaceAll(/"businessDate":"[^"]*"/g, '"businessDate":"…"')
    .replaceAll(/"(createdAt|updatedAt|finishedAt|paidAt|at)":"[^"]*"/g, '"$1":"…"');
