import { appendFileSync } from 'node:fs';
import { join } from 'node:path';
import { Ajv2020, type ValidateFunction } from 'ajv/dist/2020.js';
import addFormats from 'ajv-formats';
import { inject } from 'vitest';
import { codesOf, PROBLEM, type Schema } from './described.ts';
import { document, documented, resolved } from './document.ts';
import type { Answer } from './exchange.ts';
import { type Operation, operationOf } from './operations.ts';

/** Answers are open in the document, so that fields may be added; ours have no member that nobody documented. */
function closed(node: unknown): unknown {
  if (typeof node !== 'object' || node === null) return node;
  if (Array.isArray(node)) return node.map(closed);
  const copy = Object.fromEntries(Object.entries(node).map(([key, part]) => [key, closed(part)]));
  return 'properties' in copy && !('additionalProperties' in copy) && copy.type === 'object'
    ? { ...copy, additionalProperties: false }
    : copy;
}

// Compiled in a third of the time: each process compiles all, and what it makes runs some thousand times.
const ajv = new Ajv2020({ strict: false, allErrors: true, inlineRefs: false, code: { optimize: false } });
addFormats.default(ajv);
ajv.addSchema({ $id: 'api', components: { schemas: closed(document.components.schemas) } });

const compiled = new Map<string, ValidateFunction>();

function validatorOf(name: string, schema: () => Schema): ValidateFunction {
  let validator = compiled.get(name);
  if (validator === undefined) {
    validator = ajv.compile(JSON.parse(JSON.stringify(closed(schema())).replaceAll('"#/', '"api#/')) as Schema);
    compiled.set(name, validator);
  }
  return validator;
}

const problemSchema: Schema = { $ref: '#/components/schemas/Problem' };

/**
 * Checks an answer against the OpenAPI document: status, media type, body, and the code of a problem. What no route takes
 * must be refused as such. Notes what was seen, so that the whole run can tell what no test produces.
 * @param path below `/api/v1`, with its query
 * @throws Error naming the request and what is wrong with its answer
 */
export function checkAnswer(method: string, path: string, answer: Answer): void {
  const at = path.split(/[?#]/, 1)[0] ?? '';
  if (method === 'OPTIONS' || at === '/openapi.json') return;
  const fail: Fail = (what) => {
    throw new Error(`${method} ${path} answered against its contract: ${what}\n${answer.status} ${answer.text}`);
  };
  const operation = operationOf(method === 'HEAD' ? 'GET' : method, at);
  if (method === 'HEAD') {
    if (answer.text !== '') fail('HEAD has a body');
    return;
  }
  if (operation === null) {
    if (answer.status !== 404 && answer.status !== 405) fail('no route takes this');
    checkBody('Problem', problemSchema, answer.text, fail);
    return;
  }
  const short = answer.status < 300 && /[?&]fields=/.test(path);
  const code = checkOperation(operation, short, answer, fail);
  note(`${operation.name} ${answer.status}${code === null ? '' : ` ${code}`}`);
}

type Fail = (what: string) => never;

/** @returns the code of a problem */
function checkOperation(operation: Operation, short: boolean, answer: Answer, fail: Fail): string | null {
  const { status, text } = answer;
  const response = documented(operation).responses[status] ?? fail(`the status ${status} is not documented`);
  if (response.content === undefined) return text === '' ? null : fail('no body is documented');
  const type = (answer.headers.get('content-type') ?? '').split(';', 1)[0] ?? '';
  const schema = response.content[type]?.schema ?? fail(`the media type ${type || 'none'} is not documented`);
  if (type === PROBLEM) {
    const problem = checkBody('Problem', problemSchema, text, fail) as { status: number; code: string };
    if (problem.status !== status) fail(`the problem says ${problem.status}`);
    if (!codesOf(response).includes(problem.code)) fail(`the code ${problem.code} is not documented`);
    return problem.code;
  }
  for (const [header, declared] of Object.entries(response.headers ?? {})) {
    if (resolved(declared).required === true && !answer.headers.has(header)) fail(`the header ${header} is missing`);
  }
  const what = `${operation.name} ${status} ${short} ${text}`;
  if (type === 'application/json' && !passed.has(what)) {
    const value = checkBody(`${operation.name} ${status}`, schema, text, fail);
    // Without `fields=` an object is whole, which the document cannot say.
    const { success } = operation.spec;
    if (!short && status === success.status) success.schema?.().parse(value);
    remember(what);
  }
  return null;
}

/** Bodies that were found right lately: a cache answers the same one again and again. */
const passed = new Set<string>();
const [MOST_PASSED, LONGEST_PASSED] = [200, 100_000];
function remember(what: string): void {
  if (what.length > LONGEST_PASSED) return;
  passed.add(what);
  const [oldest] = passed;
  if (passed.size > MOST_PASSED && oldest !== undefined) passed.delete(oldest);
}

function checkBody(name: string, schema: Schema, text: string, fail: Fail): unknown {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return fail('the body is no JSON');
  }
  const validate = validatorOf(name, () => schema);
  if (!validate(value)) fail(ajv.errorsText(validate.errors, { separator: '\n' }));
  return value;
}

const noted = new Set<string>();

/** Appends what this process has not noted yet. */
function note(line: string): void {
  if (noted.has(line)) return;
  noted.add(line);
  appendFileSync(join(inject('seen'), `${process.pid}.txt`), `${line}\n`);
}
