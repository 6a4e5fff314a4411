-- Books of another system whole: what was given back, and drafts that were voided before they had a number or a day.

-- As in 0057, and one that a file has as VOID or UNCOLLECTIBLE, which begins as OPEN here and is none a moment later, keeps no other
-- from its appointment, nor does another keep it (`app.voiding`: ids of such).
set local role cp_definer;
create or replace function app.bill_appointments() returns trigger language plpgsql security definer set search_path = '' as $$
declare
  v_line jsonb; v_parts jsonb; v_status text; v_currency text; v_pointer text; v_what text; v_other uuid; v_whole boolean;
  v_appointment uuid; v_lines jsonb := '[]';
  v_voiding constant boolean := strpos(coalesce(current_setting('app.voiding', true), ''), new.id::text) > 0;
begin
  if jsonb_typeof(new.lines) is distinct from 'array' or coalesce(current_setting('app.erasing', true), '') = 'on' then return new; end if;
  if tg_op = 'UPDATE' and old.status <> 'DRAFT' then return new; end if;
  perform app.within(new.company_id);
  select format('/lines/%s/%s', n - 1, member), what into v_pointer, v_what
    from jsonb_array_elements(new.lines) with ordinality x (l, n), lateral (values
      ('staffId', 'staff member', exists (select from public.staff s where s.company_id = new.company_id and s.id = (l ->> 'staffId')::uuid)),
      ('serviceId', 'service', exists (select from public.services s where s.company_id = new.company_id and s.id = (l ->> 'serviceId')::uuid)),
      ('appointmentId', 'appointment', exists (select from public.appointments a where a.company_id = new.company_id and a.id = (l ->> 'appointmentId')::uuid))
    ) y (member, what, is_there)
    where l ->> member is not null and not is_there order by n limit 1;
  perform app.refuse(v_pointer is not null, 'unknown_reference', jsonb_build_object('pointer', v_pointer, 'detail', format('There is no such %s.', v_what)));
  if not jsonb_path_exists(new.lines, '$[*] ? (@.appointmentId != null)') then return new; end if;
  select coalesce(new.currency, c.currency) into v_currency from public.companies c where c.id = new.company_id;
  for i in 0 .. jsonb_array_length(new.lines) - 1 loop
    v_line := new.lines -> i;
    v_appointment := (v_line ->> 'appointmentId')::uuid;
    v_whole := v_appointment is not null and not v_line ? 'unitPrice';
    -- Said here, because the lines behind this one move.
    perform app.refuse(v_line ->> 'currency' <> v_currency, 'invalid_body', jsonb_build_object(
      'pointer', format('/lines/%s/unitPrice/currency', i), 'detail', format('The invoice is in %s.', v_currency)));
    if v_whole then
      select a.services, a.status into v_parts, v_status from public.appointments a where a.company_id = new.company_id and a.id = v_appointment;
      perform app.refuse(jsonb_path_exists(v_parts, '$[*] ? (!exists(@.price.amount))'), 'invalid_body', jsonb_build_object(
          'pointer', format('/lines/%s/unitPrice', i), 'detail', 'A price of this appointment is told on the day: say it here, with a description.')),
        app.refuse(v_status in ('CANCELLED', 'NO_SHOW'), 'not_billable', jsonb_build_object('pointer', format('/lines/%s/appointmentId', i),
          'detail', format('The appointment is %s: say what is due for it, with a description and a price.', v_status)));
    end if;
    if v_appointment is not null and coalesce(v_line ->> 'kind', 'SERVICE') = 'SERVICE' and not v_voiding then
      select i.id into v_other from public.invoice_lines l join public.invoices i on i.company_id = l.company_id and i.id = l.invoice_id
        where l.company_id = new.company_id and l.appointment_id = v_appointment and l.kind = 'SERVICE' and l.invoice_id <> new.id
          and i.status not in ('VOID', 'UNCOLLECTIBLE') limit 1;
      perform app.refuse(v_other is not null, 'already_billed', jsonb_build_object('pointer', format('/lines/%s/appointmentId', i),
        'conflictingInvoiceId', v_other, 'detail', 'Another invoice has this appointment: void that one, or bill what is missing as another kind of line.'));
    end if;
    if not v_whole then
      v_lines := v_lines || v_line;
      continue;
    end if;
    v_lines := v_lines || (select jsonb_agg(jsonb_build_object('kind', 'SERVICE', 'description', p ->> 'name', 'quantity', 1,
        'unitPrice', p -> 'price' -> 'amount', 'currency', p -> 'price' -> 'currency', 'taxes', coalesce(p -> 'taxes', '[]'),
        'staffId', p -> 'staffId', 'serviceId', p -> 'serviceId', 'appointmentId', v_line -> 'appointmentId') order by n)
      from jsonb_array_elements(v_parts) with ordinality x (p, n));
  end loop;
  new.lines := v_lines;
  return new;
end $$;

