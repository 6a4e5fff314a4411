import { existsSync } from 'node:fs';
import { join } from 'node:path';

/** Reads the project's `.env`, if there is one; what the environment says already stays. */
export function loadDotEnv(): void {
  const file = join(import.meta.dirname, '..', '.env');
  if (existsSync(file)) process.loadEnvFile(file);
}
