import { type Components, componentOf, type Json } from './schemas.ts';

const INSTANT = '2026-03-02T09:30:00.000Z';
const FORMATS: Readonly<Record<string, unknown>> = {
  'date-time': INSTANT,
  date: '2026-03-02',
  email: 'anna@example.com',
};

/** An example of a schema: its own, or one made of those of its parts. Undefined where nobody gave one. */
export function exampleOf(schema: Json, components: Components): unknown {
  const name = componentOf(schema);
  if (name !== null) {
    return components.examples[name]?.value ?? exampleOf(components.schemas[name] ?? {}, components);
  }
  const { examples, enum: values, anyOf, oneOf, allOf, type, format } = schema;
  if (Array.isArray(examples)) return examples[0];
  if ('const' in schema) return schema.const;
  if ('default' in schema) return schema.default;
  if (Array.isArray(values)) return values[0];
  const [first] = (anyOf ?? oneOf ?? allOf ?? []) as Json[];
  if (first !== undefined) return exampleOf(first, components);
  if (type === 'array') return itemsOf(schema, components);
  if (type === 'object') return objectOf(schema, components);
  if (type === 'integer' || type === 'number') return schema.minimum ?? 1;
  if (type === 'boolean') return true;
  return typeof format === 'string' ? FORMATS[format] : undefined;
}

function itemsOf({ items }: Json, components: Components): unknown[] {
  const item = exampleOf((items ?? {}) as Json, components);
  return item === undefined ? [] : [item];
}

function objectOf({ properties = {} }: Json, components: Components): Json {
  const members = Object.entries(properties as Record<string, Json>).map(([name, part]): [string, unknown] => [
    name,
    exampleOf(part, components),
  ]);
  return Object.fromEntries(members.filter(([, value]) => value !== undefined));
}

/** `example` of a media type: by reference where a component has it. */
export function mediaOf(schema: Json, components: Components): Json {
  const name = componentOf(schema);
  if (name !== null && components.examples[name] !== undefined) {
    return { schema, examples: { usual: { $ref: `#/components/examples/${name}` } } };
  }
  const value = exampleOf(schema, components);
  return value === undefined ? { schema } : { schema, examples: { usual: { value } } };
}
