import { appendFileSync } from 'node:fs';
import { join } from 'node:path';
import { Ajv2020, type ValidateFunction } from 'ajv/dist/2020.js';
import addFormats from 'ajv-formats';
import { inject } from 'vitest';
import { codesOf, document, documented, PROBLEM, type Schema } from './document.ts';
import { type Operation, operationOf } from './operations.ts';

/** What is known of an answer when it is checked. */
export type Answer = { status: number; headers: Headers; text: string };

// Objects are closed in the document itself, so a member that nobody documented is a fault of the answer.
const ajv = new Ajv2020({ strict: false, allErrors: true });
addFormats.default(ajv);
ajv.addSchema({ $id: 'api', components: document.components });

const compiled = new Map<string, ValidateFunction>();

function validatorOf(name: string, schema: () => Schema): ValidateFunction {
  let validator = compiled.get(name);
  if (validator === undefined) {
    validator = ajv.compile(JSON.parse(JSON.stringify(schema()).replaceAll('"#/', '"api#/')) as Schema);
    compiled.set(name, validator);
  }
  return validator;
}

const resolved = (schema: Schema): Schema => {
  const name = /^#\/components\/schemas\/(.+)$/.exec(String(schema.$ref ?? ''))?.[1];
  return name === undefined ? schema : (document.components.schemas[name] ?? schema);
};

/** With `fields=` an object shows what was asked for, and always its id. */
function projected(schema: Schema): Schema {
  const own = resolved(schema) as Schema & { properties?: Record<string, Schema> };
  const { data } = own.properties ?? {};
  if (data?.items === undefined) return { ...own, required: own.properties?.id === undefined ? [] : ['id'] };
  return { ...own, properties: { ...own.properties, data: { ...data, items: projected(data.items as Schema) } } };
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
  const name = `${operation.name} ${status}`;
  if (type === 'application/json')
    checkBody(short ? `${name} projected` : name, short ? projected(schema) : schema, text, fail);
  return null;
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
