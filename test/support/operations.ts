import { BASE, everyRoute } from '../../src/app.ts';
import type { RouteSpec } from '../../src/http/route.ts';
import { templated } from '../../src/http/route.ts';

/** Where a route stands in the OpenAPI document. */
export type Operation = { spec: RouteSpec; name: string; topic: string; method: string; path: string };

const specs = everyRoute();

/** Collections that stand below another one: `/appointments/series`, since there is `/appointments/series/:id`. */
const below = specs.flatMap(({ path }) => /^\/([^:]+\/[^:]+)\/:id$/.exec(path)?.[1] ?? []);

/** The collection of a path, as the fixtures name it. */
const topicOf = (path: string): string =>
  below.find((each) => `${path}/`.startsWith(`/${each}/`)) ?? path.split('/')[1] ?? '';

export const operations: readonly Operation[] = specs.map((spec) => ({
  spec,
  name: `${spec.method.toUpperCase()} ${spec.path}`,
  topic: topicOf(spec.path),
  method: spec.method,
  path: `${BASE}${templated(spec.path)}`,
}));

const byName = new Map(operations.map((operation) => [operation.name, operation]));

/** @param name as in `POST /clients/:id/merge` @throws Error where no route has it */
export function operationNamed(name: string): Operation {
  const operation = byName.get(name);
  if (operation === undefined) throw new Error(`there is no route ${name}`);
  return operation;
}

const literal = new Set(operations.map(({ spec }) => spec.path).filter((path) => !path.includes(':')));
const patterns = operations.map((operation) => ({
  operation,
  pattern: new RegExp(`^${operation.spec.path.replace(/:[A-Za-z]+/g, '[^/]+')}$`),
}));

/** A path as the router reads it: percent-encoding undone where it makes characters, as in a browser's address line. */
function decoded(path: string): string {
  return path.replace(/(?:%[0-9a-f]{2})+/gi, (text) => {
    try {
      return decodeURI(text);
    } catch {
      return text;
    }
  });
}

/** The operation that takes a path below the base; a path that is some route's own is no id of another. */
export function operationOf(method: string, path: string): Operation | null {
  const wanted = method.toLowerCase();
  const plain = decoded(path);
  const found = patterns.find(
    ({ operation, pattern }) =>
      operation.method === wanted &&
      (literal.has(plain) ? operation.spec.path === plain : operation.spec.path.includes(':') && pattern.test(plain)),
  );
  return found?.operation ?? null;
}
