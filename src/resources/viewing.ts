import type * as z from 'zod';
import { lazy } from '../core/lazy.ts';
import type { ListDeclaration } from '../core/list-query.ts';
import type { Row } from '../data/log.ts';
import type { Schema } from '../http/schemas.ts';
import type { Resource } from './resource.ts';

/** As one of its schemas shows it: the object, and the fields that may be asked for. */
export function viewing(
  { members, list }: { members: Resource['members']; list: Omit<ListDeclaration, 'fields'> },
  schema: Schema<z.ZodObject>,
): Pick<Resource, 'shown' | 'view' | 'list'> {
  // Spread, a list of another schema would build that schema.
  const { filters, sorts, includes, search } = list;
  const names = lazy(() => Object.keys(schema().shape));
  const parts = lazy(() =>
    names().map((name): [string, (row: Row) => unknown] => {
      const member = members.get(name);
      if (member === undefined) throw new Error(`${name} is no column and is not computed`);
      return [name, member];
    }),
  );
  return {
    shown: schema,
    view(row) {
      const object: Record<string, unknown> = {};
      for (const [name, of] of parts()) object[name] = of(row);
      return object;
    },
    list: {
      ...{ filters, sorts, ...(includes !== undefined && { includes }), ...(search !== undefined && { search }) },
      get fields() {
        return names();
      },
    },
  };
}
