import { randomUUID } from 'node:crypto';
import pg from 'pg';
import { makeCompany, type Stage } from '../support.ts';

// Invoices and payments as a console or the API writes them, for the suites of money.

export type Line = Record<string, unknown>;
export const line = (unitPrice: number, more: Line = {}): Line => ({
  description: 'Cut',
  quantity: 1,
  unitPrice,
  taxes: [],
  ...more,
});

/** Runs SQL: as the administrator (`stage.sql`), or within somebody's transaction. */
export type Run = (text: string, values?: unknown[]) => Promise<unknown>;
export const of =
  (client: pg.Client): Run =>
  (text, values) =>
    client.query(text, values);

export type Shop = { company: string; branch: string };

export async function makeShop(stage: Stage): Promise<Shop> {
  const company = await makeCompany(stage);
  return { company, branch: await makeBranch(stage, company) };
}

export async function makeBranch(stage: Stage, company: string, zone = 'Europe/Vienna'): Promise<string> {
  const id = randomUUID();
  await stage.sql(`insert into branches (company_id, id, name, time_zone) values ($1, $2, 'Centre', $3)`, [
    company,
    id,
    zone,
  ]);
  return id;
}

const insert = async (run: Run, table: string, row: Record<string, unknown>): Promise<string> => {
  const id = randomUUID();
  const all = { id, ...row };
  const names = Object.keys(all).map((name) => pg.escapeIdentifier(name));
  const values = Object.values(all).map((value) => (Array.isArray(value) ? JSON.stringify(value) : value));
  await run(
    `insert into ${table} (${names.join(', ')}) values (${names.map((_, i) => `$${i + 1}`).join(', ')})`,
    values,
  );
  return id;
};

/** A draft unless `status` says OPEN. */
export const makeInvoice = (run: Run, shop: Shop, lines: Line[], more: Record<string, unknown> = {}): Promise<string> =>
  insert(run, 'invoices', { company_id: shop.company, branch_id: shop.branch, lines, ...more });

export const pay = (
  run: Run,
  company: string,
  invoice: string | null,
  amount: number,
  more: Record<string, unknown> = {},
): Promise<string> =>
  insert(run, 'payments', { company_id: company, invoice_id: invoice, amount, method: 'CASH', ...more });

export const refund = (
  run: Run,
  company: string,
  payment: string,
  amount: number,
  more: Record<string, unknown> = {},
): Promise<string> => insert(run, 'refunds', { company_id: company, payment_id: payment, amount, ...more });

export type InvoiceRow = {
  status: string;
  payment_status: string;
  number: string | null;
  issue_date: string | null;
  currency: string;
  tax_inclusive: boolean;
  client_id: string | null;
  version: number;
  lines: Record<string, unknown>[];
} & Record<'subtotal' | 'discount_total' | 'tax' | 'total' | 'paid' | 'refunded' | 'balance', number>;

/** An invoice as numbers, its date as text. */
export async function invoiceOf(stage: Stage, id: string): Promise<InvoiceRow> {
  const [row] = await stage.sql<{ image: InvoiceRow }>('select to_jsonb(i) as image from invoices i where id = $1', [
    id,
  ]);
  if (row === undefined) throw new Error('no such invoice');
  return row.image;
}

/** The code that `app.refuse` ended the work with, or the violated constraint, and what it says. Null: it was done. */
export async function refused(work: Promise<unknown>): Promise<{ code: string; said: Record<string, unknown> } | null> {
  try {
    await work;
    return null;
  } catch (error) {
    if (!(error instanceof pg.DatabaseError)) throw error;
    if (error.code === 'CP400') return { code: error.message, said: JSON.parse(error.detail ?? '{}') };
    return { code: error.constraint ?? error.code ?? '', said: {} };
  }
}
export const codeOf = async (work: Promise<unknown>): Promise<string | null> => (await refused(work))?.code ?? null;
