import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { openStage, refusal, type Stage } from '../support.ts';
import {
  codeOf,
  invoiceOf,
  line,
  makeBranch,
  makeInvoice,
  makeShop,
  pay,
  type Run,
  refund,
  refused,
  type Shop,
} from './books.ts';

// The ways of an invoice, its number, and the walls beneath.

let stage: Stage;
let run: Run;
let shop: Shop;
beforeAll(async () => {
  stage = await openStage();
  run = (text, values) => stage.sql(text, values);
  shop = await makeShop(stage);
});
afterAll(() => stage.close());

const open = (total: number, more: Record<string, unknown> = {}): Promise<string> =>
  makeInvoice(run, shop, [line(total)], { status: 'OPEN', ...more });
const set = (table: string, id: string, what: string): Promise<unknown> =>
  run(`update ${table} set ${what} where id = $1`, [id]);

describe('a status', () => {
  test('goes the ways there are, and says them', async () => {
    const id = await makeInvoice(run, shop, [line(100)]);
    expect(await refused(set('invoices', id, `status = 'UNCOLLECTIBLE'`))).toMatchObject({
      code: 'illegal_transition',
      said: { allowed: ['OPEN', 'VOID'] },
    });
    expect(await codeOf(set('invoices', id, `status = 'PAID'`))).toBe('illegal_transition');
    await set('invoices', id, `status = 'OPEN'`);
    expect(await codeOf(set('invoices', id, `status = 'PAID'`))).toBe('illegal_transition');
    expect(await codeOf(set('invoices', id, `status = 'DRAFT'`))).toBe('illegal_transition');
    await set('invoices', id, `status = 'UNCOLLECTIBLE'`);
    expect(await refused(set('invoices', id, `status = 'OPEN'`))).toMatchObject({ said: { allowed: [] } });
    expect(await codeOf(makeInvoice(run, shop, [line(1)], { status: 'PAID' }))).toBe('illegal_transition');
  });

  test('freezes what was issued', async () => {
    const id = await open(100);
    for (const change of [
      `lines = '[]'`,
      `lines = jsonb_set(lines, '{0,description}', '"Colour"')`,
      `lines = jsonb_set(lines, '{0,staffId}', '"0196b4c4-0000-7000-8000-000000000000"')`,
      'discount = 1',
      'total = 99',
      `number = '7'`,
      `due_date = '2030-01-01'`,
      `branch_id = gen_random_uuid()`,
      'client_id = gen_random_uuid()',
    ]) {
      expect(await codeOf(set('invoices', id, change)), change).toBe('invoice_not_draft');
    }
    expect(await codeOf(set('invoices', id, 'paid = 100'))).toBe('conflict');
    expect(await refusal(run('delete from invoices where id = $1', [id]))).toBe('CP003');
    const draft = await makeInvoice(run, shop, [line(1)]);
    expect(await refusal(run('delete from invoices where id = $1', [draft]))).toBeNull();
  });

  test('of a total of nothing is PAID as soon as it is issued', async () => {
    const id = await makeInvoice(run, shop, [line(100), line(-100)]);
    await set('invoices', id, `status = 'OPEN'`);
    expect(await invoiceOf(stage, id)).toMatchObject({ status: 'PAID', payment_status: 'PAID', balance: 0 });
  });

  test('is not VOID with money in, and is after the money went back', async () => {
    const id = await open(100);
    const payment = await pay(run, shop.company, id, 60);
    expect(await refused(set('invoices', id, `status = 'VOID'`))).toMatchObject({
      code: 'illegal_transition',
      said: { allowed: ['UNCOLLECTIBLE'] },
    });
    await refund(run, shop.company, payment, 60);
    await set('invoices', id, `status = 'VOID'`);
    expect(await invoiceOf(stage, id)).toMatchObject({ status: 'VOID', payment_status: 'REFUNDED', balance: 0 });
  });
});

describe('numbers', () => {
  test('run per branch, are given when an invoice is issued, and by nobody else', async () => {
    const own = await makeShop(stage);
    const second = { company: own.company, branch: await makeBranch(stage, own.company) };
    const issue = async (at: Shop, more = {}) =>
      (await invoiceOf(stage, await makeInvoice(run, at, [line(1)], { status: 'OPEN', ...more }))).number;
    const draft = await makeInvoice(run, own, [line(1)]);
    expect([await issue(own), await issue(second), await issue(own)]).toEqual(['1', '1', '2']);
    expect(await issue(own, { series: 'IMPORTED', number: 'R-77' })).toBe('R-77');
    await set('invoices', draft, `status = 'OPEN'`);
    expect((await invoiceOf(stage, draft)).number).toBe('3');
    expect(await codeOf(makeInvoice(run, own, [line(1)], { number: '9' }))).toBe('invalid_body');
    const app = await stage.login();
    expect(await refusal(app.query('update invoice_counters set last = 0'))).toBe('42501');
  });

  test('of what failed are taken by the next', async () => {
    const own = await makeShop(stage);
    const console = await stage.console();
    await console.query('begin');
    await makeInvoice((text, values) => console.query(text, values), own, [line(1)], { status: 'OPEN' });
    await console.query('rollback');
    expect((await invoiceOf(stage, await makeInvoice(run, own, [line(1)], { status: 'OPEN' }))).number).toBe('1');
  });

  test('come with the branch’s day', async () => {
    const far = { company: shop.company, branch: await makeBranch(stage, shop.company, 'Pacific/Kiritimati') };
    const id = await makeInvoice(run, far, [line(1)], { status: 'OPEN' });
    const [day] = await stage.sql<{ day: string }>(
      `select (now() at time zone 'Pacific/Kiritimati')::date::text as day`,
    );
    expect((await invoiceOf(stage, id)).issue_date).toBe(day?.day);
  });
});

test('beneath the triggers stand constraints', async () => {
  const id = await open(100);
  const wall = async (what: string): Promise<string | null> => {
    const client = await stage.console();
    await client.query('begin');
    await client.query('alter table invoices disable trigger derive');
    const code = await codeOf(client.query(`update invoices set ${what} where id = $1`, [id]));
    await client.query('rollback');
    return code;
  };
  expect({
    total: await wall('total = 99'),
    paid: await wall('paid = 101'),
    refunded: await wall('refunded = 1'),
    settled: await wall('paid = 100'),
    status: await wall(`status = 'SENT'`),
    number: await wall(`number = '9'`),
    currency: await wall(`currency = 'USD'`),
  }).toEqual({
    total: 'invoices_total',
    paid: 'invoices_paid',
    refunded: 'invoices_paid',
    settled: 'invoices_settled',
    status: 'invoices_status',
    number: 'invoices_numbered',
    currency: 'invoices_company',
  });
});