create or replace function app.project_invoice() returns trigger language plpgsql security definer set search_path = '' as $$
declare v_twice uuid;
begin
  if tg_op = 'UPDATE' then
    delete from public.invoice_lines l using new_rows n join old_rows o on o.company_id = n.company_id and o.id = n.id
      where l.company_id = n.company_id and l.invoice_id = n.id and app.wordless(n.lines) <> app.wordless(o.lines);
  end if;
  insert into public.invoice_lines (company_id, id, invoice_id, position, kind, staff_id, service_id, appointment_id, quantity, net, tax, total, taxes)
    select n.company_id, (l ->> 'id')::uuid, n.id, i::int, l ->> 'kind', (l ->> 'staffId')::uuid, (l ->> 'serviceId')::uuid, (l ->> 'appointmentId')::uuid,
      (l ->> 'quantity')::int, (l ->> 'net')::bigint, (l ->> 'total')::bigint - (l ->> 'net')::bigint, (l ->> 'total')::bigint, l -> 'taxes'
    from new_rows n, jsonb_array_elements(n.lines) with ordinality x (l, i)
    where tg_op = 'INSERT' or not exists (select from public.invoice_lines k where k.company_id = n.company_id and k.invoice_id = n.id);
  if tg_op = 'INSERT' and (select count(*) from new_rows) > 1 then
    select l.appointment_id into v_twice from new_rows n join public.invoice_lines l on l.company_id = n.company_id and l.invoice_id = n.id
      where l.kind = 'SERVICE' and l.appointment_id is not null and strpos(coalesce(current_setting('app.voiding', true), ''), n.id::text) = 0
      group by l.company_id, l.appointment_id having count(distinct l.invoice_id) > 1 limit 1;
    perform app.refuse(v_twice is not null, 'already_billed', '{"pointer": "/lines", "detail": "Two of these invoices have the same appointment."}');
  end if;
  return null;
end $$;
set local role cp_owner;

-- Takes rows in, [{"id", "key", "given"}] with another key each, whose references are ids, and answers how many were created, updated
-- and left as they were. A row that is there as it was given stores nothing, payments and refunds included: one is known by its
-- external id, or by all that it says. Of what was issued nothing else changes but its status. Each row's invoice is found by its
-- id: joined, all those of the company would be looked at for each row.
create function app.take_invoices(p_rows jsonb) returns jsonb language plpgsql volatile set search_path = '' as $$
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
    select i.id as invoice, n, m, p.*, coalesce(p."paidAt", (i.issue_date + time '12:00') at time zone b.time_zone) as paid_at
    from jsonb_array_elements(p_rows) with ordinality x (r, n),
      jsonb_array_elements(r -> 'given' -> 'payments') with ordinality y (e, m),
      jsonb_to_record(e) p (id uuid, amount bigint, currency text, method text, reference text, "paidAt" timestamptz(3), "externalId" text, step int, refunds jsonb),
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
        'detail', 'The payment with this external id is another one.')) as judged, k.id is null as really, coalesce(k.id, g.id) as payment
    from numbered g left join known k on k.invoice_id = g.invoice and case when g."externalId" is null
      then (k.amount, k.method, k.reference, k.paid_at, k.k) is not distinct from (g.amount, g.method, g.reference, g.paid_at, g.k)
      else k.external_id = g."externalId" end)
  select jsonb_agg(jsonb_build_object('id', f.payment, 'invoice', f.invoice, 'amount', f.amount, 'currency', f.currency, 'method', f.method,
      'reference', f.reference, 'paidAt', f.paid_at, 'externalId', f."externalId", 'step', f.step, 'really', f.really, 'at', f.m - 1, 'refunds', f.refunds) order by f.n, f.m)
    into v_payments from fresh f where f.judged is not null;
  if jsonb_path_exists(v_payments, '$[*].refunds[*]') then
    with given as materialized (
      select (p ->> 'id')::uuid as payment, p ->> 'currency' as currency, p ->> 'at' as at, n, m, r.*,
        coalesce(r."refundedAt", (p ->> 'paidAt')::timestamptz(3)) as refunded_at
      from jsonb_array_elements(v_payments) with ordinality x (p, n), jsonb_array_elements(p -> 'refunds') with ordinality y (e, m),
        jsonb_to_record(e) r (id uuid, amount bigint, reason text, "refundedAt" timestamptz(3), "externalId" text, step int)),
    numbered as (
      select g.*, row_number() over (partition by g.payment, g.amount, g.reason, g.refunded_at, g."externalId" order by g.m) as k from given g),
    known as (
      select r.*, row_number() over (partition by r.payment_id, r.amount, r.reason, r.refunded_at order by r.id) as k
      from (select distinct g.payment from given g) g,
        lateral (select r.* from public.refunds r where r.company_id = app.company() and r.payment_id = g.payment offset 0) r),
    fresh as (
      select g.*, app.refuse(k.amount <> g.amount, 'conflict', jsonb_build_object('pointer', format('/payments/%s/refunds/%s/amount', g.at, g.m - 1),
          'detail', 'The refund with this external id is another one.')) as judged, k.id is null as really
      from numbered g left join known k on k.payment_id = g.payment and case when g."externalId" is null
        then (k.amount, k.reason, k.refunded_at, k.k) is not distinct from (g.amount, g.reason, g.refunded_at, g.k)
        else k.external_id = g."externalId" end)
    select jsonb_agg(jsonb_build_object('id', f.id, 'payment', f.payment, 'amount', f.amount, 'currency', f.currency, 'reason', f.reason,
        'refundedAt', f.refunded_at, 'externalId', f."externalId", 'step', f.step) order by f.n, f.m) filter (where f.really)
      into v_refunds from fresh f where f.judged is not null;
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
grant execute on function app.take_invoices(jsonb) to cp_app;
