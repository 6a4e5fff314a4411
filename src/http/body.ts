import type * as z from 'zod';
import { AppError, ERROR_CODES, type ErrorCode, type Fault } from '../core/errors.ts';
import { pointer } from '../core/json.ts';
import type { AppContext } from './context.ts';
import { MOST_FAULTS } from './faults.ts';
import { oddMembers } from './odd-members.ts';

/** Largest JSON body, bytes (contract 2). */
const MOST_BYTES = 1024 * 1024;
/** Of callers nobody knows: no limit of a company counts what they send. */
const MOST_ANONYMOUS_BYTES = 16 * 1024;

/** Of a body that is too large so much is read all the same. */
const MOST_DROPPED_BYTES = 64 * 1024;
/** Of a body that does not say how long it is so much is read before it is taken for the longest. */
const LITTLE_BYTES = 32 * 1024;

/** Told the size of a body before it is read, as far as that is known: when it may be. */
type MayRead = (bytes: number) => Promise<void>;

const JSON_TYPES = /^application\/json(?:\s*;.*)?$/i;
const PATCH_TYPES = /^application\/(?:json|merge-patch\+json)(?:\s*;.*)?$/i;
const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: false });

/**
 * The JSON value of a body, unvalidated; undefined when it is empty.
 * @throws AppError unsupported_media_type, payload_too_large, malformed_json
 */
export async function readJson(c: AppContext, mayRead: MayRead): Promise<unknown> {
  const most = c.env.state.principal === null ? MOST_ANONYMOUS_BYTES : MOST_BYTES;
  const length = c.req.header('Content-Length');
  const declared = Number(length ?? '0');
  if (declared > Math.max(most, MOST_DROPPED_BYTES)) throw tooLarge(most);
  await mayRead(declared).catch(async (error: unknown) => {
    await drop(c.req.raw.body, most);
    throw error;
  });
  if (length === '0') return undefined;
  const isTold = length !== undefined || c.req.raw.body === null;
  const bytes = await readBounded(c.req.raw.body, most, isTold ? null : mayRead);
  if (bytes.byteLength === 0) return undefined;
  const type = c.req.header('Content-Type') ?? '';
  if (!(c.req.method === 'PATCH' ? PATCH_TYPES : JSON_TYPES).test(type)) {
    throw new AppError('unsupported_media_type', 'Send the body as application/json.');
  }
  refuseCoding(c);
  try {
    return JSON.parse(decoder.decode(bytes));
  } catch {
    throw new AppError('malformed_json', 'The body is not valid JSON in UTF-8.');
  }
}

/** Nothing here unpacks: a packed body would be read as broken. @throws AppError unsupported_media_type */
export function refuseCoding(c: AppContext): void {
  const coding = c.req.header('Content-Encoding') ?? 'identity';
  if (coding.toLowerCase() === 'identity') return;
  throw new AppError('unsupported_media_type', 'Send the body as it is, without a Content-Encoding.');
}

/** What is a little too much is read to its end and dropped: who still sends would see a broken pipe instead of an answer. */
async function readBounded(
  stream: ReadableStream<Uint8Array> | null,
  most: number,
  mayRead: MayRead | null,
): Promise<Uint8Array> {
  if (stream === null) return new Uint8Array();
  let chunks: Uint8Array[] = [];
  let size = 0;
  const refusals: unknown[] = [];
  for await (const chunk of stream) {
    if (mayRead !== null && size <= LITTLE_BYTES && size + chunk.byteLength > LITTLE_BYTES)
      await mayRead(most).catch((error: unknown) => void refusals.push(error));
    size += chunk.byteLength;
    if (size > Math.max(most, MOST_DROPPED_BYTES)) break;
    if (size > most || refusals.length > 0) chunks = [];
    else chunks.push(chunk);
  }
  if (refusals.length > 0) throw refusals[0];
  if (size > most) throw tooLarge(most);
  return chunks.length === 1 && chunks[0] !== undefined ? chunks[0] : Buffer.concat(chunks);
}

/** Reads a body that nobody looks at, for the same reason. */
async function drop(stream: ReadableStream<Uint8Array> | null, most: number): Promise<void> {
  let size = 0;
  for await (const chunk of stream ?? []) {
    size += chunk.byteLength;
    if (size > most) return;
  }
}

const tooLarge = (most: number): AppError => new AppError('payload_too_large', `A body may have ${most} bytes here.`);

