import * as z from 'zod';
import type { Cell } from './importer.ts';

/**
 * Where a column of CSV goes: `firstName`, `customFields.shoe`, `price.amount`, or a member of an object of a list, counted
 * from 1: `lines.1.unitPrice.amount`, whose place in the path is a number. An empty cell
 * says null: of its field or member (`clears`), or of the whole field when all its cells are (`clearsField`); else nothing.
 */
export type Place = { path: readonly (string | number)[]; cell: Cell; clears: boolean; clearsField: boolean };

type Type = z.core.$ZodType;

/** The place of a row that a column names; null when there is none. */
export function placeOf(schema: z.ZodObject, name: string): Place | null {
  const steps = name.split('.');
  const path: (string | number)[] = [];
  let type = bare(schema);
  const field = Object.hasOwn(schema.shape, steps[0] ?? '') ? (schema.shape[steps[0] ?? ''] as Type) : null;
  const clearsField = field !== null && takesNull(field);
  for (const [depth, step] of steps.entries()) {
    if (type instanceof z.ZodRecord) {
      const member = steps.slice(depth).join('.');
      return member === '' ? null : { path: [...path, member], cell: 'text', clears: true, clearsField };
    }
    if (type instanceof z.ZodObject && Object.hasOwn(type.shape, step)) {
      path.push(step);
      type = bare(type.shape[step] as Type);
    } else if (type instanceof z.ZodArray && isObject(type.element) && /^[1-9][0-9]{0,2}$/.test(step)) {
      path.push(Number(step));
      type = bare(type.element);
    } else return null;
  }
  // `lines.1` is no place: its members are.
  if (typeof path.at(-1) === 'number') return null;
  return { path, cell: cellOf(type), clears: path.length === 1, clearsField };
}

/** Columns of CSV, for people: fields, and how members are named of those that have some. */
export const columnsOf = (schema: z.ZodObject): string[] =>
  Object.entries(schema.shape).flatMap(([name, of]) => namesOf(name, bare(of)));

function namesOf(name: string, type: Type): string[] {
  if (type instanceof z.ZodRecord) return [name, `${name}.<key>`];
  if (type instanceof z.ZodObject) return [name, ...Object.keys(type.shape).map((member) => `${name}.${member}`)];
  if (type instanceof z.ZodArray && isObject(type.element)) return [name, `${name}.<n>.<member>`];
  return [name];
}

const isObject = (type: Type): boolean => bare(type) instanceof z.ZodObject;

/** What a schema is about, whatever it says of absence, null and what is made of the value. */
function bare(schema: Type): Type {
  if (schema instanceof z.ZodOptional || schema instanceof z.ZodNullable) return bare(schema.unwrap());
  if (schema instanceof z.ZodPipe) return bare(schema.in instanceof z.ZodTransform ? schema.out : schema.in);
  return schema;
}

function takesNull(schema: Type): boolean {
  if (schema instanceof z.ZodOptional) return takesNull(schema.unwrap());
  return schema instanceof z.ZodNullable || (schema instanceof z.ZodPipe && takesNull(schema.in));
}

function cellOf(type: Type): Cell {
  if (type instanceof z.ZodNumber) return 'number';
  if (type instanceof z.ZodBoolean) return 'boolean';
  if (type instanceof z.ZodArray) return isObject(type.element) ? 'json' : 'list';
  return type instanceof z.ZodObject || type instanceof z.ZodRecord ? 'json' : 'text';
}
