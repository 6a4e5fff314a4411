-- A line that says only which appointment it is for takes the rest from it: a line for each service, as it was booked.

-- Before `derive`, by its name, which prices the lines. A line given with a price is left as it is.
create function app.bill_appointments() returns trigger language plpgsql security definer set search_path = '' as $$
declare v_line jsonb; v_parts jsonb; v_currency text; v_lines jsonb := '[]';
begin
  if jsonb_typeof(new.lines) is distinct from 'array'
    or not jsonb_path_exists(new.lines, '$[*] ? (@.appointmentId != null && !exists(@.unitPrice))') then return new; end if;
  perform app.within(new.company_id);
  select coalesce(new.currency, c.currency) into v_currency from public.companies c where c.id = new.company_id;
  for i in 0 .. jsonb_array_length(new.lines) - 1 loop
    v_line := new.lines -> i;
    -- Said here, because the lines behind this one move.
    perform app.refuse(v_line ->> 'currency' <> v_currency, 'invalid_body', jsonb_build_object(
      'pointer', format('/lines/%s/unitPrice/currency', i), 'detail', format('The invoice is in %s.', v_currency)));
    if v_line ->> 'appointmentId' is null or v_line ? 'unitPrice' then
      v_lines := v_lines || v_line;
      continue;
    end if;
    select a.services into v_parts from public.appointments a
      where a.company_id = new.company_id and a.id = (v_line ->> 'appointmentId')::uuid;
    perform app.refuse(v_parts is null, 'unknown_reference', jsonb_build_object(
        'pointer', format('/lines/%s/appointmentId', i), 'detail', 'There is no such appointment.')),
      app.refuse(jsonb_path_exists(v_parts, '$[*] ? (!exists(@.price.amount))'), 'invalid_body', jsonb_build_object(
        'pointer', format('/lines/%s/unitPrice', i), 'detail', 'A price of this appointment is told on the day: say it here, with a description.'));
    v_lines := v_lines || (select jsonb_agg(jsonb_build_object('kind', 'SERVICE', 'description', p ->> 'name', 'quantity', 1,
        'unitPrice', p -> 'price' -> 'amount', 'currency', p -> 'price' -> 'currency', 'taxes', coalesce(p -> 'taxes', '[]'),
        'staffId', p -> 'staffId', 'serviceId', p -> 'serviceId', 'appointmentId', v_line -> 'appointmentId') order by n)
      from jsonb_array_elements(v_parts) with ordinality x (p, n));
  end loop;
  new.lines := v_lines;
  return new;
end $$;
create trigger bill before insert or update of lines on invoices for each row execute function app.bill_appointments();

grant select on appointments to cp_definer;
alter function app.bill_appointments() owner to cp_definer;
do $$ begin
  -- Whoever makes the trigger again must be allowed to execute its function.
  set local role cp_definer;
  grant execute on function app.bill_appointments() to cp_owner;
  set local role cp_owner;
end $$;