/**
 * The body as `schema` describes it.
 * @param most so many faults are made, the others counted
 * @throws AppError empty_body, or invalid_body naming faults by JSON pointer
 */
export function validate<S extends z.ZodType>(schema: S, value: unknown, most: number = MOST_FAULTS): z.output<S> {
  if (value === undefined) throw new AppError('empty_body', 'This needs a JSON body.');
  return judge(schema, value, oddMembers(value), most);
}

/** The same for a value whose parts are judged one by one later. */
export const validateShell = <S extends z.ZodType>(schema: S, value: unknown): z.output<S> =>
  judge(schema, value ?? null, { faults: [], large: false }, MOST_FAULTS);

function judge<S extends z.ZodType>(
  schema: S,
  value: unknown,
  odd: ReturnType<typeof oddMembers>,
  most: number,
): z.output<S> {
  // What has too many members is not looked through: each wrong one would cost more than it took to send.
  const parsed = odd.large ? null : schema.safeParse(value);
  if (parsed?.success === true && odd.faults.length === 0) return parsed.data;
  throw invalidBody(parsed?.error?.issues ?? [], value, odd.faults, most);
}

/** The refusal of a body with these issues, and what is odd about it besides. */
export function invalidBody(
  issues: readonly Issue[],
  value: unknown,
  odd: readonly Fault[] = [],
  most: number = MOST_FAULTS,
): AppError {
  const said = new Set(odd.map((fault) => fault.pointer));
  const faults = [...odd];
  let omitted = 0;
  for (const issue of issues) {
    const room = most - faults.length;
    const own = faultsOf(issue, value, Math.max(0, room)).filter(({ pointer }) => !said.has(pointer));
    faults.push(...own);
    omitted += Math.max(0, sizeOf(issue) - Math.max(0, room));
  }
  const own = ownCode(faults);
  return new AppError(own ?? 'invalid_body', own === null ? 'The body has faults; see errors.' : faults[0]?.detail, {
    faults,
    ...(omitted > 0 && { extra: { errorsOmitted: omitted } }),
  });
}

/** The code that all faults share, where it is one of refusals. */
function ownCode([first, ...others]: readonly Fault[]): ErrorCode | null {
  const code = first?.code ?? '';
  if (!Object.hasOwn(ERROR_CODES, code) || others.some((other) => other.code !== code)) return null;
  return ERROR_CODES[code as ErrorCode].status === 422 ? (code as ErrorCode) : null;
}

type Issue = z.core.$ZodIssue;

const sizeOf = (issue: Issue): number => (issue.code === 'unrecognized_keys' ? issue.keys.length : 1);

/** Types of JSON, as sentences say them. */
const WORDS: Readonly<Record<string, string>> = {
  ...{ int: 'a whole number', number: 'a number', string: 'a string', boolean: 'true or false' },
  ...{ object: 'an object', record: 'an object', array: 'an array' },
};

/** The faults of an issue, at most `most`. */
function faultsOf(issue: Issue, body: unknown, most: number): Fault[] {
  if (most === 0) return [];
  const at = pointer(issue.path);
  switch (issue.code) {
    case 'unrecognized_keys':
      return issue.keys.slice(0, most).map((key) => ({
        pointer: at + pointer([key]),
        code: 'unknown_field',
        detail: 'This field does not exist here.',
      }));
    case 'invalid_type': {
      const absent =
        issue.path.reduce<unknown>((v, key) => (v as Record<PropertyKey, unknown> | null | undefined)?.[key], body) ===
        undefined;
      return [
        absent
          ? { pointer: at, code: 'required', detail: 'This field is required.' }
          : { pointer: at, code: 'invalid_type', detail: `Must be ${WORDS[issue.expected] ?? issue.expected}.` },
      ];
    }
    case 'too_small':
      return [{ pointer: at, code: 'too_small', detail: issue.message }];
    case 'too_big':
      return [{ pointer: at, code: 'too_big', detail: issue.message }];
    case 'invalid_value':
      return [
        { pointer: at, code: 'invalid_value', detail: `Must be one of: ${issue.values.map(String).join(', ')}.` },
      ];
    case 'custom':
      return [{ pointer: at, code: String(issue.params?.code ?? 'invalid'), detail: issue.message }];
    default:
      return [{ pointer: at, code: issue.code, detail: issue.message }];
  }
}
