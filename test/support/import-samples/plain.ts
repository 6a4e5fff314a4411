import type { Importer } from '../../../src/resources/importer.ts';
import type { Json } from '../api.ts';
import { csv, nobody, type Sample } from './sample.ts';

/** What files may refer to here, by the member that names it. */
const REFERRED: Readonly<Record<string, string>> = { branchExternalId: 'branches', clientExternalId: 'clients' };

const cellOf = (value: unknown): unknown =>
  Array.isArray(value) && value.every((each) => typeof each === 'string') ? value.join('|') : value;
const without = (line: Json, names: readonly string[]): Json =>
  Object.fromEntries(Object.entries(line).filter(([name]) => !names.includes(name)));

/** Of a resource of which nothing particular is to be told: lines like the example of its importer, and what each may not lack. */
export function plainSample({ resource, example, needs }: Importer): Sample {
  const line = (externalId: string): Json => ({ ...example, externalId });
  const lines = [line('plain-1'), line('plain-2')];
  const references = Object.keys(example).filter((name) => REFERRED[name] !== undefined);
  const shown = without(
    { ...example },
    Object.keys(example).filter((name) => name.includes('xternalId')),
  );
  return {
    resource,
    csv: csv(Object.keys(example), ...lines.map((each) => Object.keys(example).map((name) => cellOf(each[name])))),
    lines,
    faulty: [
      ...needs
        .filter(({ columns: [first = ''] }) => first in example)
        .map(({ columns }): [Json, string[]] => [
          without(line(`lacks-${columns[0]}`), columns),
          [`/${columns[0]} invalid_body`],
        ]),
      ...references.map((name): [Json, string[]] => [
        { ...line(`names-${name}`), [name]: 'nowhere' },
        [`/${name} ${nobody}`],
      ]),
    ],
    shown: {
      'plain-2': (ids) => ({
        ...shown,
        ...Object.fromEntries(
          references.map((name) => [
            name.replace('ExternalId', 'Id'),
            ids(REFERRED[name] ?? '', String(example[name])),
          ]),
        ),
      }),
    },
  };
}
