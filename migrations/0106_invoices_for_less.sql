-- What an invoice costs the database (0103): what is not there is not asked for, and what a refusal says is put together where there is
-- one.
set local role cp_definer;

-- As in 0054; whom and what no line names is not looked up.
create or replace function app.bill_appointments() returns trigger language plpgsql security definer set search_path = '' as $$
declare
  v_line jsonb; v_parts jsonb; v_status text; v_currency text; v_pointer text; v_what text; v_other uuid; v_whole boolean;
  v_appointment uuid; v_lines jsonb := '[]';
  v_voiding constant boolean := strpos(coalesce(current_setting('app.voiding', true), ''), new.id::text) > 0;
begin
  if jsonb_typeof(new.lines) is distinct from 'array' or coalesce(current_setting('app.erasing', true), '') = 'on' then return new; end if;
  if tg_op = 'UPDATE' and old.status <> 'DRAFT' then return new; end if;
  perform app.within(new.company_id);
  if not jsonb_path_exists(new.lines, '$[*] ? (@.staffId != null || @.serviceId != null || @.appointmentId != null)') then return new; end if;
  select format('/lines/%s/%s', n - 1, member), what into v_pointer, v_what
    from jsonb_array_elements(new.lines) with ordinality x (l, n), lateral (values
      ('staffId', 'staff member', exists (select from public.staff s where s.company_id = new.company_id and s.id = (l ->> 'staffId')::uuid)),
      ('serviceId', 'service', exists (select from public.services s where s.company_id = new.company_id and s.id = (l ->> 'serviceId')::uuid)),
      ('appointmentId', 'appointment', exists (select from public.appointments a where a.company_id = new.company_id and a.id = (l ->> 'appointmentId')::uuid))
    ) y (member, what, is_there)
    where l ->> member is not null and not is_there order by n limit 1;
  if v_pointer is not null then
    perform app.refuse(true, 'unknown_reference', jsonb_build_object('pointer', v_pointer, 'detail', format('There is no such %s.', v_what)));
  end if;
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

-- As in 0051, and so are refusals.
create or replace function app.derive_invoice() returns trigger language plpgsql security definer set search_path = '' as $$
declare
  -- Beside the texts of lines, all that may change once an invoice is issued; client and amounts by rules of their own.
  k_open constant text[] := '{status,client_id,external_id,lines,paid,refunded,balance,payment_status,version,created_at,updated_at}';
  v_allowed text[]; v_paid bigint; v_refunded bigint;
begin
  perform app.within(new.company_id);
  if tg_op = 'INSERT' then
    if new.status not in ('DRAFT', 'OPEN') then
      perform app.refuse(true, 'illegal_transition', '{"detail": "An invoice begins as DRAFT or OPEN.", "allowed": ["DRAFT", "OPEN"]}');
    end if;
    if new.number is not null and new.series <> 'IMPORTED' then
      perform app.refuse(true, 'invalid_body', '{"pointer": "/number", "detail": "Numbers are given by the database."}');
    end if;
    if new.paid <> 0 or new.refunded <> 0 then perform app.refuse(true, 'invalid_body', '{"detail": "What was paid follows from payments."}'); end if;
    new.sequence := null;
    if new.currency is null or new.tax_inclusive is null then
      select coalesce(new.currency, c.currency), coalesce(new.tax_inclusive, c.prices_include_tax) into new.currency, new.tax_inclusive
        from public.companies c where c.id = new.company_id;
    end if;
  else
    if new.status <> old.status then
      v_allowed := case when old.status = 'DRAFT' then array['OPEN', 'VOID'] when old.status <> 'OPEN' then '{}'
        when old.paid = old.refunded then array['VOID', 'UNCOLLECTIBLE'] else array['UNCOLLECTIBLE'] end;
      perform app.refuse(new.status <> all (v_allowed), 'illegal_transition', jsonb_build_object('allowed', v_allowed,
        'detail', format('The invoice is %s%s.', old.status, case when new.status = 'VOID' and old.paid > old.refunded then ', and money was paid on it' else '' end)));
    end if;
    if (new.paid, new.refunded) <> (old.paid, old.refunded) then
      perform app.refuse(true, 'conflict', '{"detail": "What was paid follows from payments."}');
    end if;
  end if;
  if tg_op = 'INSERT' or old.status = 'DRAFT' then
    select p.* into new.lines, new.subtotal, new.discount_total, new.tax, new.total
      from app.price_invoice(new.lines, case when tg_op = 'UPDATE' then old.lines end, new.discount, new.tax_inclusive, new.currency) p;
    if new.status = 'OPEN' then
      new.issue_date := coalesce(new.issue_date, app.branch_day(new.company_id, new.branch_id, clock_timestamp()));
      if new.series <> 'IMPORTED' then
        insert into public.invoice_counters as c (company_id, branch_id, series, last) values (new.company_id, new.branch_id, new.series, 1)
          on conflict (company_id, branch_id, series) do update set last = c.last + 1 returning c.last into new.sequence;
        new.number := new.sequence::text;
      end if;
    end if;
  else
    if to_jsonb(new) - k_open <> to_jsonb(old) - k_open
      or new.lines <> old.lines and (coalesce(current_setting('app.erasing', true), '') <> 'on' or app.wordless(new.lines) <> app.wordless(old.lines))
      or new.client_id is distinct from old.client_id and not app.became(old.company_id, old.client_id, new.client_id)
    then
      perform app.refuse(true, 'invoice_not_draft');
    end if;
    select coalesce(sum(p.amount), 0), coalesce(sum(p.refunded), 0) into v_paid, v_refunded
      from public.payments p where p.company_id = new.company_id and p.invoice_id = new.id and p.status = 'SUCCEEDED';
    if v_paid > old.paid and old.status <> 'OPEN' then
      perform app.refuse(true, 'invoice_not_open', jsonb_build_object('detail', format('The invoice is %s.', old.status)));
    end if;
    if v_paid - v_refunded > new.total then
      perform app.refuse(true, 'exceeds_balance', jsonb_build_object('pointer', '/amount',
        'detail', format('The balance is %s minor units.', old.total - old.paid + old.refunded)));
    end if;
    new.paid := v_paid;
    new.refunded := v_refunded;
  end if;
  if new.status = 'OPEN' and new.paid - new.refunded = new.total then new.status := 'PAID'; end if;
  return new;
end $$;

-- As in 0054; lines that stayed have their rows.
create or replace function app.project_invoice() returns trigger language plpgsql security definer set search_path = '' as $$
declare v_twice uuid;
begin
  if tg_op = 'UPDATE' then
    if array(select n.id from new_rows n join old_rows o on o.company_id = n.company_id and o.id = n.id where n.lines <> o.lines) = '{}' then return null; end if;
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
