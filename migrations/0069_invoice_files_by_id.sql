-- As in 0068, and each row's invoice is found by its id: joined, all those of the company would be looked at for each row.
create or replace function app.import_invoices(p_rows jsonb) returns jsonb language plpgsql volatile set search_path = '' as $$
declare v_ids uuid[]; v_versions int[]; v_drafts uuid[]; v_created int; v_updated int;
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

  perform app.refuse(
      (g.branch, g.client, g.discount, g."taxInclusive", p.lines) is distinct from (i.branch_id, i.client_id, i.discount, i.tax_inclusive, i.lines)
      or (i.series = 'IMPORTED' and (g.number, g."issueDate", g."dueDate") is distinct from (i.number, i.issue_date, i.due_date))
      or g.status = 'DRAFT', 'invoice_not_draft')
    from jsonb_array_elements(p_rows) r,
      lateral (select i.* from public.invoices i where i.company_id = app.company() and i.id = (r ->> 'id')::uuid and i.status <> 'DRAFT' offset 0) i,
      jsonb_to_record(r -> 'given') g (branch uuid, client uuid, discount bigint, "taxInclusive" boolean, number text, "issueDate" date, "dueDate" date, status text, lines jsonb),
      app.price_invoice(g.lines, i.lines, g.discount, i.tax_inclusive, i.currency) p;

  insert into public.invoices (company_id, id, external_id, branch_id, client_id, series, number, issue_date, due_date, tax_inclusive, lines, discount, status)
    select app.company(), (r ->> 'id')::uuid, r ->> 'key', g.branch, g.client, case g.status when 'DRAFT' then 'INVOICE' else 'IMPORTED' end, g.number,
      g."issueDate", g."dueDate", g."taxInclusive", g.lines, g.discount, case g.status when 'DRAFT' then 'DRAFT' else 'OPEN' end
    from jsonb_array_elements(p_rows) with ordinality x (r, n),
      jsonb_to_record(r -> 'given') g (branch uuid, client uuid, discount bigint, "taxInclusive" boolean, number text, "issueDate" date, "dueDate" date, status text, lines jsonb)
    where (r ->> 'id')::uuid <> all (v_ids) order by n;
  get diagnostics v_created = row_count;
  if v_drafts <> '{}' then
    update public.invoices i set branch_id = g.branch, client_id = g.client, series = case g.status when 'DRAFT' then 'INVOICE' else 'IMPORTED' end,
        number = g.number, issue_date = g."issueDate", due_date = g."dueDate", tax_inclusive = g."taxInclusive", lines = g.lines, discount = g.discount,
        status = case g.status when 'DRAFT' then 'DRAFT' else 'OPEN' end
      from jsonb_array_elements(p_rows) r,
        jsonb_to_record(r -> 'given') g (branch uuid, client uuid, discount bigint, "taxInclusive" boolean, number text, "issueDate" date, "dueDate" date, status text, lines jsonb)
      where i.company_id = app.company() and i.id = (r ->> 'id')::uuid and i.id = any (v_drafts);
  end if;

  -- In one statement, so each invoice counts them once.
  with given as materialized (
    select i.id as invoice, n, m, p.*, coalesce(p."paidAt", (i.issue_date + time '12:00') at time zone b.time_zone) as paid_at
    from jsonb_array_elements(p_rows) with ordinality x (r, n),
      jsonb_array_elements(r -> 'given' -> 'payments') with ordinality y (e, m),
      jsonb_to_record(e) p (id uuid, amount bigint, currency text, method text, reference text, "paidAt" timestamptz(3), "externalId" text),
      lateral (select i.id, i.issue_date, i.branch_id from public.invoices i where i.company_id = app.company() and i.id = (r ->> 'id')::uuid offset 0) i,
      lateral (select b.time_zone from public.branches b where b.company_id = app.company() and b.id = i.branch_id offset 0) b),
  numbered as (
    select g.*, row_number() over (partition by g.invoice, g.amount, g.method, g.reference, g.paid_at, g."externalId" order by g.m) as k from given g),
  known as (
    select p.*, row_number() over (partition by p.invoice_id, p.amount, p.method, p.reference, p.paid_at order by p.id) as k
    from (select distinct g.invoice from given g) g,
      lateral (select p.* from public.payments p where p.company_id = app.company() and p.invoice_id = g.invoice offset 0) p),
  fresh as (
    select g.*, app.refuse(k.amount <> g.amount, 'conflict', jsonb_build_object('pointer', format('/payments/%s/amount', g.m - 1),
        'detail', 'The payment with this external id is another one.')) as judged, k.id is null as really
    from numbered g left join known k on k.invoice_id = g.invoice and case when g."externalId" is null
      then (k.amount, k.method, k.reference, k.paid_at, k.k) is not distinct from (g.amount, g.method, g.reference, g.paid_at, g.k)
      else k.external_id = g."externalId" end)
  insert into public.payments (company_id, id, invoice_id, amount, currency, method, reference, paid_at, external_id)
    select app.company(), f.id, f.invoice, f.amount, f.currency, f.method, f.reference, f.paid_at, f."externalId" from fresh f
    where f.judged is not null and f.really order by f.n, f.m;
  if jsonb_path_exists(p_rows, '$[*].given.status ? (@ == "VOID" || @ == "UNCOLLECTIBLE")') then
    update public.invoices i set status = r -> 'given' ->> 'status' from jsonb_array_elements(p_rows) r
      where i.company_id = app.company() and i.id = (r ->> 'id')::uuid and r -> 'given' ->> 'status' in ('VOID', 'UNCOLLECTIBLE')
        and i.status <> r -> 'given' ->> 'status';
  end if;

  perform app.refuse(r -> 'given' ->> 'status' = 'PAID' and i.status <> 'PAID', 'invalid_body',
      jsonb_build_object('pointer', '/payments', 'detail', format('The payments leave %s minor units.', i.balance)))
    from jsonb_array_elements(p_rows) r,
      lateral (select i.status, i.balance from public.invoices i where i.company_id = app.company() and i.id = (r ->> 'id')::uuid offset 0) i;
  select count(*) into v_updated from unnest(v_ids, v_versions) k (id, version),
    lateral (select i.version from public.invoices i where i.company_id = app.company() and i.id = k.id offset 0) i where i.version <> k.version;
  return jsonb_build_object('created', v_created, 'updated', v_updated, 'unchanged', jsonb_array_length(p_rows) - v_created - v_updated);
end $$;
