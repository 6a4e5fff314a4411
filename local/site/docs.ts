import { ERROR_CODES } from '../../src/core/errors.ts';
import { type RouteSpec, templated } from '../../src/http/route.ts';
import { exampleOf } from './examples.ts';
import type { Page } from './pages.ts';
import { parametersOf } from './parameters.ts';
import { errorsOf } from './route-errors.ts';
import { resolved, schemaOf } from './schemas.ts';

const escaped = (text: string): string =>
  text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;').replaceAll('"', '&quot;');

/**
 * The page `/docs`: every operation in a line, and every error code under the anchor that a problem's `type` names.
 * @param style what it looks like
 */
export function docsPage(base: string, specs: readonly RouteSpec[], style: Page): string {
  const tags = [...new Set(specs.map(({ tag }) => tag))];
  const operations = tags
    .map((tag) =>
      section(
        base,
        tag,
        specs.filter((spec) => spec.tag === tag),
      ),
    )
    .join('\n');
  const codes = Object.entries(ERROR_CODES).map(
    ([code, { status, title }]) =>
      `<tr id="${code}"><th scope="row"><code>${code}</code></th><td class="number">${status}</td><td>${escaped(title)}</td></tr>`,
  );
  return shell(base, operations, codes.join('\n'), style);
}

function section(base: string, tag: string, specs: readonly RouteSpec[]): string {
  const rows = specs.map((spec) => {
    const needs = spec.anonymous === true ? 'no sign-in' : (spec.permission ?? 'any role or key');
    return `<tr><th scope="row"><span class="method">${spec.method.toUpperCase()}</span> <code>${escaped(base + templated(spec.path))}</code></th><td>${escaped(spec.summary)}${details(spec)}</td><td>${escaped(needs)}</td></tr>`;
  });
  return `<h3>${escaped(tag)}</h3>
<div class="scroll"><table><thead><tr><th>Operation</th><th>What it does</th><th>Needs</th></tr></thead><tbody>
${rows.join('\n')}
</tbody></table></div>`;
}

type Field = { name: string; required: boolean };

/** What an operation takes and how it may refuse, folded away; a star marks what must be there. */
function details(spec: RouteSpec): string {
  const parameters = parametersOf(spec, undefined);
  const rows = [
    ...(['path', 'query', 'header'] as const).map((place) => [place, named(parameters.filter((p) => p.in === place))]),
    ['body', spec.file === undefined ? named(fieldsOf(spec)) : spec.file.join(', ')],
    [
      'errors',
      errorsOf(spec)
        .map((code) => `<a href="#${code}">${code}</a>`)
        .join(' '),
    ],
  ];
  const shown = rows.filter(([, text]) => text !== '').map(([name, text]) => `<dt>${name}</dt><dd>${text}</dd>`);
  return `<details><summary>Takes, answers and refuses</summary><dl>${shown.join('')}</dl>${examples(spec)}</details>`;
}

/** What is sent and answered, where that is JSON. */
function examples({ body, success }: RouteSpec): string {
  const components = { schemas: {}, examples: {}, responses: {} };
  const shown = (
    [
      ['Sent', body, 'input'],
      ['Answered', success.schema, 'output'],
    ] as const
  ).map(([name, schema, io]) => {
    const value = schema ? exampleOf(schemaOf(schema(), io, components), components) : undefined;
    if (value === undefined) return '';
    return `<figure><figcaption>${name}</figcaption><pre>${escaped(JSON.stringify(value, null, 2))}</pre></figure>`;
  });
  return shown.join('');
}

const named = (fields: readonly Field[]): string =>
  fields.map(({ name, required }) => `<code>${escaped(name)}</code>${required ? '*' : ''}`).join(' ');

/** The members of a body, of each form it may have. */
function fieldsOf({ body }: RouteSpec): Field[] {
  if (body === undefined) return [];
  const components = { schemas: {}, examples: {}, responses: {} };
  const schema = resolved(schemaOf(body(), 'input', components), components) as BodySchema;
  const forms = (schema.oneOf ?? schema.anyOf ?? [schema]).map((form) => resolved(form, components) as BodySchema);
  const names = new Set(forms.flatMap(({ properties = {} }) => Object.keys(properties)));
  return [...names].map((name) => ({ name, required: forms.every(({ required = [] }) => required.includes(name)) }));
}

type BodySchema = Record<string, unknown> & {
  properties?: Record<string, unknown>;
  required?: readonly string[];
  oneOf?: Record<string, unknown>[];
  anyOf?: Record<string, unknown>[];
};

function shell(base: string, operations: string, codes: string, { version, integrity }: Page): string {
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>Reference · Clients+</title>
<link rel="icon" href="/favicon.svg" type="image/svg+xml">
<link rel="stylesheet" href="/assets/page.css?v=${version}" integrity="${integrity}">
</head>
<body>
<a class="skip" href="#main">Skip to content</a>
<header class="top">
  <a class="brand" href="/"><img src="/favicon.svg" alt="" width="28" height="28">Clients+</a>
  <nav aria-label="On this page"><a href="#operations">Operations</a><a href="#errors">Errors</a></nav>
</header>
<main id="main" class="docs">
<h1>Reference</h1>
<p>Send <code>Authorization: Bearer …</code> with an access token or an API key, and JSON in and out. What an operation takes and answers unfolds below its
name, with an example, a star for what must be there; types and bounds are in <a href="${base}/openapi.json">the OpenAPI document</a>, which is made from what the operations run on.</p>
<h2 id="operations">Operations</h2>
${operations}
<h2 id="errors">Error codes</h2>
<p>A refusal is <code>application/problem+json</code> (RFC 9457). Its <code>code</code> is stable, its <code>type</code> leads here;
<code>errors</code> names every fault at once and where it is. What is refused has changed nothing, unless a 503 says
<code>outcome: unknown</code>; a repeat with the same <code>Idempotency-Key</code> has one effect. After 429 and 503 wait for <code>Retry-After</code> seconds.</p>
<div class="scroll"><table><thead><tr><th>Code</th><th>Status</th><th>Meaning</th></tr></thead><tbody>
${codes}
</tbody></table></div>
</main>
</body>
</html>
`;
}
