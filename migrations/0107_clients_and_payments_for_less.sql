-- What a client, a payment and a refund cost the database (0103): what is not there is not asked for.
set local role cp_definer;

-- As in 0102; whom a change of other fields leaves as they were is seen without a sort, and no word is looked for that nobody lost.
create or replace function app.keep_client_names() returns trigger language plpgsql security definer set search_path = ''
set enable_hashjoin = off set enable_mergejoin = off as $$
declare v_companies uuid[]; v_words text[]; v_more int[];
begin
  if tg_op = 'INSERT' then
    select array_agg(d.company_id), array_agg(d.w), array_agg(d.n) into v_companies, v_words, v_more from (
      select r.company_id, w, count(*)::int n from new_rows r, app.words_of_name(r.first_name, r.last_name) w group by 1, 2) d;
  elsif tg_op = 'DELETE' then
    select array_agg(d.company_id), array_agg(d.w), array_agg(d.n) into v_companies, v_words, v_more from (
      select r.company_id, w, -count(*)::int n from old_rows r, app.words_of_name(r.first_name, r.last_name) w group by 1, 2) d;
  else
    -- In the order in which they were changed, both.
    if array(select (company_id, first_name, last_name) from new_rows) = array(select (company_id, first_name, last_name) from old_rows) then
      return null;
    end if;
    select array_agg(d.company_id), array_agg(d.w), array_agg(d.n) into v_companies, v_words, v_more from (
      select company_id, w, sum(n)::int n from (
        select a.company_id, w, 1 n from (
          select company_id, first_name, last_name from new_rows except all select company_id, first_name, last_name from old_rows) a,
          app.words_of_name(a.first_name, a.last_name) w
        union all
        select r.company_id, w, -1 from (
          select company_id, first_name, last_name from old_rows except all select company_id, first_name, last_name from new_rows) r,
          app.words_of_name(r.first_name, r.last_name) w) words
      group by 1, 2 having sum(n) <> 0) d;
  end if;
  if v_words is null then return null; end if;
  with changed as materialized (select * from unnest(v_companies, v_words, v_more) c (company_id, w, n)),
  known as (
    update public.client_names n set uses = n.uses + c.n from changed c where n.company_id = c.company_id and n.name = c.w
    returning n.company_id, n.name, n.uses),
  made as (
    insert into public.client_names (company_id, name, shorter, uses)
    -- app.one_letter_less(w), without a call for each.
    select c.company_id, c.w, array(select distinct case i when 0 then c.w else overlay(c.w placing '' from i for 1) end
      from generate_series(0, length(c.w)) i), c.n from changed c
    where c.n > 0 and not exists (select from known k where k.company_id = c.company_id and k.name = c.w))
  select array_agg(k.company_id), array_agg(k.name) into v_companies, v_words from known k where k.uses <= 0;
  if v_words is not null then
    delete from public.client_names n using unnest(v_companies, v_words) g (company_id, w) where n.company_id = g.company_id and n.name = g.w;
  end if;
  return null;
end $$;

-- As in 0102.
create or replace function app.keep_client_tags() returns trigger language plpgsql security definer set search_path = '' as $$
begin
  if tg_op = 'UPDATE' then
    if not exists (select from new_rows where tags <> '{}' union all select from old_rows where tags <> '{}') then return null; end if;
    if array(select (id, tags) from old_rows) <> array(select (id, tags) from new_rows) then
      delete from public.client_tags t using old_rows o join new_rows n on n.id = o.id
        where o.tags <> n.tags and t.company_id = o.company_id and t.client_id = o.id and t.tag <> all (n.tags);
    end if;
  elsif not exists (select from new_rows where tags <> '{}') then
    return null;
  end if;
  insert into public.client_tags as t (company_id, client_id, tag, status, first_name, last_name, other_name, created_at, updated_at)
    select n.company_id, n.id, u.tag, n.status, n.first_name, n.last_name, app.other_name(n.name, n.first_name, n.last_name), n.created_at, n.updated_at
    from new_rows n, lateral (select distinct tag from unnest(n.tags) tag) u
    on conflict (company_id, client_id, tag) do update set status = excluded.status, first_name = excluded.first_name,
      last_name = excluded.last_name, other_name = excluded.other_name, created_at = excluded.created_at, updated_at = excluded.updated_at;
  return null;
