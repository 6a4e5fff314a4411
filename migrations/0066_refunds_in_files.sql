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

-- As in 0063, and nothing is looked at beyond what a row meets: joined, all appointments of the company would be for each.
create or replace function app.met_by(p_subject uuid, p_busy tstzmultirange)
returns table (appointment_id uuid, deliberate boolean, expires_at timestamptz) language sql stable rows 2 as $$
  select o.appointment_id, o.deliberate, o.expires_at from public.occupancies o
    where o.company_id = app.company() and o.subject_id = p_subject and not o.deliberate and o.begins > app.minute_of(lower(p_busy)) - 5760
      and o.begins < app.minute_of(upper(p_busy)) and o.ends > app.minute_of(lower(p_busy)) and o.busy && p_busy
  union all
  select o.appointment_id, o.deliberate, o.expires_at from public.occupancies o
    where o.company_id = app.company() and o.subject_id = p_subject and o.deliberate and o.begins > app.minute_of(lower(p_busy)) - 5760
      and o.begins < app.minute_of(upper(p_busy)) and o.ends > app.minute_of(lower(p_busy)) and o.busy && p_busy
$$;

set local role cp_definer;
create or replace function app.judge_file(p_rows jsonb, out rows jsonb, out outdone uuid[], out freed uuid[], out found_over uuid[])
language plpgsql volatile security definer set search_path = '' set enable_seqscan = off set enable_bitmapscan = off as $$
declare v_own uuid[]; v_moved uuid[]; v_inside uuid[] := '{}'; v_outside uuid[] := '{}'; v_said uuid[] := '{}'; v_chosen jsonb := '{}';
  v_each record; v_row jsonb; v_resources jsonb; v_overlap boolean;
