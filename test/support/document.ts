import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { inject } from 'vitest';
import { siteBeside } from '../../local/miniflare.ts';
import { type Described, type DescribedOperation, resolvedIn, withResponses } from './described.ts';
import type { Operation } from './operations.ts';

/** The document of the code under test as the Worker serves it: made once a run, with the bundle. */
const served = JSON.parse(readFileSync(join(siteBeside(inject('bundle')), 'openapi.json'), 'utf8')) as Described;

/** What a reference names; anything else is itself. */
export const resolved = <T>(node: T & { $ref?: unknown }): T => resolvedIn(served, node);

/** The same document with its responses in place. */
export const document: Described = withResponses(served);

/** @throws Error where the document has no such operation */
export function documented({ path, method, name }: Operation): DescribedOperation {
  const operation = document.paths[path]?.[method];
  if (operation === undefined) throw new Error(`the document has no ${name}`);
  return operation;
}
