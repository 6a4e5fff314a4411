-- What was paid is known again however little a file says of it.

-- Which payments of an invoice the payments of a file are, as {"id", "invoice", "amount", …, "m": place}: by their external id; else by
-- all that they say; else by what they say at all, amount and method at least. Each is one alone. Whoever says no time or reference
-- means the one that is there, and not another like it.
create function app.known_payments(p_given jsonb) returns table (id uuid, payment uuid, paid_at timestamptz)
language plpgsql stable set search_path = '' as $$
declare g record; k record; v_taken uuid[] := '{}'; v_known uuid[] := '{}';
begin
  for v_pass in 1..3 loop
    for g in select e.* from jsonb_to_recordset(p_given) e (id uuid, invoice uuid, amount bigint, method text, reference text, "paidAt" timestamptz(3), "externalId" text, n int, m int)
      where e.id <> all (v_known) and (v_pass > 1 or e."externalId" is not null) order by e."paidAt" is null, e.reference is null, e.n, e.m
    loop
      select p.id, p.amount, p.paid_at into k from public.payments p
        where p.company_id = app.company() and p.invoice_id = g.invoice and p.id <> all (v_taken) and case v_pass
          when 1 then p.external_id = g."externalId"
          else (p.amount, p.method) = (g.amount, g.method) and (g."externalId" is null or p.external_id is null) and case v_pass
            when 2 then (p.reference, p.paid_at) is not distinct from (g.reference, g."paidAt")
            else (g.reference is null or g.reference = p.reference) and (g."paidAt" is null or g."paidAt" = p.paid_at) end end
        order by p.reference is distinct from g.reference, p.paid_at, p.id limit 1;
      continue when not found;
      perform app.refuse(k.amount <> g.amount, 'invalid_body', jsonb_build_object('pointer', format('/payments/%s/amount', g.m - 1),
        'detail', 'The payment with this external id is another one.'));
      v_taken := v_taken || k.id;
      v_known := v_known || g.id;
      id := g.id;
      payment := k.id;
      paid_at := k.paid_at;
      return next;
    end loop;
  end loop;
end $$;
-- The same of refunds: those of a file that are there.
create function app.known_refunds(p_given jsonb) returns setof uuid language plpgsql stable set search_path = '' as $$
declare g record; k record; v_taken uuid[] := '{}'; v_known uuid[] := '{}';
begin
  for v_pass in 1..3 loop
    for g in select e.* from jsonb_to_recordset(p_given) e (id uuid, payment uuid, amount bigint, reason text, "refundedAt" timestamptz(3), refunded_at timestamptz(3), "externalId" text, at text, n int, m int)
      where e.id <> all (v_known) and (v_pass > 1 or e."externalId" is not null) order by e."refundedAt" is null, e.reason is null, e.n, e.m
    loop
      select r.id, r.amount into k from public.refunds r
        where r.company_id = app.company() and r.payment_id = g.payment and r.id <> all (v_taken) and case v_pass
          when 1 then r.external_id = g."externalId"
          else r.amount = g.amount and (g."externalId" is null or r.external_id is null) and case v_pass
            when 2 then (r.reason, r.refunded_at) is not distinct from (g.reason, g.refunded_at)
            else (g.reason is null or g.reason = r.reason) and (g."refundedAt" is null or g."refundedAt" = r.refunded_at) end end
        order by r.reason is distinct from g.reason, r.refunded_at, r.id limit 1;
      continue when not found;
      perform app.refuse(k.amount <> g.amount, 'invalid_body', jsonb_build_object('pointer', format('/payments/%s/refunds/%s/amount', g.at, g.m - 1),
        'detail', 'The refund with this external id is another one.'));
      v_taken := v_taken || k.id;
      v_known := v_known || g.id;
      return next g.id;
    end loop;
  end loop;
end $$;
grant execute on function app.known_payments(jsonb), app.known_refunds(jsonb) to cp_app;

