import { afterAll, beforeAll, expect, test } from 'vitest';
import { openStage, type Stage } from '../support.ts';

let stage: Stage;
beforeAll(async () => {
  stage = await openStage();
});
afterAll(() => stage.close());

const CHUNK = 20_000;

const whole = (rates: readonly number[]): number => 10_000 + rates.reduce((sum, rate) => sum + rate, 0);
const wrongBy = (n: number): string =>
  `l.net + l.tax <> l.gross or 2 * abs(l.net * $${n}::bigint - l.gross * 10000) > $${n}::bigint`;

// By what the database splits a price with (app.price_invoice). Every price in cents with one rate, others at a stride.
test.each([
  ['JPY', 10_000, 1, [800]],
  ['EUR', 1_000_000, 1, [1900]],
  ['EUR', 1_000_000, 10, [500, 800]],
  ['KWD', 10_000_000, 100, [500]],
] as const)(
  'every gross price in %s to %i by %i is kept with taxes of %j',
  { timeout: 600_000 },
  async (_, most, step, rates) => {
    let [seen, wrong] = [0, 0];
    for (let first = step; first <= most; first += CHUNK * step) {
      const last = Math.min(most, first + (CHUNK - 1) * step);
      const [found] = await stage.sql<{ seen: number; wrong: number }>(
        `select count(*)::int as seen, count(*) filter (where ${wrongBy(4)})::int as wrong
        from generate_series($1::bigint, $2::bigint, $3::bigint) gross, lateral (select app.scaled(gross, 10000, $4::bigint) as net) n,
          lateral (select gross, net, (select sum(t) from unnest(app.spread(gross - net, $5::bigint[])) t) as tax) l`,
        [first, last, step, whole(rates), rates],
      );
      seen += found?.seen ?? 0;
      wrong += found?.wrong ?? 0;
    }
    expect({ seen, wrong }).toEqual({ seen: most / step, wrong: 0 });
  },
);

test('and so are those of lines as invoices price them', { timeout: 600_000 }, async () => {
  const rates = [500, 800];
  const [found] = await stage.sql<{ seen: number; wrong: number }>(
    `select count(*)::int as seen, count(*) filter (where l.total <> l.gross or ${wrongBy(3)})::int as wrong
      from generate_series(0, 199) k,
        lateral (select jsonb_agg(jsonb_build_object('description', 'x', 'quantity', 1, 'unitPrice', least(1000000, (k * 50 + i) * $1::int), 'taxes', $2::jsonb)) as lines
          from generate_series(1, 50) i) given,
        app.price_invoice(given.lines, null, 0, true, 'EUR') p, jsonb_array_elements(p.lines) e,
        lateral (select (e ->> 'unitPrice')::bigint as gross, (e ->> 'net')::bigint as net, (e ->> 'total')::bigint as total,
          (select sum((t ->> 'amount')::bigint) from jsonb_array_elements(e -> 'taxes') t) as tax) l`,
    [97, JSON.stringify(rates.map((rateBasisPoints) => ({ name: 'T', rateBasisPoints }))), whole(rates)],
  );
  expect(found).toEqual({ seen: 10_000, wrong: 0 });
});
