import type { Field } from '../../src/resources/fields.ts';
import type { Resource } from '../../src/resources/resource.ts';
import { drawn } from './many-rows.ts';

// Many rows of a resource of which no more is known than its columns: a new one is measured as those that came before.

/** Rows without a value are kept where the column takes none. */
const orNone = ({ nullable }: Field, value: string): string =>
  nullable ? `case when n % 20 = 4 then null else ${value} end` : value;

/** One value that most have, one of a tenth and one of hardly any. */
const picked = (values: readonly string[]): string =>
  `(array['${values.join("', '")}'])[case when n % 997 = 0 then ${values.length} when n % 10 = 1 then ${Math.min(2, values.length)} else 1 end]`;

function expressionOf(name: string, field: Field, isSorted: boolean): string {
  if (name === 'externalId') return `'X' || i`;
  if (field.reference !== null) return orNone(field, drawn(field.reference.prefix));
  if (field.values.length > 0) return picked(field.values);
  const values: Record<Field['type'], string> = {
    ...{
      boolean: 'n % 10 <> 2',
      number: 'n % 1009',
      instant: 'changed',
      date: 'changed::date',
      uuid: 'gen_random_uuid()',
    },
    ...{ list: `'{}'`, object: `'{}'` },
    text: isSorted
      ? `'N' || (i * 31 % 997)`
      : `case when n % 997 = 0 then 'rare' when n % 101 = 0 then 'hundredth' else 'C' || n % 3 end`,
  };
  return orNone(field, values[field.type]);
}

/** How they are drawn, for `fill`. */
export function plainRows({ tableName, fields, list }: Resource): string {
  const known: Record<string, string> = { companyId: 'c', id: 'id', createdAt: 'made', updatedAt: 'changed' };
  const columns = [...fields].flatMap(([name, field]): [string, string][] =>
    // What the database makes by itself.
    ['version', 'searchText'].includes(name)
      ? []
      : [[field.name, known[name] ?? expressionOf(name, field, list.sorts.includes(name))]],
  );
  return `insert into ${tableName} (${columns.map(([name]) => name).join()}) select ${columns.map(([, value]) => value).join()} from drawn`;
}
