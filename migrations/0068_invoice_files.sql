-- Invoices of another system, a chunk of a file at once (src/billing/invoices/file.ts).

-- Their numbers are a series of their own: the counter of a branch neither moves nor meets them, and none stands there twice.
create unique index invoices_imported_number on invoices (company_id, branch_id, number) where series = 'IMPORTED';

-- Who a client is after all merging.
create function app.living_client(p_client uuid) returns uuid language sql stable set search_path = '' as $$
  with recursive was as (
    select c.id, c.merged_into from public.clients c where c.company_id = app.company() and c.id = p_client
    union select c.id, c.merged_into from was w join public.clients c on c.company_id = app.company() and c.id = w.merged_into)
  select w.id from was w where w.merged_into is null
$$;

-- As in 0053, by the statement: rows [{"id", "key", "given"}] with another key each, whose references are ids. A row that is there as
-- it was given stores nothing, payments included: one is known by its external id, or by all that it says. Of what was issued
-- nothing else changes but its status.
create or replace function app.import_invoices(p_rows jsonb) returns jsonb language plpgsql volatile set search_path = '' as $$
declare v_before jsonb; v_created int; v_updated int;
begin
  select coalesce(jsonb_object_agg(i.external_id, jsonb_build_object('id', i.id, 'version', i.version, 'status', i.status)), '{}') into v_before from (
    select i.* from public.invoices i where i.company_id = app.company()
      and i.external_id in (select r ->> 'key' from jsonb_array_elements(p_rows) r) for no key update) i;
  -- The client may have become another one since the file was written.
  p_rows := (select jsonb_agg(r || jsonb_build_object('id', coalesce(v_before -> (r ->> 'key') ->> 'id', r ->> 'id'), 'given',
      r -> 'given' || jsonb_build_object('client', app.living_client((r -> 'given' ->> 'client')::uuid))) order by n)
    from jsonb_array_elements(p_rows) with ordinality x (r, n));

  perform app.refuse(
      (g.branch, g.client, g.discount, g."taxInclusive", p.lines) is distinct from (i.branch_id, i.client_id, i.discount, i.tax_inclusive, i.lines)
      or (i.series = 'IMPORTED' and (g.number, g."issueDate", g."dueDate") is distinct from (i.number, i.issue_date, i.due_date))
      or g.status = 'DRAFT', 'invoice_not_draft')
    from jsonb_array_elements(p_rows) r join public.invoices i on i.company_id = app.company() and i.id = (r ->> 'id')::uuid and i.status <> 'DRAFT',
      jsonb_to_record(r -> 'given') g (branch uuid, client uuid, discount bigint, "taxInclusive" boolean, number text, "issueDate" date, "dueDate" date, status text, lines jsonb),
      app.price_invoice(g.lines, i.lines, g.discount, i.tax_inclusive, i.currency) p;

  insert into public.invoices (company_id, id, external_id, branch_id, client_id, series, number, issue_date, due_date, tax_inclusive, lines, discount, status)
    select app.company(), (r ->> 'id')::uuid, r ->> 'key', g.branch, g.client, case g.status when 'DRAFT' then 'INVOICE' else 'IMPORTED' end, g.number,
      g."issueDate", g."dueDate", g."taxInclusive", g.lines, g.discount, case g.status when 'DRAFT' then 'DRAFT' else 'OPEN' end
    from jsonb_array_elements(p_rows) with ordinality x (r, n),
      jsonb_to_record(r -> 'given') g (branch uuid, client uuid, discount bigint, "taxInclusive" boolean, number text, "issueDate" date, "dueDate" date, status text, lines jsonb)
    where not v_before ? (r ->> 'key') order by n;
  get diagnostics v_created = row_count;
  update public.invoices i set branch_id = g.branch, client_id = g.client, series = case g.status when 'DRAFT' then 'INVOICE' else 'IMPORTED' end,
      number = g.number, issue_date = g."issueDate", due_date = g."dueDate", tax_inclusive = g."taxInclusive", lines = g.lines, discount = g.discount,
      status = case g.status when 'DRAFT' then 'DRAFT' else 'OPEN' end
    from jsonb_array_elements(p_rows) r,
      jsonb_to_record(r -> 'given') g (branch uuid, client uuid, discount bigint, "taxInclusive" boolean, number text, "issueDate" date, "dueDate" date, status text, lines jsonb)
    where i.company_id = app.company() and i.id = (r ->> 'id')::uuid and v_before -> (r ->> 'key') ->> 'status' = 'DRAFT';

  -- In one statement, so each invoice counts them once.
  with given as (
    select i.id as invoice, n, m, p.*, coalesce(p."paidAt", (i.issue_date + time '12:00') at time zone b.time_zone) as paid_at
    from jsonb_array_elements(p_rows) with ordinality x (r, n) join public.invoices i on i.company_id = app.company() and i.id = (r ->> 'id')::uuid
      join public.branches b on b.company_id = i.company_id and b.id = i.branch_id,
      jsonb_array_elements(r -> 'given' -> 'payments') with ordinality y (e, m),
      jsonb_to_record(e) p (id uuid, amount bigint, currency text, method text, reference text, "paidAt" timestamptz(3), "externalId" text)),
  numbered as (
    select g.*, row_number() over (partition by g.invoice, g.amount, g.method, g.reference, g.paid_at, g."externalId" order by g.m) as k from given g),
  known as (
    select p.*, row_number() over (partition by p.invoice_id, p.amount, p.method, p.reference, p.paid_at order by p.id) as k
    from public.payments p where p.company_id = app.company() and p.invoice_id in (select g.invoice from given g)),
  fresh as (
    select g.*, app.refuse(k.amount <> g.amount, 'conflict', jsonb_build_object('pointer', format('/payments/%s/amount', g.m - 1),
        'detail', 'The payment with this external id is another one.')) as judged, k.id is null as really
    from numbered g left join known k on k.invoice_id = g.invoice and case when g."externalId" is null
      then (k.amount, k.method, k.reference, k.paid_at, k.k) is not distinct from (g.amount, g.method, g.reference, g.paid_at, g.k)
      else k.external_id = g."externalId" end)
  insert into public.payments (company_id, id, invoice_id, amount, currency, method, reference, paid_at, external_id)
    select app.company(), f.id, f.invoice, f.amount, f.currency, f.method, f.reference, f.paid_at, f."externalId" from fresh f
    where f.judged is not null and f.really order by f.n, f.m;
  update public.invoices i set status = r -> 'given' ->> 'status' from jsonb_array_elements(p_rows) r
    where i.company_id = app.company() and i.id = (r ->> 'id')::uuid and r -> 'given' ->> 'status' in ('VOID', 'UNCOLLECTIBLE') and i.status <> r -> 'given' ->> 'status';

  perform app.refuse(r -> 'given' ->> 'status' = 'PAID' and i.status <> 'PAID', 'invalid_body',
      jsonb_build_object('pointer', '/payments', 'detail', format('The payments leave %s minor units.', i.balance)))
    from jsonb_array_elements(p_rows) r join public.invoices i on i.company_id = app.company() and i.id = (r ->> 'id')::uuid;
  select count(*) into v_updated from jsonb_array_elements(p_rows) r join public.invoices i on i.company_id = app.company() and i.id = (r ->> 'id')::uuid
    where v_before ? (r ->> 'key') and i.version <> (v_before -> (r ->> 'key') ->> 'version')::int;
  return jsonb_build_object('created', v_created, 'updated', v_updated, 'unchanged', jsonb_array_length(p_rows) - v_created - v_updated);
end $$;
grant execute on function app.living_client(uuid) to cp_app;