begin
  v_own := array(select (r ->> 'id')::uuid from jsonb_array_elements(p_rows) r);
  v_moved := array(select (r ->> 'id')::uuid from jsonb_array_elements(p_rows) r where (r ->> 'moved')::boolean);
  outdone := '{}'; freed := '{}';
  for v_each in
    with recursive own as materialized (
      select (r ->> 'id')::uuid as id, (r ->> 'starts_at')::timestamptz as starts_at, r from jsonb_array_elements(p_rows) r where (r ->> 'moved')::boolean),
    wanted as materialized (
      select o.id, o.starts_at, coalesce(b.staff_id, b.resource_id) as subject_id, b.busy
      from own o, app.busy_subjects(o.starts_at, o.r -> 'services', o.r -> 'resources') b where app.occupies(o.r ->> 'status')),
    left_behind as materialized (
      select o.id, a.starts_at, c.subject_id, c.busy from own o
        cross join lateral (select a.starts_at from public.appointments a where a.company_id = app.company() and a.id = o.id offset 0) a
        cross join lateral (select c.subject_id, c.busy from public.occupancies c where c.company_id = app.company() and c.appointment_id = o.id offset 0) c),
    touched (id, starts_at, deliberate) as (
      select a.id, a.starts_at, m.deliberate from (select * from wanted union all select * from left_behind) w
        cross join lateral app.met_by(w.subject_id, w.busy) m
        cross join lateral (select a.id, a.starts_at from public.appointments a where a.company_id = app.company() and a.id = m.appointment_id and a.source = 'IMPORT' offset 0) a
      where a.id <> all (v_moved) and (a.starts_at, a.id) > (w.starts_at, w.id)
      union
      select a.id, a.starts_at, m.deliberate from touched t
        cross join lateral (select c.subject_id, c.busy from public.occupancies c where c.company_id = app.company() and c.appointment_id = t.id offset 0) c
        cross join lateral app.met_by(c.subject_id, c.busy) m
        cross join lateral (select a.id, a.starts_at from public.appointments a where a.company_id = app.company() and a.id = m.appointment_id and a.source = 'IMPORT' offset 0) a
      where a.id <> all (v_moved) and (a.starts_at, a.id) > (t.starts_at, t.id)),
    found_before as materialized (
      select f.* from (select t.id from touched t union all select o.id from own o where o.r ->> 'version' is not null) x
        cross join lateral (select f.appointment_id as id, f.version from public.overlaps_found f where f.company_id = app.company() and f.appointment_id = x.id offset 0) f),
    judged as materialized (
      select o.id, o.starts_at, false as stands, (o.r ->> 'allow_overlap')::boolean
        and not exists (select from found_before f where f.id = o.id and f.version = (o.r ->> 'version')::int) as said
      from own o where app.occupies(o.r ->> 'status')
      union all
      select t.id, t.starts_at, t.deliberate, t.deliberate and not exists (select from found_before f
        where f.id = t.id and f.version = (select a.version from public.appointments a where a.company_id = app.company() and a.id = t.id))
      from touched t),
    places as materialized (
      select w.id, w.starts_at, w.subject_id, w.busy from wanted w
      union all
      select t.id, t.starts_at, c.subject_id, c.busy from touched t
        cross join lateral (select c.subject_id, c.busy from public.occupancies c where c.company_id = app.company() and c.appointment_id = t.id offset 0) c),
    known as materialized (select array_agg(distinct p.id) || v_moved as ids from places p),
    blocked as materialized (
      select distinct p.id from places p cross join lateral app.met_by(p.subject_id, p.busy) m cross join known k
      where not m.deliberate and (m.appointment_id is null or m.appointment_id <> all (k.ids)) and (m.expires_at is null or m.expires_at > clock_timestamp())),
    met as materialized (
      select p.id, array_agg(x.id) as before from places p join places x on x.subject_id = p.subject_id and x.busy && p.busy
      where (x.starts_at, x.id) < (p.starts_at, p.id) group by p.id)
    select j.id, j.starts_at, j.stands, coalesce(j.said, false) as said,
      j.id in (select b.id from blocked b) as is_blocked, coalesce(m.before, '{}') as before
    from judged j left join met m on m.id = j.id order by j.starts_at, j.id
  loop
    if v_each.said then v_said := v_said || v_each.id;
    elsif v_each.is_blocked or v_each.before && v_inside then
      v_outside := v_outside || v_each.id;
      if v_each.id <> all (v_moved) and not v_each.stands then outdone := outdone || v_each.id; end if;
    else
      v_inside := v_inside || v_each.id;
      if v_each.stands then freed := freed || v_each.id; end if;
    end if;
  end loop;

  -- Those that name their resources first: the others take what these leave, and not what is taken by who comes back.
  perform set_config('app.claims', coalesce((select jsonb_agg(jsonb_build_array(o.resource_id, date_part('epoch', lower(o.busy)), date_part('epoch', upper(o.busy))))
      from public.occupancies o where o.company_id = app.company() and o.appointment_id = any (freed) and o.resource_id is not null)::text, ''), true),
    set_config('app.ignore_hours', 'true', true);
  for v_row in select r from jsonb_array_elements(p_rows) with ordinality x (r, n)
    where (r ->> 'moved')::boolean and r -> 'resources' <> '[]' and app.occupies(r ->> 'status')
    order by jsonb_path_exists(r -> 'resources', '$[*] ? (@.resourceId == null)'), n
  loop
    v_overlap := (v_row ->> 'id')::uuid <> all (v_inside);
    begin
      v_resources := app.choose_resources(app.company(), (v_row ->> 'branch_id')::uuid, (v_row ->> 'id')::uuid, (v_row ->> 'starts_at')::timestamptz,
        v_row -> 'services', v_row ->> 'time_zone', v_row -> 'resources', '{}', v_overlap);
    exception when sqlstate 'CP400' then
      -- None is free: it shares one.
      if sqlerrm <> 'slot_taken' then raise; end if;
      v_outside := v_outside || (v_row ->> 'id')::uuid;
      v_resources := app.choose_resources(app.company(), (v_row ->> 'branch_id')::uuid, (v_row ->> 'id')::uuid, (v_row ->> 'starts_at')::timestamptz,
        v_row -> 'services', v_row ->> 'time_zone', v_row -> 'resources', '{}', true);
    end;
    v_chosen := v_chosen || jsonb_build_object(v_row ->> 'id', jsonb_build_object('resources', v_resources));
  end loop;
  rows := (select jsonb_agg(r || coalesce(v_chosen -> (r ->> 'id'), '{}') || jsonb_build_object('allow_overlap', case
      when i.id = any (v_outside) then true
      when i.id = any (v_inside) then false
      else coalesce((r ->> 'allow_overlap')::boolean, false) end) order by n)
    from jsonb_array_elements(p_rows) with ordinality x (r, n), lateral (select (r ->> 'id')::uuid as id) i);
  found_over := v_outside;
  outdone := array(select x from unnest(outdone) x where x <> all (v_own));
  freed := array(select x from unnest(freed) x where x <> all (v_own));
end $$;
set local role cp_owner;