end $$;

-- As in 0007.
create or replace function app.client_duplicates(p_id uuid, p_email text, p_phone text) returns jsonb language plpgsql stable security definer set search_path = '' as $$
declare k_company constant uuid := app.company(); v_ids uuid[] := '{}';
begin
  if p_email is not null then
    v_ids := array(select c.id from public.clients c where c.company_id = k_company and lower(c.email) = lower(p_email)
      and c.id <> p_id and c.erased_at is null and c.merged_into is null limit 100);
  end if;
  if p_phone is not null then
    v_ids := v_ids || array(select c.id from public.clients c where c.company_id = k_company and c.phone = p_phone
      and c.id <> p_id and c.erased_at is null and c.merged_into is null limit 100);
  end if;
  if v_ids = '{}' then return '[]'; end if;
  return (select jsonb_agg(d.id order by d.id) from (select distinct u.id from unnest(v_ids) u (id) limit 100) d);
end $$;

-- As in 0051; what a refusal says is put together where there is one.
create or replace function app.derive_payment() returns trigger language plpgsql security definer set search_path = '' as $$
declare
  k_open constant text[] := '{status,invoice_id,client_id,reference,external_id,refunded,version,created_at,updated_at}';
  v_branch uuid; v_client uuid; v_currency text; v_status text; v_refunded bigint;
begin
  perform app.within(new.company_id);
  if new.invoice_id is not null and (tg_op = 'INSERT' or old.invoice_id is null) then
    select i.branch_id, i.client_id, i.currency, i.status into v_branch, v_client, v_currency, v_status
      from public.invoices i where i.company_id = new.company_id and i.id = new.invoice_id;
    if not found then perform app.refuse(true, 'unknown_reference', '{"pointer": "/invoiceId", "detail": "There is no such invoice."}'); end if;
    if new.currency <> v_currency then
      perform app.refuse(true, 'invalid_body', jsonb_build_object('pointer', '/amount/currency', 'detail', format('The invoice is in %s.', v_currency)));
    end if;
    if v_status <> 'OPEN' then perform app.refuse(true, 'invoice_not_open', jsonb_build_object('detail', format('The invoice is %s.', v_status))); end if;
    new.client_id := coalesce(v_client, new.client_id);
  end if;
  if tg_op = 'INSERT' then
    new.branch_id := coalesce(new.branch_id, v_branch);
    new.currency := coalesce(new.currency, v_currency);
    if new.currency is null then select c.currency into new.currency from public.companies c where c.id = new.company_id; end if;
    new.paid_at := coalesce(new.paid_at, clock_timestamp());
    new.business_date := coalesce(new.business_date, app.branch_day(new.company_id, new.branch_id, new.paid_at));
    new.refunded := 0;
    return new;
  end if;
  if to_jsonb(new) - k_open <> to_jsonb(old) - k_open or (old.invoice_id is not null and new.invoice_id is distinct from old.invoice_id) then
    perform app.refuse(true, 'conflict', '{"detail": "What a payment says stays: refund it, and make another one."}');
  end if;
  if old.invoice_id is not null and new.client_id is distinct from old.client_id and not app.became(old.company_id, old.client_id, new.client_id) then
    perform app.refuse(true, 'conflict', '{"detail": "A payment is of the client of its invoice."}');
  end if;
  if new.status <> old.status then perform app.refuse_money_status(old.status, new.status); end if;
  select coalesce(sum(r.amount), 0) into v_refunded from public.refunds r
    where r.company_id = new.company_id and r.payment_id = new.id and r.status = 'SUCCEEDED';
  if v_refunded > (case when new.status = 'SUCCEEDED' then new.amount else 0 end) then
    perform app.refuse(true, 'exceeds_paid', jsonb_build_object('pointer', '/amount',
      'detail', format('%s minor units are left to refund.', case when new.status = 'SUCCEEDED' then new.amount - old.refunded else 0 end)));
  end if;
  new.refunded := v_refunded;
  return new;
