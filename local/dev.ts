import { join } from 'node:path';
import { loadDotEnv } from './dot-env.ts';
import { printError } from './errors.ts';
import { openGateway } from './gateway.ts';
import { readOptions, usage } from './options.ts';
import { endLeftovers } from './run-file.ts';
import { Session } from './session.ts';
import { checkSettings, settingsFrom, unusedSettings } from './settings.ts';
import { exampleSettings } from './stack.ts';

const root = join(import.meta.dirname, '..');

async function main(): Promise<void> {
  const options = readOptions(process.argv.slice(2));
  if (options.help) return console.log(usage);
  loadDotEnv();
  const settings = { ...(options.quiet && { LOG_LEVEL: 'warn' }), ...settingsFrom(process.env) };
  checkSettings({ ...exampleSettings(), ...settings });
  for (const line of unusedSettings(process.env)) console.error(line);
  // The Worker of a killed run may still hold the folder.
  await endLeftovers(options.persist);
  const gateway = await openGateway(options.port, {
    status: 503,
    code: 'busy',
    detail: 'npm run dev is starting. Try again in a moment.',
  });
  await new Session(options, root, gateway, settings).run();
}

try {
  await main();
} catch (error) {
  printError(error);
  process.exitCode = 1;
}
