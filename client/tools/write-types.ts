/** As much of JSON Schema as our document uses. */
type Schema = {
  $ref?: string;
  description?: string;
  type?: string | string[];
  const?: unknown;
  enum?: unknown[];
  anyOf?: Schema[];
  oneOf?: Schema[];
  items?: Schema;
  properties?: Record<string, Schema>;
  required?: string[];
  additionalProperties?: Schema | boolean;
};
type Parameter = { name: string; in: string; required?: boolean; description?: string; schema: Schema };
type Content = Record<string, { schema?: Schema }>;
type Operation = {
  summary?: string;
  parameters?: (Parameter | { $ref: string })[];
  requestBody?: { required?: boolean; content: Content };
  responses: Record<string, { content?: Content }>;
};
export type Document = {
  paths: Record<string, Record<string, unknown>>;
  components: { schemas?: Record<string, unknown> };
};

const METHODS = ['get', 'post', 'patch', 'put', 'delete'];
const BASE = '/api/v1';

/**
 * The OpenAPI document as types: a named one for each schema, and `Api`, which says of each path and method what it takes
 * and answers. What a list or an object answers under `fields=` is `short`, otherwise it is whole.
 */
export function writeTypes(document: Document): string {
  const schemas = (document.components.schemas ?? {}) as Record<string, Schema>;
  const named = Object.entries(schemas).map(
    ([name, schema]) => `${comment(schema.description)}export type ${name} = ${typeOf(schema)};\n`,
  );
  const whole = Object.keys(schemas).flatMap((name) => wholeOf(name, schemas));
  const paths = Object.entries(document.paths).map(([path, item]) => pathType(path, item, schemas));
  return `// Made from the OpenAPI document by client/tools/types.ts.\n\n${named.join('\n')}\n${whole.join('\n')}
/** What each path takes and answers, by method. */
export type Api = {\n${paths.join('')}};\n`;
}

/** What GET answers without `fields=`: all of the object, and what `include=` may add. */
function wholeOf(name: string, schemas: Record<string, Schema>): string[] {
  const base = wholeName(name, schemas);
  if (base === null) return [];
  const added = Object.keys(schemas[name]?.properties ?? {}).filter(
    (key) => !(key in (schemas[base]?.properties ?? {})),
  );
  const more = added.length === 0 ? '' : ` & Pick<${name}, ${added.map((key) => `'${key}'`).join(' | ')}>`;
  return [`export type Whole${name} = ${base}${more};`];
}

/** The object that this schema is a part of. */
function wholeName(name: string, schemas: Record<string, Schema>): string | null {
  const base = name.replace(/Read$/, '');
  return base !== name && base in schemas ? base : null;
}

function pathType(path: string, item: Record<string, unknown>, schemas: Record<string, Schema>): string {
  const operations = METHODS.flatMap((method) => {
    const operation = item[method] as Operation | undefined;
    return operation === undefined
      ? []
      : [`${comment(operation.summary)}${method}: ${operationType(operation, schemas)};`];
  });
  return `${quote(path.slice(BASE.length))}: {\n${operations.join('\n')}\n};\n`;
}

function operationType(
  { parameters = [], requestBody, responses }: Operation,
  schemas: Record<string, Schema>,
): string {
  const given = parameters.filter((parameter): parameter is Parameter => 'schema' in parameter);
  const of = (where: string): Schema => {
    const own = given.filter((parameter) => parameter.in === where);
    return {
      type: 'object',
      properties: Object.fromEntries(own.map(({ name, description, schema }) => [name, { description, ...schema }])),
      required: own.filter(({ required }) => required === true).map(({ name }) => name),
    } as Schema;
  };
  const [, success] = Object.entries(responses).find(([status]) => status.startsWith('2')) ?? [];
  const answer = contentType(success?.content);
  const whole = answer.replace(/\b(\w+Read)\b/g, (name) => (wholeName(name, schemas) === null ? name : `Whole${name}`));
  const body =
    requestBody === undefined ? '' : `body${requestBody.required ? '' : '?'}: ${contentType(requestBody.content)}; `;
  const short = whole === answer ? '' : ` short: ${answer};`;
  return `{ path: ${typeOf(of('path'))}; query: ${typeOf(of('query'))}; ${body}answer: ${whole};${short} }`;
}

/** JSON as its type, files as texts, nothing as nothing. */
function contentType(content: Content | undefined): string {
  const types = Object.entries(content ?? {}).map(([type, { schema }]) =>
    type.endsWith('json') && schema !== undefined ? typeOf(schema) : 'string',
  );
  return types.length === 0 ? 'undefined' : [...new Set(types)].join(' | ');
}

function typeOf(schema: Schema): string {
  if (schema.$ref !== undefined) return schema.$ref.slice(schema.$ref.lastIndexOf('/') + 1);
  if ('const' in schema) return JSON.stringify(schema.const);
  if (schema.enum !== undefined) return schema.enum.map((value) => JSON.stringify(value)).join(' | ');
  const some = schema.anyOf ?? schema.oneOf;
  if (some !== undefined) return [...new Set(some.map(typeOf))].join(' | ');
  if (Array.isArray(schema.type)) return schema.type.map((type) => typeOf({ ...schema, type })).join(' | ');
  switch (schema.type) {
    case 'integer':
    case 'number':
      return 'number';
    case 'string':
    case 'boolean':
    case 'null':
      return schema.type;
    case 'array':
      return schema.items === undefined ? 'unknown[]' : `(${typeOf(schema.items)})[]`;
    case 'object':
      return objectType(schema);
    default:
      return 'unknown';
  }
}

function objectType({ properties = {}, required = [], additionalProperties }: Schema): string {
  const members = Object.entries(properties).map(
    ([name, schema]) =>
      `${comment(schema.description)}${quote(name)}${required.includes(name) ? '' : '?'}: ${typeOf(schema)};`,
  );
  if (typeof additionalProperties === 'object') {
    const values = Object.keys(additionalProperties).length === 0 ? 'unknown' : typeOf(additionalProperties);
    members.push(`[name: string]: ${members.length === 0 ? values : 'unknown'};`);
  }
  return `{${members.length === 0 ? '' : `\n${members.join('\n')}\n`}}`;
}

const quote = (name: string): string => (/^[a-zA-Z_]\w*$/.test(name) ? name : `'${name}'`);
const comment = (text: string | undefined): string =>
  text === undefined || text === '' ? '' : `/** ${text.replaceAll('*/', '*\\/').replaceAll(/\s+/g, ' ')} */\n`;