end $$;

-- As in 0051.
create or replace function app.derive_refund() returns trigger language plpgsql security definer set search_path = '' as $$
declare
  k_open constant text[] := '{status,reason,external_id,version,created_at,updated_at}';
  v_branch uuid; v_currency text; v_status text;
begin
  perform app.within(new.company_id);
  if tg_op = 'UPDATE' then
    if to_jsonb(new) - k_open <> to_jsonb(old) - k_open then perform app.refuse(true, 'conflict', '{"detail": "What a refund says stays."}'); end if;
    if new.status <> old.status then perform app.refuse_money_status(old.status, new.status); end if;
    return new;
  end if;
  select p.branch_id, p.currency, p.status into v_branch, v_currency, v_status
    from public.payments p where p.company_id = new.company_id and p.id = new.payment_id;
  if not found then perform app.refuse(true, 'unknown_reference', '{"pointer": "/paymentId", "detail": "There is no such payment."}'); end if;
  if new.currency <> v_currency then
    perform app.refuse(true, 'invalid_body', jsonb_build_object('pointer', '/amount/currency', 'detail', format('The payment is in %s.', v_currency)));
  end if;
  if v_status <> 'SUCCEEDED' then perform app.refuse(true, 'exceeds_paid', jsonb_build_object('detail', format('The payment is %s.', v_status))); end if;
  new.currency := v_currency;
  new.branch_id := coalesce(new.branch_id, v_branch);
  new.refunded_at := coalesce(new.refunded_at, clock_timestamp());
  new.business_date := coalesce(new.business_date, app.branch_day(new.company_id, new.branch_id, new.refunded_at));
  return new;
end $$;

-- As in 0051; by their ids, which are of one company each.
create or replace function app.settle_invoices() returns trigger language plpgsql security definer set search_path = '' as $$
declare v_companies uuid[]; v_ids uuid[];
begin
  if tg_op = 'INSERT' then
    select array_agg(n.company_id), array_agg(n.invoice_id) into v_companies, v_ids from new_rows n where n.invoice_id is not null and n.status = 'SUCCEEDED';
  else
    select array_agg(n.company_id), array_agg(n.invoice_id) into v_companies, v_ids from new_rows n join old_rows o on o.company_id = n.company_id and o.id = n.id
      where n.invoice_id is not null and (n.status, n.refunded, n.invoice_id) is distinct from (o.status, o.refunded, o.invoice_id);
  end if;
  if v_ids is not null then update public.invoices i set status = i.status where i.company_id = any (v_companies) and i.id = any (v_ids); end if;
  return null;
end $$;

-- Likewise.
create or replace function app.settle_payments() returns trigger language plpgsql security definer set search_path = '' as $$
declare v_companies uuid[]; v_ids uuid[];
begin
  select array_agg(n.company_id), array_agg(n.payment_id) into v_companies, v_ids from new_rows n where n.status = 'SUCCEEDED';
  if v_ids is not null then update public.payments p set status = p.status where p.company_id = any (v_companies) and p.id = any (v_ids); end if;
  return null;
end $$;

-- As in 0072.
create or replace function app.branch_day(p_company uuid, p_branch uuid, p_at timestamptz) returns date language plpgsql stable security definer set search_path = '' as $$
declare v_zone text;
begin
  select b.time_zone into v_zone from public.branches b where b.company_id = p_company and b.id = p_branch;
  if v_zone is null then perform app.refuse(true, 'unknown_reference', '{"pointer": "/branchId", "detail": "There is no such branch."}'); end if;
  return app.local_at(v_zone, p_at)::date;
end $$;

set local role cp_owner;
