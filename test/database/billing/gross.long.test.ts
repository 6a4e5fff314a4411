import { afterAll, beforeAll, expect, test } from 'vitest';
import { openStage, type Stage } from '../support.ts';

let stage: Stage;
beforeAll(async () => {
  stage = await openStage();
});
afterAll(() => stage.close());

const LINES = 200;
const CHUNK = 100;

// As the database prices invoices, 200 prices on each. Of KWD a tenth: every price of its hundredths.
test.each([
  ['JPY', 10_000, 1, [800]],
  ['EUR', 1_000_000, 1, [1900]],
  ['EUR', 1_000_000, 10, [500, 800]],
  ['KWD', 10_000_000, 10, [500]],
] as const)(
  'every gross price in %s to %i by %i is kept with taxes of %j',
  { timeout: 600_000 },
  async (_, most, step, rates) => {
    const taxes = JSON.stringify(rates.map((rateBasisPoints) => ({ name: 'T', rateBasisPoints })));
    const whole = 10_000 + rates.reduce<number>((sum, rate) => sum + rate, 0);
    let [seen, wrong] = [0, 0];
    for (let first = 0; first < most / step / LINES; first += CHUNK) {
      const [found] = await stage.sql<{ seen: number; wrong: number }>(
        `select count(*)::int as seen, count(*) filter (where l.total <> l."unitPrice" or l.net + l.tax <> l.total
          or 2 * abs(l.net * $5::bigint - l."unitPrice" * 10000) > $5::bigint)::int as wrong
        from generate_series($1::int, least($1::int + ${CHUNK}, $2::int / $3::int / ${LINES}) - 1) k,
          lateral (select jsonb_agg(jsonb_build_object('description', 'x', 'quantity', 1, 'unitPrice', (k * ${LINES} + i)::bigint * $3::int, 'taxes', $4::jsonb)) as lines
            from generate_series(1, ${LINES}) i) given,
          app.price_invoice(given.lines, null, 0, true, 'EUR') p, jsonb_array_elements(p.lines) e,
          lateral (select (e ->> 'unitPrice')::bigint as "unitPrice", (e ->> 'net')::bigint as net, (e ->> 'total')::bigint as total,
            (select sum((t ->> 'amount')::bigint) from jsonb_array_elements(e -> 'taxes') t) as tax) l`,
        [first, most, step, taxes, whole],
      );
      seen += found?.seen ?? 0;
      wrong += found?.wrong ?? 0;
    }
    expect({ seen, wrong }).toEqual({ seen: most / step, wrong: 0 });
  },
);
