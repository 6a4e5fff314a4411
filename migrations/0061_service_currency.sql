-- A company has one currency: what a service costs, for all or with one staff member, is told in it.
create function app.keep_currency() returns trigger language plpgsql security definer set search_path = '' as $$
declare v_currency text := (select c.currency from public.companies c where c.id = new.company_id); v_staff jsonb; i int := 0;
begin
  perform app.refuse(new.price ->> 'currency' <> v_currency, 'invalid_body', jsonb_build_object(
    'pointer', '/price/currency', 'detail', format('The company''s currency is %s.', v_currency)));
  for v_staff in select * from jsonb_array_elements(new.staff) loop
    perform app.refuse(v_staff -> 'price' ->> 'currency' <> v_currency, 'invalid_body', jsonb_build_object(
      'pointer', format('/staff/%s/price/currency', i), 'detail', format('The company''s currency is %s.', v_currency)));
    i := i + 1;
  end loop;
  return new;
end $$;
do $$
begin
  alter function app.keep_currency() owner to cp_definer;
  set local role cp_definer;
  grant execute on function app.keep_currency() to cp_owner;
  set local role cp_owner;
end $$;
create trigger keep_currency before insert or update of price, staff on services for each row execute function app.keep_currency();
select app.secure_tables();
