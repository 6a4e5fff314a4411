import { mkdir, writeFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import { BASE, modules } from '../src/app.ts';
import { openApiDocument } from '../src/http/openapi.ts';

// Writes the OpenAPI document of the code, for the linter and for readers without a running Worker.
const file = process.argv[2] ?? '.cache/openapi.json';
await mkdir(dirname(file), { recursive: true });
await writeFile(file, `${JSON.stringify(openApiDocument(BASE, modules), null, 2)}\n`);
console.log(`wrote ${file}`);