-- As in 0066, by the clock of 0072, but for that. A payment of which a file says no time is the one of its day that is there already, also
-- where the branch has had another clock since.
create or replace function app.take_invoices(p_rows jsonb) returns jsonb language plpgsql volatile set search_path = '' as $$
declare v_ids uuid[]; v_versions int[]; v_drafts uuid[]; v_payments jsonb; v_refunds jsonb; v_step int; v_created int; v_updated int;
begin
  select coalesce(array_agg(i.id), '{}'), coalesce(array_agg(i.version), '{}'), coalesce(array_agg(i.id) filter (where i.status = 'DRAFT'), '{}')
    into v_ids, v_versions, v_drafts from (
      select i.* from public.invoices i where i.company_id = app.company()
        and i.external_id = any (array(select r ->> 'key' from jsonb_array_elements(p_rows) r)) for no key update) i;
  -- The client may have become another one since the file was written.
  p_rows := (select jsonb_agg(r || jsonb_build_object('id', coalesce(i.id, (r ->> 'id')::uuid),
      'given', r -> 'given' || jsonb_build_object('client', c.id)) order by n)
    from jsonb_array_elements(p_rows) with ordinality x (r, n)
      left join lateral (select i.id from public.invoices i where i.company_id = app.company() and i.external_id = r ->> 'key' offset 0) i on true,
      lateral (select case when r -> 'given' ->> 'client' is not null then app.living_client((r -> 'given' ->> 'client')::uuid) end as id) c);

  perform set_config('app.voiding', (select string_agg(r ->> 'id', ' ') from jsonb_array_elements(p_rows) r
      where r -> 'given' ->> 'status' in ('VOID', 'UNCOLLECTIBLE')), true);
  perform app.refuse(
      (g.branch, g.client, g.discount, g."taxInclusive", p.lines) is distinct from (i.branch_id, i.client_id, i.discount, i.tax_inclusive, i.lines)
      or (i.series = 'IMPORTED' and (g.number, g."issueDate", g."dueDate") is distinct from (i.number, i.issue_date, i.due_date))
      or g.status = 'DRAFT', 'invoice_not_draft')
    from jsonb_array_elements(p_rows) r,
      lateral (select i.* from public.invoices i where i.company_id = app.company() and i.id = (r ->> 'id')::uuid and i.status <> 'DRAFT' offset 0) i,
      jsonb_to_record(r -> 'given') g (branch uuid, client uuid, discount bigint, "taxInclusive" boolean, number text, "issueDate" date, "dueDate" date, status text, lines jsonb),
      app.price_invoice(g.lines, i.lines, g.discount, i.tax_inclusive, i.currency) p;

  insert into public.invoices (company_id, id, external_id, branch_id, client_id, series, number, issue_date, due_date, tax_inclusive, lines, discount, status)
    select app.company(), (r ->> 'id')::uuid, r ->> 'key', g.branch, g.client, case when g.undated then 'INVOICE' else 'IMPORTED' end, g.number,
      g."issueDate", g."dueDate", g."taxInclusive", g.lines, g.discount, case when g.undated then 'DRAFT' else 'OPEN' end
    from jsonb_array_elements(p_rows) with ordinality x (r, n),
      jsonb_to_record(r -> 'given') g (branch uuid, client uuid, discount bigint, "taxInclusive" boolean, number text, "issueDate" date, "dueDate" date, undated boolean, lines jsonb)
    where (r ->> 'id')::uuid <> all (v_ids) order by n;
  get diagnostics v_created = row_count;
  if v_drafts <> '{}' then
    update public.invoices i set branch_id = g.branch, client_id = g.client, series = case when g.undated then 'INVOICE' else 'IMPORTED' end,
        number = g.number, issue_date = g."issueDate", due_date = g."dueDate", tax_inclusive = g."taxInclusive", lines = g.lines, discount = g.discount,
        status = case when g.undated then 'DRAFT' else 'OPEN' end
      from jsonb_array_elements(p_rows) r,
        jsonb_to_record(r -> 'given') g (branch uuid, client uuid, discount bigint, "taxInclusive" boolean, number text, "issueDate" date, "dueDate" date, undated boolean, lines jsonb)
      where i.company_id = app.company() and i.id = (r ->> 'id')::uuid and i.id = any (v_drafts);
  end if;

  -- In as few statements as can be: each invoice counts its payments once in each. What was given back before the last payment came
  -- made room for it, so steps alternate: payments, refunds, payments … (src/billing/invoices/settling.ts).
  with given as materialized (
    select i.id as invoice, n, m, p.*, i.issue_date, b.time_zone
    from jsonb_array_elements(p_rows) with ordinality x (r, n),
      jsonb_array_elements(r -> 'given' -> 'payments') with ordinality y (e, m),
      jsonb_to_record(e) p (id uuid, amount bigint, currency text, method text, reference text, "paidAt" timestamptz(3), "externalId" text, step int, refunds jsonb),
      lateral (select i.id, i.issue_date, i.branch_id from public.invoices i where i.company_id = app.company() and i.id = (r ->> 'id')::uuid offset 0) i,
      lateral (select b.time_zone from public.branches b where b.company_id = app.company() and b.id = i.branch_id offset 0) b),
  known as (
    select k.* from app.known_payments((select jsonb_agg(to_jsonb(g) - 'refunds' order by g.n, g.m) from given g where g.invoice = any (v_ids))) k),
  fresh as (
    select g.*, k.payment is null as really, coalesce(k.payment, g.id) as payment,
      coalesce(g."paidAt", k.paid_at, app.reached_at(g.time_zone, g.issue_date + time '12:00')) as paid_at
    from given g left join known k on k.id = g.id)
  select jsonb_agg(jsonb_build_object('id', f.payment, 'invoice', f.invoice, 'amount', f.amount, 'currency', f.currency, 'method', f.method,
      'reference', f.reference, 'paidAt', f.paid_at, 'externalId', f."externalId", 'step', f.step, 'really', f.really, 'at', f.m - 1, 'refunds', f.refunds) order by f.n, f.m)
    into v_payments from fresh f;
  if jsonb_path_exists(v_payments, '$[*].refunds[*]') then
    with given as materialized (
      select (p ->> 'id')::uuid as payment, (p ->> 'really')::boolean as really, p ->> 'currency' as currency, p ->> 'at' as at, n, m, r.*,
        coalesce(r."refundedAt", (p ->> 'paidAt')::timestamptz(3)) as refunded_at
      from jsonb_array_elements(v_payments) with ordinality x (p, n), jsonb_array_elements(p -> 'refunds') with ordinality y (e, m),
        jsonb_to_record(e) r (id uuid, amount bigint, reason text, "refundedAt" timestamptz(3), "externalId" text, step int)),
    known as (
      select k.id from app.known_refunds((select jsonb_agg(to_jsonb(g) order by g.n, g.m) from given g where not g.really)) k (id)),
    fresh as (select g.* from given g where g.id not in (select k.id from known k))
    select jsonb_agg(jsonb_build_object('id', f.id, 'payment', f.payment, 'amount', f.amount, 'currency', f.currency, 'reason', f.reason,
        'refundedAt', f.refunded_at, 'externalId', f."externalId", 'step', f.step) order by f.n, f.m)
      into v_refunds from fresh f;
  end if;
  for v_step in select distinct (e ->> 'step')::int from (
      select e from jsonb_array_elements(v_payments) e where (e ->> 'really')::boolean union all select e from jsonb_array_elements(v_refunds) e) x order by 1
  loop
    if v_step % 2 = 1 then
      insert into public.payments (company_id, id, invoice_id, amount, currency, method, reference, paid_at, external_id)
        select app.company(), p.id, p.invoice, p.amount, p.currency, p.method, p.reference, p."paidAt", p."externalId"
        from jsonb_array_elements(v_payments) with ordinality x (e, n),
          jsonb_to_record(e) p (id uuid, invoice uuid, amount bigint, currency text, method text, reference text, "paidAt" timestamptz, "externalId" text, step int, really boolean)
        where p.really and p.step = v_step order by n;
    else
      insert into public.refunds (company_id, id, payment_id, amount, currency, reason, refunded_at, external_id)
        select app.company(), r.id, r.payment, r.amount, r.currency, r.reason, r."refundedAt", r."externalId"
        from jsonb_array_elements(v_refunds) with ordinality x (e, n),
          jsonb_to_record(e) r (id uuid, payment uuid, amount bigint, currency text, reason text, "refundedAt" timestamptz, "externalId" text, step int)
        where r.step = v_step order by n;
    end if;
  end loop;
  if jsonb_path_exists(p_rows, '$[*].given.status ? (@ == "VOID" || @ == "UNCOLLECTIBLE")') then
    update public.invoices i set status = r -> 'given' ->> 'status' from jsonb_array_elements(p_rows) r
      where i.company_id = app.company() and i.id = (r ->> 'id')::uuid and r -> 'given' ->> 'status' in ('VOID', 'UNCOLLECTIBLE')
        and i.status <> r -> 'given' ->> 'status';
  end if;

  perform app.refuse(r -> 'given' ->> 'status' = 'PAID' and i.status <> 'PAID', 'invalid_body',
      jsonb_build_object('pointer', '/payments', 'detail', format('The payments leave %s minor units.', i.balance)))
    from jsonb_array_elements(p_rows) r,
      lateral (select i.status, i.balance from public.invoices i where i.company_id = app.company() and i.id = (r ->> 'id')::uuid offset 0) i;
  perform set_config('app.voiding', '', true);
  select count(*) into v_updated from unnest(v_ids, v_versions) k (id, version),
    lateral (select i.version from public.invoices i where i.company_id = app.company() and i.id = k.id offset 0) i where i.version <> k.version;
  return jsonb_build_object('created', v_created, 'updated', v_updated, 'unchanged', jsonb_array_length(p_rows) - v_created - v_updated);
end $$;

-- A draft that says both its days is due on the day of its issue or later. What was issued elsewhere says what it said there.
create function app.refuse_due() returns trigger language plpgsql set search_path = '' as $$
begin
  perform app.refuse(new.due_date < new.issue_date, 'invalid_body', '{"pointer": "/dueDate", "detail": "Must not be before issueDate."}');
  return new;
end $$;
create trigger a_due before insert or update of issue_date, due_date on invoices for each row
  when (new.status = 'DRAFT' and new.series <> 'IMPORTED') execute function app.refuse_due();
