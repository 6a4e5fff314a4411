import { PgDialect } from 'drizzle-orm/pg-core';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { invoiceImporter } from '../../../src/billing/invoices/file.ts';
import { InvoiceFile } from '../../../src/billing/invoices/file-schema.ts';
import { newUuid } from '../../../src/core/id.ts';
import type { Look } from '../../../src/resources/planned.ts';
import { headOf, openStage, type Stage, write } from '../support.ts';
import { line, makeInvoice, makeShop, refused, type Shop } from './books.ts';

// Receipts of another system, as the importer hands them to the database.

let stage: Stage;
let shop: Shop;
beforeAll(async () => {
  stage = await openStage();
  shop = await makeShop(stage);
  await stage.sql(`update branches set external_id = 'centre' where id = $1`, [shop.branch]);
  await stage.sql(
    `insert into clients (company_id, id, first_name, external_id) values ($1, gen_random_uuid(), 'Anna', 'ANNA01')`,
    [shop.company],
  );
});
afterAll(() => stage.close());

const euros = (amount: number) => ({ amount, currency: 'EUR' });
const receipt = (externalId: string, more: Record<string, unknown> = {}): Record<string, unknown> => ({
  externalId,
  branchExternalId: 'centre',
  clientExternalId: 'ANNA01',
  status: 'PAID',
  number: externalId,
  issueDate: '2018-03-15',
  lines: [
    {
      description: 'Women’s hair cut',
      unitPrice: euros(3073),
      taxes: [
        { name: 'GST', rateBasisPoints: 500 },
        { name: 'PST', rateBasisPoints: 800 },
      ],
    },
  ],
  payments: [{ amount: euros(3473), method: 'CARD' }],
  ...more,
});

/** As the owner, whom no wall keeps from reading. */
const look: Look = async (queries) => {
  const rows = await Promise.all(
    queries.map((query) => {
      const { sql, params } = new PgDialect().sqlToQuery(query);
      return stage.sql(sql, params);
    }),
  );
  return { epoch: '', revision: 0, rows: rows as never };
};

async function take(...rows: Record<string, unknown>[]): Promise<unknown> {
  const app = await stage.login();
  const given = rows.map((row) => ({
    value: InvoiceFile().parse(row),
    id: newUuid(),
    cells: false,
  }));
  const rowOf = await invoiceImporter.prepare('externalId', given, { companyId: shop.company, look, now: 0 });
  const read = given.map(rowOf);
  let counts: unknown;
  await write(app, shop.company, async () => {
    const { rows: answer } = await app.query({
      text: invoiceImporter.upsert('externalId'),
      values: [JSON.stringify(read)],
      rowMode: 'array',
    });
    counts = answer[0]?.[0];
  });
  return counts;
}

const stored = async (externalId: string): Promise<unknown> =>
  (
    await stage.sql(
      `select i.status, i.number, i.series, i.total::int, i.balance::int, c.first_name as client, p.business_date::text as paid_on
       from invoices i left join clients c on c.id = i.client_id left join payments p on p.invoice_id = i.id where i.external_id = $1`,
      [externalId],
    )
  )[0];

test('a receipt comes with its number and what was paid, and again stores nothing', async () => {
  expect(await take(receipt('10'), receipt('11', { status: 'VOID', payments: [] }))).toEqual({
    created: 2,
    updated: 0,
    unchanged: 0,
  });
  expect(await stored('10')).toEqual({
    status: 'PAID',
    number: '10',
    series: 'IMPORTED',
    total: 3473,
    balance: 0,
    client: 'Anna',
    paid_on: '2018-03-15',
  });
  expect(await stored('11')).toMatchObject({ status: 'VOID', number: '11', paid_on: null });
  const head = await headOf(stage, shop.company);
  expect(await take(receipt('10'), receipt('11', { status: 'VOID', payments: [] }))).toEqual({
    created: 0,
    updated: 0,
    unchanged: 2,
  });
  expect(await headOf(stage, shop.company)).toBe(head);
});

test('imported numbers leave those of the branch alone', async () => {
  await take(receipt('1'));
  const own = await makeInvoice((text, values) => stage.sql(text, values), shop, [line(1)], { status: 'OPEN' });
  expect(await stage.sql('select number from invoices where id = $1', [own])).toEqual([{ number: '1' }]);
});

test('what was open is paid by a later file, a draft is replaced, and what was issued does not change', async () => {
  expect(await take(receipt('20', { status: 'OPEN', payments: [] }))).toMatchObject({ created: 1 });
  expect(await take(receipt('20'))).toEqual({ created: 0, updated: 1, unchanged: 0 });
  expect(await stored('20')).toMatchObject({ status: 'PAID', balance: 0 });
  const draft = { status: 'DRAFT', number: null, payments: [] };
  await take(receipt('21', draft));
  expect(await take(receipt('21', { ...draft, discount: euros(73) }))).toMatchObject({ updated: 1 });
  expect(await take(receipt('21', { ...draft, discount: euros(73) }))).toMatchObject({ unchanged: 1 });
  expect(await refused(take(receipt('20', { status: 'OPEN', payments: [], discount: euros(1) })))).toMatchObject({
    code: 'invoice_not_draft',
  });
});

test('a number stands once among the imported ones of a branch, a payment once on its invoice', async () => {
  expect(await refused(take(receipt('30', { number: '20' })))).toMatchObject({ code: 'invoices_imported_number' });
  const halves = [
    { amount: euros(1000), method: 'CASH', externalId: 'p1' },
    { amount: euros(1000), method: 'CASH' },
    { amount: euros(1000), method: 'CASH' },
  ];
  const partly = receipt('31', { status: 'OPEN', payments: halves });
  expect(await take(partly)).toMatchObject({ created: 1 });
  expect(await take(partly)).toMatchObject({ unchanged: 1 });
  expect(await take({ ...partly, payments: [...halves, { amount: euros(473), method: 'CARD' }] })).toMatchObject({
    updated: 1,
  });
  expect(await stored('31')).toMatchObject({ status: 'PAID', balance: 0 });
  expect(await refused(take({ ...partly, payments: [{ ...halves[0], amount: euros(999) }] }))).toMatchObject({
    code: 'invalid_body',
  });
});
