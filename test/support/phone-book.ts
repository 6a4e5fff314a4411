import type pg from 'pg';
import { SEED } from './draws.ts';

/** Fills a company, made if need be, with clients whose names are as frequent as in a phone book: few common ones, many rare ones. */
export async function loadClients(client: pg.Client, companyId: string, count: number): Promise<void> {
  await client.query(
    `insert into companies (id, name, currency, time_zone) values ($1, 'Big', 'EUR', 'UTC') on conflict do nothing`,
    [companyId],
  );
  // How often a sample of 750 holds a name differs from book to book.
  await client.query('select setseed($1)', [(SEED % 1_000_000) / 1_000_000]);
  await client.query(
    `with names as (select array['John','Anna','Maria','Michael','Peter','Sarah','David','Laura','Thomas','Julia','Jonas','Joan','Andreas','Eva','Zoë',
        'Karin','Lena','Paul','Nina','Felix'] firsts, array['Smith','Müller','Schmidt','Huber','Gruber','Wagner','Pichler','Steiner','Moser','Mayer',
        'Hofer','Leitner','Berger','Fuchs','Eder','Fischer','Schmid','Winkler','Weber','Schwarz'] lasts,
        array['ba','ke','mi','lo','nu','sa','ri','to','vel','der','man','gar','hol','pin','ste'] parts),
      drawn as (select i, random() ^ 2 a, random() ^ 2 b, random() c, floor(random() * 15)::int + 1 x, floor(random() * 15)::int + 1 y, floor(random() * 15)::int + 1 z
        from generate_series(1, $2::int) i),
      named as (select i, c,
        case when c < 0.01 then '李' when a < 0.8 then firsts[1 + floor(a * 25)::int % 20] else initcap(parts[x] || parts[y]) end f,
        case when c < 0.01 then '小龙' when c < 0.02 then 'O''Brien' when c < 0.021 then '100% Pure'
          when b < 0.7 then lasts[1 + floor(b * 28)::int % 20] else initcap(parts[z] || parts[y] || parts[x]) end l from drawn, names)
    insert into clients (company_id, id, first_name, last_name, email, phone, external_id)
      select $1::uuid, uuidv7(), case when c > 0.9 then normalize(f, NFD) else f end, l,
        case when c < 0.02 then null else app.fold(f || '.' || l) || i || case when c < 0.5 then '@gmail.com' else '@example.com' end end,
        '+43664' || (1000000 + (random() * 8999999)::int), case when c > 0.8 then 'CRM-' || i end from named`,
    [companyId, count],
  );
}
