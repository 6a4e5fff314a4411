import { mkdir, writeFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import { describeApi } from '../../local/site/describe.ts';
import { type Document, writeTypes } from './write-types.ts';

// Writes the types of the API as the code serves it; they are in no commit, so they cannot be out of date.
export const TYPES = 'client/src/api.ts';
await mkdir(dirname(TYPES), { recursive: true });
await writeFile(TYPES, writeTypes(describeApi() as Document));
