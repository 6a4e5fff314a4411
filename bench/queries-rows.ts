import { withClient } from '../local/roles.ts';
import { loadClients } from '../test/support/phone-book.ts';

/** The large company has so much, each other so much: with 200 of them 1,000,000 appointments and 200,000 clients. */
export const LARGE = { visits: 100_000, people: 20_000 };
export const OTHER = { visits: 4500, people: 900 };

const PLACES = ['Europe/Vienna', 'Europe/Vienna', 'Europe/London'];

/** Ids that follow from what they are of, so that rows can refer to each other. */
const id = (kind: string, n: string): string => `md5(s.id || '${kind}' || ${n})::uuid`;

/** A year behind and a month ahead, more on some days than on others. */
const AT = `date_trunc('day', now()) + ((v * 7919::bigint) % 395 - 365) * interval '1 day' + (7 + v % 11) * interval '1 hour' + (v * 13 % 4) * interval '15 minutes'`;
const ROWS: readonly string[] = [
  `insert into branches (company_id, id, name, time_zone) select s.id, ${id('branch', 'n')}, 'Branch ' || n, ($1::text[])[n + 1] from salons s, generate_series(0, 2) n`,
  `insert into services (company_id, id, name, duration_minutes) select s.id, ${id('service', 'n')}, 'Service ' || n, 30 from salons s, generate_series(0, 11) n`,
  `insert into staff (company_id, id, first_name, branch_ids) select s.id, ${id('staff', 'n')}, 'Staff ' || n, array[${id('branch', 'n % 3')}] from salons s, generate_series(0, 7) n`,
  `update clients set created_at = now() - (random() * 730) * interval '1 day', updated_at = now()`,
  `create temp table people as select company_id, id, row_number() over (partition by company_id order by id) - 1 as n from clients`,
  'create unique index on people (company_id, n)',
  `insert into appointments (company_id, id, branch_id, client_id, services, starts_at, ends_at, time_zone, local_date, local_start, status, status_history, created_at, updated_at)
   select s.id, ${id('visit', 'v')}, ${id('branch', 'v % 3')}, p.id, jsonb_build_array(jsonb_build_object('serviceId', ${id('service', 'v % 12')}, 'staffId', ${id('staff', 'v % 8')},
       'name', 'Cut', 'startOffsetMinutes', 0, 'durationMinutes', 30, 'bufferBeforeMinutes', 0, 'bufferAfterMinutes', 0, 'processing', '[]'::jsonb, 'price', null, 'taxes', '[]'::jsonb)),
     at, at + interval '30 minutes', 'Europe/Vienna', (at at time zone 'Europe/Vienna')::date, (at at time zone 'Europe/Vienna')::time, status,
     jsonb_build_array(jsonb_build_object('status', status, 'at', at, 'by', 'SYSTEM', 'reason', null)), at - interval '20 days', at
   from salons s cross join generate_series(0, s.visits - 1) v cross join lateral (select ${AT} as at offset 0) a join people p on p.company_id = s.id and p.n = v * 31::bigint % s.people
     cross join lateral (select case when v % 12 = 5 then 'CANCELLED' when at > now() then (array['PENDING', 'CONFIRMED'])[1 + v % 2] when v % 25 = 7 then 'NO_SHOW' else 'COMPLETED' end as status) t`,
  `insert into appointment_parts (company_id, appointment_id, position, service_id, staff_id, local_date, local_start)
   select company_id, id, 0, (services -> 0 ->> 'serviceId')::uuid, staff_id, local_date, local_start from appointments`,
  `insert into invoices (company_id, id, branch_id, client_id, status, series, number, issue_date, due_date, currency, tax_inclusive, lines, subtotal, discount_total, tax, total, paid, created_at, updated_at)
   select a.company_id, md5(a.id || 'invoice')::uuid, a.branch_id, a.client_id, case when k = 0 then 'OPEN' when k = 1 then 'VOID' else 'PAID' end, 'IMPORTED', a.id, a.local_date, a.local_date + 14,
     'EUR', false, '[]', 5000, 0, 1000, 6000, case when k > 1 then 6000 else 0 end, a.starts_at, a.starts_at
   from appointments a, lateral (select ('x' || left(md5(a.id::text), 4))::bit(16)::int % 50 as k) x where a.status = 'COMPLETED'`,
  `insert into invoice_lines (company_id, id, invoice_id, position, kind, staff_id, service_id, appointment_id, quantity, net, tax, total, taxes)
   select a.company_id, gen_random_uuid(), md5(a.id || 'invoice')::uuid, n, case when n = 1 then 'SERVICE' else 'PRODUCT' end, a.staff_id,
     case when n = 1 then (a.services -> 0 ->> 'serviceId')::uuid end, a.id, 1, case when n = 1 then 4000 else 1000 end, case when n = 1 then 800 else 200 end,
     case when n = 1 then 4800 else 1200 end, jsonb_build_array(jsonb_build_object('name', 'VAT', 'rateBasisPoints', 2000, 'amount', case when n = 1 then 800 else 200 end))
   from appointments a, generate_series(1, 2) n where a.status = 'COMPLETED'`,
  `insert into payments (company_id, id, branch_id, invoice_id, client_id, business_date, amount, currency, status, method, paid_at, created_at, updated_at)
   select company_id, md5(id || 'payment')::uuid, branch_id, id, client_id, issue_date, total, 'EUR', 'SUCCEEDED', 'CARD', created_at, created_at, created_at from invoices where status = 'PAID'`,
];

/** Fills companies with a year of their business, past all triggers but those of clients, whose search needs them. @param ids the large one first */
export async function fillCompanies(
  url: string,
  ids: readonly string[],
  progress: (line: string) => void,
  large: typeof LARGE = LARGE,
): Promise<void> {
  await withClient(url, async (client) => {
    for (const [n, company] of ids.entries()) {
      await loadClients(client, company, (n === 0 ? large : OTHER).people);
      if ((n + 1) % 50 === 0) progress(`clients of ${n + 1} companies`);
    }
    await client.query('set session_replication_role = replica');
    await client.query(
      `create temp table salons as select id, case when n = 1 then ${large.visits} else ${OTHER.visits} end as visits, case when n = 1 then ${large.people} else ${OTHER.people} end as people
       from unnest($1::uuid[]) with ordinality x (id, n)`,
      [ids],
    );
    for (const rows of ROWS) {
      await client.query(rows, rows.includes('$1') ? [PLACES] : []);
      const table = /(?:into|update) (\w+)/.exec(rows)?.[1];
      if (table !== undefined) progress(`${table} stored`);
    }
    await client.query('reset session_replication_role');
    await client.query('vacuum analyze');
  });
}
