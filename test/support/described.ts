export type Schema = Record<string, unknown>;

export type Media = { schema: Schema; examples?: Record<string, { value?: unknown; $ref?: string }> };
type Response = { description: string; headers?: Record<string, Schema>; content?: Record<string, Media> };
export type DescribedOperation = {
  operationId: string;
  description: string;
  security: unknown[];
  'x-required-scopes'?: string[];
  parameters: { name: string; in: string; required: boolean; schema: Schema }[];
  requestBody?: { required: boolean; content: Record<string, Media> };
  responses: Record<string, Response>;
};

/** The OpenAPI document, as far as tests read it. */
export type Described = {
  paths: Record<string, Record<string, DescribedOperation>>;
  components: Record<'schemas' | 'examples' | 'responses' | 'headers', Record<string, Schema>>;
};

/** What a reference names; anything else is itself. */
export function resolvedIn<T>({ components }: Described, node: T & { $ref?: unknown }): T {
  const [, , kind, name] = String(node.$ref ?? '').split('/');
  if (kind === undefined || name === undefined) return node;
  const found = components[kind as keyof typeof components][name];
  if (found === undefined) throw new Error(`nothing is at ${String(node.$ref)}`);
  return found as T;
}

/** The same document with its responses in place. */
export function withResponses(served: Described): Described {
  const paths = Object.entries(served.paths).map(([path, operations]) => {
    const whole = Object.entries(operations).map(([method, operation]) => {
      const responses = Object.entries(operation.responses).map(([status, response]) => [
        status,
        resolvedIn(served, response),
      ]);
      return [method, { ...operation, responses: Object.fromEntries(responses) }];
    });
    return [path, Object.fromEntries(whole)];
  });
  return { ...served, paths: Object.fromEntries(paths) };
}

export const PROBLEM = 'application/problem+json';

/** The codes that the document names for a status. */
export const codesOf = ({ description }: { description: string }): string[] =>
  [...description.matchAll(/`([a-z_]+)`/g)].map(([, code]) => code ?? '');

/** A route as tests name it: `GET /company/:id`. */
const nameOf = (method: string, path: string): string =>
  `${method.toUpperCase()} ${path.replace('/api/v1', '').replace(/\{([A-Za-z]+)\}/g, ':$1')}`;

/** Everything that operations are documented to answer: `GET /company 200`, `GET /company 401 unauthenticated`. */
export const everyAnswer = (served: Described): string[] =>
  Object.entries(withResponses(served).paths).flatMap(([path, operations]) =>
    Object.entries(operations).flatMap(([method, { responses }]) =>
      Object.entries(responses).flatMap(([status, response]) =>
        response.content?.[PROBLEM] === undefined
          ? [`${nameOf(method, path)} ${status}`]
          : codesOf(response).map((code) => `${nameOf(method, path)} ${status} ${code}`),
      ),
    ),
  );
