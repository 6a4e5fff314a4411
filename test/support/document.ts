import { BASE, modules } from '../../src/app.ts';
import { openApiDocument } from '../../src/http/openapi.ts';
import { type Operation, operations } from './operations.ts';

export type Schema = Record<string, unknown>;

type Response = { description: string; content?: Record<string, { schema: Schema }> };
type DocumentedOperation = {
  parameters: { name: string; in: string }[];
  requestBody?: { content: Record<string, { schema: Schema }> };
  responses: Record<string, Response>;
};

/** The document of the code under test, as the Worker serves it. */
export const document = openApiDocument(BASE, modules) as unknown as {
  paths: Record<string, Record<string, DocumentedOperation>>;
  components: { schemas: Record<string, Schema> };
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
