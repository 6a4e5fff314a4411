import { expect, test } from 'vitest';
import type { Json } from '../../support/api.ts';
import { openCompany } from '../../support/company.ts';
import { expectProblem } from '../../support/problem.ts';
import { sharedWorld } from '../../support/shared.ts';

const world = await sharedWorld();
const salon = await openCompany(world);

const KEPT: Record<string, string | number | boolean> = {
  empty: '',
  spaces: '  a b \t',
  lines: '\r\nx\n',
  decomposed: 'Mu\u0308ller',
  composed: 'Müller',
  ligature: '\ufb01\u200d\u202e\ufeff',
  family: '👩‍👩‍👧',
  quotes: `"'\\</script>\u2028`,
  ' key ': 'x',
  'u\u0308': 'x',
  'a/b~c.d': 'x',
  constructor: 'x',
  '10': 'x',
  one: 1.0,
  thousand: 1e3,
  most: 9007199254740991,
  least: -9007199254740991,
  tenth: 0.1,
  thirds: 1 / 3,
  tiny: 5e-324,
  yes: true,
  no: false,
};

test('custom fields come back as they were sent, by every way in and out', async () => {
  const { json: made } = await salon.api.post('/clients', { firstName: 'A', customFields: { ...KEPT, none: null } });
  expect(made.customFields).toEqual(KEPT);
  const read = async (path: string, revision: number): Promise<Json> =>
    (await salon.api.get(path, { headers: { 'Min-Revision': String(revision) } })).json;
  const { json: other, revision } = await salon.api.post('/clients', { firstName: 'B' });
  expect((await read(`/clients/${made.id}`, revision)).customFields).toEqual(KEPT);
  const patched = await salon.api.patch(`/clients/${other.id}`, { customFields: { ...KEPT, gone: null } });
  expect(patched.json.customFields).toEqual(KEPT);
  await salon.api.post('/clients/bulk', { mode: 'atomic', items: [{ firstName: 'C', customFields: KEPT }] });
  const file = await salon.api.get('/clients/export?fields=customFields');
  const rows = file.text.split('\n').slice(0, 3);
  for (const row of rows) expect((JSON.parse(row) as Json).customFields).toEqual(KEPT);
});

test('what could not come back as it was sent is refused', async () => {
  for (const [value, code] of [
    [9007199254740992, 'out_of_range'],
    [-1e300, 'out_of_range'],
    ['a\0', 'invalid_text'],
    ['\ud800', 'invalid_text'],
  ] as const) {
    const [fault] = expectProblem(
      await salon.api.post('/clients', { firstName: 'A', customFields: { size: value } }),
      'invalid_body',
    );
    expect([fault?.pointer, fault?.code]).toEqual(['/customFields/size', code]);
  }
  // The last of two members of one name counts; which of them a sender means, JSON does not say.
  const twice = await salon.api.ask('POST', '/clients', {
    raw: '{"firstName":"A","customFields":{"a":1,"a":2}}',
    headers: { 'Content-Type': 'application/json' },
  });
  expect(twice.json.customFields).toEqual({ a: 2 });
});
