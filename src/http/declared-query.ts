import type { Fault } from '../core/errors.ts';
import type { Prefix } from '../core/id.ts';
import { type FilterKind, fault, parseFilter, strayParameters } from '../core/query-values.ts';
import type { QueryParameter } from './route.ts';

/** Parameters of a special route whose values are read as filters are. Ids are of this kind. */
export type Declared = Readonly<Record<string, QueryParameter & { kind: FilterKind; prefix?: Prefix }>>;

/**
 * What is asked, as far as it is right, and what is wrong with the rest. An id that is none is `none`; instants are UTC text.
 */
export function readDeclared(
  declared: Declared,
  params: URLSearchParams,
): { values: Partial<Record<string, string>>; faults: Fault[] } {
  const values: Partial<Record<string, string>> = {};
  const faults = strayParameters(params, Object.keys(declared));
  for (const [name, parameter] of Object.entries(declared)) {
    const text = params.get(name) ?? '';
    if (text === '' && parameter.required === true) faults.push(fault(name, 'required', 'Is required.'));
    else if (params.has(name)) {
      const parsed = parseFilter(name, parameter, text);
      if ('fault' in parsed) faults.push(parsed.fault);
      else values[name] = String(parsed.value);
    }
  }
  return { values, faults };
}
