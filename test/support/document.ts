import { describeApi } from '../../local/site/describe.ts';
import { type Operation, operations } from './operations.ts';

export type Schema = Record<string, unknown>;

export type Media = { schema: Schema; examples?: Record<string, { value?: unknown; $ref?: string }> };
type Response = { description: string; headers?: Record<string, Schema>; content?: Record<string, Media> };
type DocumentedOperation = {
  operationId: string;
  description: string;
  security: unknown[];
  'x-required-scopes'?: string[];
  parameters: { name: string; in: string; required: boolean; schema: Schema }[];
  requestBody?: { required: boolean; content: Record<string, Media> };
  responses: Record<string, Response>;
};

/** The document of the code under test, as the Worker serves it. */
const served = describeApi() as {
  paths: Record<string, Record<string, DocumentedOperation>>;
  components: Record<'schemas' | 'examples' | 'responses' | 'headers', Record<string, Schema>>;
};

/** What a reference names; anything else is itself. */
export function resolved<T>(node: T & { $ref?: unknown }): T {
  const [, , kind, name] = String(node.$ref ?? '').split('/');
  if (kind === undefined || name === undefined) return node;
  const found = served.components[kind as keyof typeof served.components][name];
  if (found === undefined) throw new Error(`nothing is at ${String(node.$ref)}`);
  return found as T;
}

/** The same document with its responses in place. */
export const document: typeof served = {
  ...served,
  paths: Object.fromEntries(
    Object.entries(served.paths).map(([path, operations]) => [
      path,
      Object.fromEntries(
        Object.entries(operations).map(([method, operation]) => {
          const responses = Object.entries(operation.responses).map(([status, response]) => [
            status,
            resolved(response),
          ]);
          return [method, { ...operation, responses: Object.fromEntries(responses) }];
        }),
      ),
    ]),
  ),
};

export const PROBLEM = 'application/problem+json';

/** @throws Error where the document has no such operation */
export function documented({ path, method, name }: Operation): DocumentedOperation {
  const operation = document.paths[path]?.[method];
  if (operation === undefined) throw new Error(`the document has no ${name}`);
  return operation;
}

/** The codes that the document names for a status. */
export const codesOf = ({ description }: { description: string }): string[] =>
  [...description.matchAll(/`([a-z_]+)`/g)].map(([, code]) => code ?? '');

/** Everything an operation is documented to answer: `GET /company 200`, `GET /company 401 unauthenticated`. */
export const answersOf = (operation: Operation): string[] =>
  Object.entries(documented(operation).responses).flatMap(([status, response]) =>
    response.content?.[PROBLEM] === undefined
      ? [`${operation.name} ${status}`]
      : codesOf(response).map((code) => `${operation.name} ${status} ${code}`),
  );

export const everyAnswer = (): string[] => operations.flatMap(answersOf);
