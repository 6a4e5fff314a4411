-- Invoices of another system: with their own numbers, in whatever status they ended, and what was paid on them.

-- The row of a table that has this external id; null for none asked for. Refuses one that is not there.
create function app.found_by_external_id(p_table text, p_external_id text, p_pointer text) returns uuid language plpgsql stable set search_path = '' as $$
declare v_id uuid;
begin
  if p_external_id is null then return null; end if;
  execute format('select id from public.%I where company_id = app.company() and external_id = $1', p_table) into v_id using p_external_id;
  perform app.refuse(v_id is null, 'unknown_reference', jsonb_build_object('pointer', p_pointer, 'detail', 'There is no object with this external id.'));
  return v_id;
end $$;

-- Takes rows in, [{"id", "key", "given"}] with another key each (src/billing/invoices/import.ts), and answers how many were created,
-- updated and left as they were. A row that is there as it was given stores nothing; payments beyond those it has are added; of
-- what was issued nothing else changes but its status.
create function app.import_invoices(p_rows jsonb) returns jsonb language plpgsql volatile set search_path = '' as $$
declare
  r jsonb; g jsonb; v_lines jsonb; v_old public.invoices; v_new public.invoices; v_zone text; v_status text; v_issued boolean;
  v_branch uuid; v_client uuid; v_discount bigint; v_before int; v_had int; v_id uuid; v_priced jsonb;
  v_created int := 0; v_updated int := 0; v_unchanged int := 0;
begin
  for r in select e from jsonb_array_elements(p_rows) with ordinality x (e, n) order by n loop
    g := r -> 'given';
    v_status := coalesce(g ->> 'status', 'OPEN');
    v_issued := v_status <> 'DRAFT';
    v_discount := coalesce((g ->> 'discount')::bigint, 0);
    v_branch := app.found_by_external_id('branches', g ->> 'branch', '/branchExternalId');
    v_client := app.found_by_external_id('clients', g ->> 'client', '/clientExternalId');
    select jsonb_agg(l || jsonb_build_object('staffId', app.found_by_external_id('staff', l ->> 'staff', format('/lines/%s/staffExternalId', n - 1)),
        'serviceId', app.found_by_external_id('services', l ->> 'service', format('/lines/%s/serviceExternalId', n - 1))) order by n)
      into v_lines from jsonb_array_elements(g -> 'lines') with ordinality x (l, n);
    perform app.refuse(v_issued and g ->> 'issueDate' is null, 'invalid_body', '{"pointer": "/issueDate", "detail": "What was issued has a day."}'),
      app.refuse(not v_issued and (g ->> 'number' is not null or g -> 'payments' <> '[]'), 'invalid_body',
        '{"pointer": "/status", "detail": "A draft has neither number nor payments."}');
    select i.* into v_old from public.invoices i where i.company_id = app.company() and i.external_id = r ->> 'key' for no key update;
    v_before := v_old.version;
    if v_old.id is null then
      v_id := (r ->> 'id')::uuid;
      insert into public.invoices (company_id, id, external_id, branch_id, client_id, series, number, issue_date, due_date, lines, discount, status)
        values (app.company(), v_id, r ->> 'key', v_branch, v_client, case when v_issued then 'IMPORTED' else 'INVOICE' end, g ->> 'number',
          (g ->> 'issueDate')::date, (g ->> 'dueDate')::date, v_lines, v_discount, case when v_issued then 'OPEN' else 'DRAFT' end);
    elsif v_old.status = 'DRAFT' then
      v_id := v_old.id;
      update public.invoices i set branch_id = v_branch, client_id = v_client, series = case when v_issued then 'IMPORTED' else 'INVOICE' end,
          number = g ->> 'number', issue_date = (g ->> 'issueDate')::date, due_date = (g ->> 'dueDate')::date, lines = v_lines, discount = v_discount,
          status = case when v_issued then 'OPEN' else 'DRAFT' end
        where i.company_id = app.company() and i.id = v_id;
    else
      v_id := v_old.id;
      select p.lines into v_priced from app.price_invoice(v_lines, v_old.lines, v_discount, v_old.tax_inclusive, v_old.currency) p;
      perform app.refuse((v_branch, v_client, v_discount, v_priced) is distinct from (v_old.branch_id, v_old.client_id, v_old.discount, v_old.lines)
        or (v_old.series = 'IMPORTED' and (g ->> 'number', (g ->> 'issueDate')::date, (g ->> 'dueDate')::date)
          is distinct from (v_old.number, v_old.issue_date, v_old.due_date)), 'invoice_not_draft');
    end if;
    select count(*) into v_had from public.payments p where p.company_id = app.company() and p.invoice_id = v_id;
    select b.time_zone into v_zone from public.branches b where b.company_id = app.company() and b.id = v_branch;
    -- In one statement: the invoice counts them once.
    insert into public.payments (company_id, id, invoice_id, amount, currency, method, reference, paid_at)
      select app.company(), (p ->> 'id')::uuid, v_id, (p ->> 'amount')::bigint, p ->> 'currency', p ->> 'method', p ->> 'reference',
        coalesce((p ->> 'paidAt')::timestamptz, ((g ->> 'issueDate')::date + time '12:00') at time zone v_zone)
      from jsonb_array_elements(g -> 'payments') with ordinality x (p, n) where n > v_had order by n;
    if v_status in ('VOID', 'UNCOLLECTIBLE') then
      update public.invoices i set status = v_status where i.company_id = app.company() and i.id = v_id;
    end if;
    select i.* into strict v_new from public.invoices i where i.company_id = app.company() and i.id = v_id;
    perform app.refuse(v_status = 'PAID' and v_new.status <> 'PAID', 'invalid_body',
      jsonb_build_object('pointer', '/payments', 'detail', format('The payments leave %s minor units.', v_new.balance)));
    if v_before is null then v_created := v_created + 1;
    elsif v_new.version <> v_before then v_updated := v_updated + 1;
    else v_unchanged := v_unchanged + 1; end if;
  end loop;
  return jsonb_build_object('created', v_created, 'updated', v_updated, 'unchanged', v_unchanged);
end $$;
grant execute on function app.import_invoices(jsonb), app.found_by_external_id(text, text, text), app.price_invoice(jsonb, jsonb, bigint, boolean, text),
  app.scaled(bigint, bigint, bigint), app.spread(bigint, bigint[]) to cp_app;
