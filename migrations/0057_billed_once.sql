-- An appointment is billed once, and what is over is not due; references within lists are refused at their place.

-- For writes that are planned: outdates the plan, as a broken guard does (app.begin_write), unless what it rests on is still so.
create function app.expect_still(p_so boolean) returns boolean language plpgsql volatile set search_path = '' as $$
begin
  if p_so is not true then raise exception 'planned from older data' using errcode = 'CP409'; end if;
  return true;
end $$;
grant execute on function app.expect_still(boolean) to cp_app;

-- References within lists -----------------------------------------------------------------------------------------------
-- Before the foreign keys of their rows, which know no place.

create function app.refer_staff() returns trigger language plpgsql security definer set search_path = '' as $$
declare v_pointer text;
begin
  perform app.within(new.company_id);
  select format('/branchIds/%s', n - 1) into v_pointer from unnest(new.branch_ids) with ordinality x (id, n)
    where not exists (select from public.branches b where b.company_id = new.company_id and b.id = x.id) order by n limit 1;
  perform app.refuse(v_pointer is not null, 'unknown_reference', jsonb_build_object('pointer', v_pointer, 'detail', 'There is no such branch.'));
  select format('/serviceIds/%s', n - 1) into v_pointer from unnest(new.service_ids) with ordinality x (id, n)
    where not exists (select from public.services s where s.company_id = new.company_id and s.id = x.id) order by n limit 1;
  perform app.refuse(v_pointer is not null, 'unknown_reference', jsonb_build_object('pointer', v_pointer, 'detail', 'There is no such service.'));
  select format('/workingHours/%s/branchId', n - 1) into v_pointer from jsonb_array_elements(new.working_hours) with ordinality x (h, n)
    where h ->> 'branchId' is not null and (h ->> 'branchId')::uuid <> all (new.branch_ids) order by n limit 1;
  perform app.refuse(v_pointer is not null, 'unknown_reference', jsonb_build_object('pointer', v_pointer, 'detail', 'Is not among branchIds.'));
  return new;
end $$;

create function app.refer_service() returns trigger language plpgsql security definer set search_path = '' as $$
declare v_pointer text;
begin
  perform app.within(new.company_id);
  select format('/staff/%s/staffId', n - 1) into v_pointer from jsonb_array_elements(new.staff) with ordinality x (t, n)
    where not exists (select from public.staff s where s.company_id = new.company_id and s.id = (t ->> 'staffId')::uuid) order by n limit 1;
  perform app.refuse(v_pointer is not null, 'unknown_reference', jsonb_build_object('pointer', v_pointer, 'detail', 'There is no such staff member.'));
  return new;
end $$;

-- Invoices --------------------------------------------------------------------------------------------------------------

-- As in 0056, and: what a line names is there; services of an appointment are on one living invoice (not VOID, not
-- UNCOLLECTIBLE), on as many of its lines as it likes; one that did not take place is billed by lines that say what for. Lines of
-- other kinds (a product sold that day, a fee) may name an appointment anywhere.
set local role cp_definer;
create or replace function app.bill_appointments() returns trigger language plpgsql security definer set search_path = '' as $$
declare
  v_line jsonb; v_parts jsonb; v_status text; v_currency text; v_pointer text; v_what text; v_other uuid; v_whole boolean;
  v_appointment uuid; v_lines jsonb := '[]';
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
    if v_appointment is not null and coalesce(v_line ->> 'kind', 'SERVICE') = 'SERVICE' then
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

-- As in 0051, and no appointment is billed twice within one statement: what `bill` looks at is there once that has ended.
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
      where l.kind = 'SERVICE' and l.appointment_id is not null group by l.company_id, l.appointment_id having count(distinct l.invoice_id) > 1 limit 1;
    perform app.refuse(v_twice is not null, 'already_billed', '{"pointer": "/lines", "detail": "Two of these invoices have the same appointment."}');
  end if;
  return null;
end $$;
set local role cp_owner;

-- What is still to be paid: of a paid invoice nothing, whatever is given back later, and of a void one neither.
alter table invoices alter column balance set expression as (case when status in ('PAID', 'VOID') then 0 else total - paid + refunded end);

-- Rights ---------------------------------------------------------------------------------------------------------------

do $$
declare f regprocedure;
begin
  foreach f in array array['app.refer_staff()', 'app.refer_service()']::regprocedure[] loop
    execute format('alter function %s owner to cp_definer', f);
    -- Whoever makes a trigger again must be allowed to execute its function.
    set local role cp_definer;
    execute format('grant execute on function %s to cp_owner', f);
    set local role cp_owner;
  end loop;
end $$;
create trigger refer before insert or update of branch_ids, service_ids, working_hours on staff for each row execute function app.refer_staff();
create trigger refer before insert or update of staff on services for each row execute function app.refer_service();
