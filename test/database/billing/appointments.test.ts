import { randomUUID } from 'node:crypto';
import type pg from 'pg';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { at, bookAll, bookingRow, makeSalon, type Salon } from '../calendar/salon.ts';
import { beginRead, makeClient, openStage, type Stage } from '../support.ts';
import { invoiceOf, line, makeInvoice, pay, type Run, refund, refused } from './books.ts';

// What invoices and clients know of appointments.

let stage: Stage;
let run: Run;
let app: pg.Client;
let salon: Salon;
beforeAll(async () => {
  stage = await openStage();
  run = (text, values) => stage.sql(text, values);
  app = await stage.login();
  salon = await makeSalon(stage);
});
afterAll(() => stage.close());

const VAT = [{ name: 'VAT', rateBasisPoints: 2000 }];

/** Books parts with these prices, one after the other. */
async function booked(of: Salon, start: string, prices: readonly (number | null)[], more = {}): Promise<string> {
  const id = randomUUID();
  const row = bookingRow(of, start, { id, parts: prices.map((_, n) => ({ offset: n * 60 })) });
  const services = (row.services as object[]).map((part, n) => ({
    ...part,
    name: `Part ${n}`,
    price: prices[n] === null ? null : { amount: prices[n], currency: 'EUR' },
    taxes: VAT,
  }));
  await bookAll(app, of, [{ ...row, services, ...more }]);
  return id;
}

test('a line that says its appointment alone becomes a line for each service, as it was booked', async () => {
  const appointmentId = await booked(salon, at('06:00'), [5000, 9000]);
  await run(`update services set name = 'Another', price = '{"amount": 1, "currency": "EUR"}' where id = $1`, [
    salon.service,
  ]);
  const id = await makeInvoice(run, salon, [line(100), { appointmentId }]);
  const { lines, subtotal, tax } = await invoiceOf(stage, id);
  const own = { kind: 'SERVICE', serviceId: salon.service, staffId: salon.staff[0], appointmentId, quantity: 1 };
  expect(lines).toMatchObject([
    { description: 'Cut', appointmentId: null },
    { ...own, description: 'Part 0', unitPrice: 5000, taxes: [{ ...VAT[0], amount: 1000 }] },
    { ...own, description: 'Part 1', unitPrice: 9000, taxes: [{ ...VAT[0], amount: 1800 }] },
  ]);
  expect({ subtotal, tax }).toEqual({ subtotal: 14_100, tax: 2800 });
  const rows = await run('select count(*)::int from invoice_lines where appointment_id = $1', [appointmentId]);
  expect(rows).toEqual([{ count: 2 }]);
  // What is stored says all of itself, so it is as it was when something else changes.
  await run('update invoices set discount = 100 where id = $1', [id]);
  expect((await invoiceOf(stage, id)).lines).toMatchObject(lines.map(({ id, description }) => ({ id, description })));
});

test('what it cannot take is refused where it stands', async () => {
  const other = await makeSalon(stage);
  const [two, told] = [await booked(salon, at('09:00'), [100, 100]), await booked(salon, at('12:00'), [100, null])];
  const draft = (...lines: Record<string, unknown>[]) => refused(makeInvoice(run, salon, lines));
  expect([
    await draft({ appointmentId: two }, { appointmentId: await booked(other, at('09:00'), [100]) }),
    await draft({ appointmentId: two }, { appointmentId: randomUUID() }),
    await draft({ appointmentId: two }, { appointmentId: told }),
    await draft({ appointmentId: two }, line(100, { currency: 'USD' })),
  ]).toMatchObject([
    { code: 'unknown_reference', said: { pointer: '/lines/1/appointmentId' } },
    { code: 'unknown_reference', said: { pointer: '/lines/1/appointmentId' } },
    { code: 'invalid_body', said: { pointer: '/lines/1/unitPrice' } },
    { code: 'invalid_body', said: { pointer: '/lines/1/unitPrice/currency' } },
  ]);
  const said = await makeInvoice(run, salon, [line(700, { appointmentId: told })], { status: 'OPEN' });
  expect((await invoiceOf(stage, said)).lines).toMatchObject([
    { kind: 'SERVICE', unitPrice: 700, appointmentId: told },
  ]);
  const issued = run('update invoices set lines = $2 where id = $1', [said, JSON.stringify([{ appointmentId: two }])]);
  expect(await refused(issued)).toMatchObject({ code: 'invoice_not_draft' });
});

test('a client’s stats: visits that were, those that were not, and what is left of payments', async () => {
  const client = await makeClient(stage, salon.company);
  const stats = async (): Promise<unknown> => {
    await beginRead(app, salon.company);
    const { rows } = await app.query('select app.client_stats($1) as stats', [client]);
    await app.query('commit');
    return rows[0]?.stats;
  };
  const nothing = { visits: 0, noShows: 0, spent: { amount: 0, currency: 'EUR' }, lastVisitAt: null };
  expect(await stats()).toEqual(nothing);
  for (const [time, status] of [
    ['14:00', 'COMPLETED'],
    ['15:00', 'COMPLETED'],
    ['16:00', 'NO_SHOW'],
    ['17:00', 'CONFIRMED'],
  ] as const)
    await booked(salon, at(time), [100], { client_id: client, status, source: 'IMPORT' });
  const invoice = await makeInvoice(run, salon, [line(10_000)], { status: 'OPEN', client_id: client });
  const paid = await pay(run, salon.company, invoice, 6000);
  await pay(run, salon.company, invoice, 4000, { status: 'PENDING' });
  await refund(run, salon.company, paid, 1500);
  expect(await stats()).toEqual({
    ...{ visits: 2, noShows: 1, spent: { amount: 4500, currency: 'EUR' } },
    lastVisitAt: expect.stringMatching(/^2027-03-01T15:00:00/),
  });
  const theirs = await makeSalon(stage);
  await beginRead(app, theirs.company);
  const { rows } = await app.query('select app.client_stats($1) as stats', [client]);
  await app.query('commit');
  expect(rows[0]?.stats).toEqual(nothing);
});
