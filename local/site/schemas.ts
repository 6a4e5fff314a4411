import * as z from 'zod';

export type Json = Record<string, unknown>;

/** What operations share, each under its name; written once and referred to. */
export type Components = {
  schemas: Record<string, Json>;
  examples: Record<string, Json>;
  responses: Record<string, Json>;
};

type Io = 'input' | 'output';

/** The JSON Schema of a zod schema (OpenAPI 3.1 takes draft 2020-12 as it is), its named parts moved to `components`. */
export function schemaOf(schema: z.ZodType, io: Io, components: Components): Json {
  // The library's own generator; a second one beside it would weigh more than all our routes.
  const made = z.toJSONSchema(schema, { io, unrepresentable: 'any', override: withExamples });
  const text = JSON.stringify(made).replaceAll('"#/$defs/', '"#/components/schemas/');
  const {
    $defs = {},
    $schema: _dialect,
    ...rest
  } = JSON.parse(text, tidy(io)) as Json & { $defs?: Record<string, Json> };
  for (const [id, part] of Object.entries($defs)) keep(components, id, part);
  const { id } = rest;
  if (typeof id !== 'string') return rest;
  keep(components, id, rest);
  return refTo(id);
}

/** The generator leaves out the examples of what is transformed when it is read; ours are of what is sent. */
function withExamples({ zodSchema, jsonSchema }: { zodSchema: z.core.$ZodTypes; jsonSchema: Json }): void {
  const examples = z.globalRegistry.get(zodSchema)?.examples;
  if (examples !== undefined) jsonSchema.examples = examples;
}

const refTo = (id: string): Json => ({ $ref: `#/components/schemas/${id}` });

/** The schema a reference names, or the schema itself. */
export function resolved(schema: Json, components: Components): Json {
  const name = componentOf(schema);
  return name === null ? schema : (components.schemas[name] ?? schema);
}

export const componentOf = ({ $ref }: Json): string | null =>
  typeof $ref === 'string' ? $ref.slice($ref.lastIndexOf('/') + 1) : null;

/** zod writes the id into the schema; in a component it is the key. Its example is a component too. */
function keep(components: Components, id: string, { id: _id, $id: _uri, examples, ...schema }: Json): void {
  components.schemas[id] ??= schema;
  if (Array.isArray(examples)) components.examples[id] ??= { value: examples[0] };
}

/** Says no more than is meant. Answers are open: a field may be added to them, as clients are told to expect. */
const tidy = (io: Io) =>
  function tidyNode(_key: string, node: unknown): unknown {
    if (typeof node !== 'object' || node === null || Array.isArray(node)) return node;
    const schema = node as Json;
    // Bounds of every integer in JavaScript, and patterns that only spell a format out.
    if (schema.minimum === Number.MIN_SAFE_INTEGER) delete schema.minimum;
    if (schema.maximum === Number.MAX_SAFE_INTEGER) delete schema.maximum;
    if (typeof schema.format === 'string') delete schema.pattern;
    if (io === 'output' && schema.additionalProperties === false) delete schema.additionalProperties;
    return schema;
  };

/**
 * What a GET with `fields=` answers: whichever members were asked for, and always the id. Of a page, its rows. One schema
 * for both ways to ask, because a generated client does not know which one was taken.
 */
export function readOf(schema: Json, components: Components): Json {
  const { properties } = resolved(schema, components) as { properties?: Record<string, Json> };
  const { data } = properties ?? {};
  if (data?.items === undefined) return partOf(schema, components);
  return { ...schema, properties: { ...properties, data: { ...data, items: partOf(data.items as Json, components) } } };
}

function partOf(schema: Json, components: Components): Json {
  const name = componentOf(schema);
  if (name === null) return { ...schema, required: ['id'] };
  const id = name.endsWith('Read') ? name : `${name}Read`;
  const whole = resolved(schema, components);
  components.schemas[id] = {
    ...whole,
    description: 'Whole, or with `fields=` the members it names; the id is always there.',
    required: ['id'],
  };
  const example = components.examples[name];
  if (example !== undefined) components.examples[id] ??= example;
  return refTo(id);
}
