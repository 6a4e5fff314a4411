import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { logOf, makeClient, openStage, type Stage, write } from '../support.ts';
import { invoiceOf, line, makeInvoice, makeShop, pay, type Run, refund, type Shop } from './books.ts';

// What becomes of the books when clients are merged and erased.

let stage: Stage;
let run: Run;
let shop: Shop;
beforeAll(async () => {
  stage = await openStage();
  run = (text, values) => stage.sql(text, values);
  shop = await makeShop(stage);
});
afterAll(() => stage.close());

const clientOf = async (table: string, id: string): Promise<unknown> =>
  (await stage.sql(`select client_id from ${table} where id = $1`, [id]))[0]?.client_id;

test('merged clients bring their invoices and payments along, issued ones too, each a revision', async () => {
  const [target, source] = [
    await makeClient(stage, shop.company, 'Anna'),
    await makeClient(stage, shop.company, 'Ann'),
  ];
  const invoice = await makeInvoice(run, shop, [line(100)], { status: 'OPEN', client_id: source });
  const draft = await makeInvoice(run, shop, [line(100)], { client_id: source });
  const payment = await pay(run, shop.company, invoice, 100);
  expect(await clientOf('payments', payment)).toBe(source);
  const app = await stage.login();
  const { changes } = await write(app, shop.company, () =>
    app.query('select app.merge_clients($1, $2, null)', [target, source]),
  );
  expect(
    await Promise.all([clientOf('invoices', invoice), clientOf('invoices', draft), clientOf('payments', payment)]),
  ).toEqual([target, target, target]);
  expect(changes.map(({ entity }) => entity).sort()).toEqual(['client', 'invoice', 'invoice', 'payment']);
});

test('an erased client leaves the books as they are, but for what names them, in the log too', async () => {
  const erased = randomUUID();
  await run(
    `insert into clients (company_id, id, first_name, last_name, email) values ($1, $2, 'Zoë', 'Quill-Smith', 'zoe@example.com')`,
    [shop.company, erased],
  );
  await run(`update clients set last_name = 'Earlier' where id = $1`, [erased]);
  const text = 'Cut for zoë quill-smith (zoe@example.com), not Zoëlle';
  const draft = await makeInvoice(run, shop, [line(100, { description: text })], { client_id: erased });
  const invoice = await makeInvoice(run, shop, [line(100, { description: text })], {
    status: 'OPEN',
    client_id: erased,
  });
  const payment = await pay(run, shop.company, invoice, 100, { reference: 'Earlier, Zoë 4711' });
  const back = await refund(run, shop.company, payment, 10, { reason: 'She was unhappy' });
  const other = await makeInvoice(run, shop, [line(100, { description: text })], { status: 'OPEN' });
  const before = await invoiceOf(stage, invoice);

  const app = await stage.login();
  await write(app, shop.company, () => app.query('select app.erase_client($1)', [erased]));

  const { lines, version, ...rest } = await invoiceOf(stage, invoice);
  const { lines: oldLines, version: oldVersion, ...same } = before;
  expect({ ...rest, updated_at: null }).toEqual({ ...same, updated_at: null });
  expect([version - oldVersion, lines.map(({ description }) => description)]).toEqual([
    1,
    ['Cut for Erased (Erased), not Zoëlle'],
  ]);
  expect(lines.map((each) => ({ ...each, description: null }))).toEqual(
    oldLines.map((each) => ({ ...each, description: null })),
  );
  expect((await invoiceOf(stage, draft)).lines[0]?.description).not.toContain('zoë ');
  expect((await invoiceOf(stage, other)).lines[0]?.description).toBe(text);
  expect(await stage.sql('select reference from payments where id = $1', [payment])).toEqual([
    { reference: 'Erased, Erased 4711' },
  ]);
  expect(await stage.sql('select reason from refunds where id = $1', [back])).toEqual([{ reason: null }]);
  const log = (await logOf(stage, shop.company)).filter(({ entity_id }) => entity_id !== other);
  expect(JSON.stringify(log)).not.toMatch(/quill|zoe@|zoë |earlier|unhappy/i);
});

test('what was theirs before it became another’s is cleaned as theirs, and the other’s stays; a name of two words goes by each', async () => {
  const [erased, other] = [randomUUID(), await makeClient(stage, shop.company, 'Bob')];
  await run(`insert into clients (company_id, id, first_name) values ($1, $2, 'Mary Ann')`, [shop.company, erased]);
  const invoice = await makeInvoice(run, shop, [line(100, { description: 'For Ann' })], { client_id: erased });
  await run('update invoices set client_id = $2 where id = $1', [invoice, other]);
  await run('update invoices set discount = 1 where id = $1', [invoice]);
  const app = await stage.login();
  await write(app, shop.company, () => app.query('select app.erase_client($1)', [erased]));
  const log = (await logOf(stage, shop.company)).filter(({ entity_id }) => entity_id === invoice);
  const said = (image: Record<string, unknown> | null) => JSON.stringify(image).match(/For \w+/)?.[0];
  expect(log.map(({ before, after }) => [said(before), said(after)])).toEqual([
    [undefined, 'For Erased'],
    ['For Erased', 'For Ann'],
    ['For Ann', 'For Ann'],
  ]);
});

test('an erasure reads of a long log what was the client’s', async () => {
  const { company } = await makeShop(stage);
  const erased = await makeClient(stage, company, 'Zaphod');
  const admin = await stage.console();
  await admin.query('reset role');
  await admin.query('set session_replication_role = replica');
  await admin.query(
    `insert into changes (company_id, revision, entity, entity_id, operation, schema_version, before, after, actor, changed_at)
     select $1, 1000 + n, e, uuidv7(), 'UPDATE', 1, image, image, 'SYSTEM', now()
     from generate_series(1, 3000) n, unnest(array['appointment', 'invoice', 'client']) with ordinality x (e, k),
       lateral (select jsonb_build_object('client_id', uuidv7(), 'notes', repeat('x', 100))) y (image) where n % 3 = k - 1`,
    [company],
  );
  await admin.query('analyze changes');
  const app = await stage.login();
  let read = 0;
  await write(app, company, async () => {
    await app.query('select app.erase_client($1)', [erased]);
    const { rows } = await app.query<{ n: number }>(
      `select seq_tup_read + coalesce(idx_tup_fetch, 0) as n from pg_stat_xact_user_tables where relname = 'changes'`,
    );
    read = Number(rows[0]?.n);
  });
  expect(read).toBeGreaterThan(0);
  expect(read).toBeLessThan(100);
});
