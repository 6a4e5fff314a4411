import { mkdir, writeFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import { describeApi } from '../src/app.ts';

// Writes the OpenAPI document of the code, for the linter and for readers without a running Worker.
const file = process.argv[2] ?? '.cache/openapi.json';
await mkdir(dirname(file), { recursive: true });
await writeFile(file, `${JSON.stringify(describeApi(), null, 2)}\n`);
console.log(`wrote ${file}`);
