import { AppError, type Fault } from './errors.ts';
import { type Prefix, parseId } from './id.ts';
import { BEYOND, BEYOND_SEARCH, isDate, isNear, isSearched, parseInstant } from './instant.ts';

export type FilterKind = 'enum' | 'enumList' | 'boolean' | 'instant' | 'id' | 'idList' | 'date' | 'text';
export type FilterDeclaration = { kind: FilterKind; values?: readonly string[]; prefix?: Prefix; description: string };
export type FilterValue = string | boolean | readonly string[];

/** A filter's value, and the one spelling of it that all equal ones share; or what is wrong with it. */
type ParsedValue = { value: FilterValue; canonical: string } | { fault: Fault };

const MAX_FAULT_LENGTH = 60;
const MAX_TEXT = 200;

export function fault(parameter: string, code: string, detail: string): Fault {
  // A parameter's name may be anything a caller typed; a problem document is not the place for kilobytes of it.
  const name = parameter.length > MAX_FAULT_LENGTH ? `${parameter.slice(0, MAX_FAULT_LENGTH)}…` : parameter;
  return { parameter: name.toWellFormed(), code, detail };
}

/** What is wrong with the names of a query: those that nobody declared, and those that are given more than once. */
export function strayParameters(params: URLSearchParams, allowed: readonly string[]): Fault[] {
  return [...new Set(params.keys())].flatMap((name) => {
    if (!allowed.includes(name)) return [fault(name, 'unknown_parameter', `Allowed: ${allowed.join(', ')}.`)];
    return params.getAll(name).length > 1 ? [fault(name, 'duplicate_parameter', 'Must be given once.')] : [];
  });
}

/** What a query with these faults, one at least, is refused with; where they are all of one telling kind, with that. */
export function queryRefusal(faults: Fault[]): AppError {
  const [first] = faults;
  const only = faults.every((each) => each.code === first?.code) ? first?.code : '';
  const code = only === 'unknown_parameter' || only === 'use_cursor' ? only : 'invalid_parameter';
  return new AppError(code, `${first?.parameter}: ${first?.detail}`, { faults });
}

/** The items of a comma-separated list, sorted and without repeats. */
export function listItems(text: string): string[] {
  return text.includes(',') ? [...new Set(text.split(','))].sort() : [text];
}

/**
 * One query parameter by its declaration. Ids become uuid text; an id that is malformed or of another kind is no fault,
 * it matches nothing and becomes 'none'. Instants become UTC ISO text with milliseconds.
 */
export function parseFilter(name: string, declaration: FilterDeclaration, text: string): ParsedValue {
  switch (declaration.kind) {
    case 'boolean':
      if (text === 'true' || text === 'false') return { value: text === 'true', canonical: text };
      return { fault: fault(name, 'invalid_value', 'Must be true or false.') };
    case 'enum':
      if (declaration.values?.includes(text)) return { value: text, canonical: text };
      return { fault: fault(name, 'unknown_value', `Must be one of ${declaration.values?.join(', ')}.`) };
    case 'enumList': {
      const items = listItems(text);
      if (items.every((item) => declaration.values?.includes(item))) return { value: items, canonical: items.join() };
      return { fault: fault(name, 'unknown_value', `Must be some of ${declaration.values?.join(', ')}.`) };
    }
    case 'id': {
      const id = publicAndUuid(declaration, text);
      return { value: id.uuid, canonical: id.public };
    }
    case 'idList': {
      const ids = listItems(text).map((item) => publicAndUuid(declaration, item));
      const uuids = [...new Set(ids.map((id) => id.uuid))].sort();
      return { value: uuids, canonical: [...new Set(ids.map((id) => id.public))].sort().join() };
    }
    case 'instant': {
      // An offset's plus sign reads as a space when a caller forgot to encode it; nothing else can stand there.
      const instant = parseInstant(text.replace(/ (?=[0-9]{2}:[0-9]{2}$)/, '+'));
      if (instant !== null) return within(isSearched(instant), name, instant, BEYOND_SEARCH);
      return {
        fault: fault(name, 'invalid_value', 'Must be an RFC 3339 instant with offset, such as 2026-01-31T09:00:00Z.'),
      };
    }
    case 'date':
      if (isDate(text)) return within(isNear(text), name, text, BEYOND);
      return { fault: fault(name, 'invalid_value', 'Must be a date, such as 2026-01-31.') };
    case 'text':
      if (text !== '' && text.length <= MAX_TEXT && !text.includes('\0')) return { value: text, canonical: text };
      return { fault: fault(name, 'invalid_value', `Must be 1 to ${MAX_TEXT} characters without NUL.`) };
  }
}

const within = (isIn: boolean, name: string, text: string, beyond: string): ParsedValue =>
  isIn ? { value: text, canonical: text } : { fault: fault(name, 'out_of_range', beyond) };

function publicAndUuid(declaration: FilterDeclaration, text: string): { uuid: string; public: string } {
  const uuid = declaration.prefix === undefined ? null : parseId(declaration.prefix, text);
  return uuid === null ? { uuid: 'none', public: 'none' } : { uuid, public: text };
}

/** A search text, trimmed and in Unicode NFC, of 1 to 100 characters without NUL; or what is wrong with it. */
export function parseSearch(text: string): ParsedValue {
  const search = text.trim().normalize('NFC');
  // Counting code points costs; a text of twice as many UTF-16 units need not be counted.
  const length = search.length > 200 ? search.length : [...search].length;
  if (length >= 1 && length <= 100 && !search.includes('\0')) return { value: search, canonical: search };
  return { fault: fault('search', 'invalid_value', 'Must be 1 to 100 characters after trimming, without NUL.') };
}
