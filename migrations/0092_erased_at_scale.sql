-- An erasure looks at what was the client's, and not at the whole log, of which a statement reads 200,000 rows in more than its ten
-- seconds; it finds what was theirs before it became somebody else's, and what it took out of a draft is not put back.

-- Hardly any row: documents that changed hands. What is somebody's now is found by their own tables.
create index changes_left_client on changes (company_id, (before ->> 'client_id'))
  where entity in ('appointment', 'series', 'invoice') and before ->> 'client_id' is not null
    and (before ->> 'client_id') is distinct from (after ->> 'client_id');

-- Bookings and invoices that were this client's once, and are another's or gone.
create function app.left_client(p_company uuid, p_client uuid) returns uuid[] language sql stable security definer set search_path = '' as $$
  select coalesce(array_agg(distinct l.entity_id), '{}') from public.changes l
  where l.company_id = p_company and l.before ->> 'client_id' = p_client::text and l.entity in ('appointment', 'series', 'invoice')
    and l.before ->> 'client_id' is not null and (l.before ->> 'client_id') is distinct from (l.after ->> 'client_id')
$$;
revoke all on function app.left_client(uuid, uuid) from public;
grant execute on function app.left_client(uuid, uuid) to cp_definer;
alter function app.left_client(uuid, uuid) owner to cp_definer;

-- As in 0044, but for what it looks at in the log.
set local role cp_definer;
create or replace function app.erase_bookings() returns trigger language plpgsql security definer set search_path = '' as $$
declare v_ids uuid[];
begin
  update public.appointments a set notes = null, status_reason = null, status_history = app.without_reasons(a.status_history)
    where a.company_id = new.company_id and a.client_id = new.id
      and (a.notes, a.status_reason, a.status_history) is distinct from (null, null, app.without_reasons(a.status_history));
  update public.series s set notes = null where s.company_id = new.company_id and s.client_id = new.id and s.notes is not null;
  v_ids := app.left_client(new.company_id, new.id)
    || array(select a.id from public.appointments a where a.company_id = new.company_id and a.client_id = new.id)
    || array(select s.id from public.series s where s.company_id = new.company_id and s.client_id = new.id);
  -- By the images, not by the bookings of today: one may have become somebody else's since.
  update public.changes l set before = app.erased_booking(l.before, new.id), after = app.erased_booking(l.after, new.id)
    where l.company_id = new.company_id and l.entity_id = any (v_ids) and l.entity in ('appointment', 'series')
      and (app.erased_booking(l.before, new.id), app.erased_booking(l.after, new.id)) is distinct from (l.before, l.after);
  return null;
end $$;

-- As in 0051; and images of an invoice that was theirs before it became another's, as it is with bookings. A name of several words is
-- known by each.
create or replace function app.erase_books() returns trigger language plpgsql security definer set search_path = '' as $$
declare v_words text[]; v_clients uuid[]; v_ids uuid[]; v_invoices uuid[]; v_payments uuid[]; v_left uuid[];
begin
  with recursive holders as (
    select new.id, new.merged_into
    union select c.id, c.merged_into from public.clients c join holders h on c.id = h.merged_into where c.company_id = new.company_id)
  select array_agg(id) into v_clients from holders;
  v_invoices := array(select i.id from public.invoices i where i.company_id = new.company_id and i.client_id = any (v_clients));
  v_payments := array(select p.id from public.payments p where p.company_id = new.company_id and p.client_id = any (v_clients)
    union select p.id from public.payments p where p.company_id = new.company_id and p.invoice_id = any (v_invoices));
  v_left := app.left_client(new.company_id, new.id);
  if v_invoices = '{}' and v_payments = '{}' and v_left = '{}' then return null; end if;
  with images as (
    select to_jsonb(old) as image
    union all
    select i from public.changes l, lateral (values (l.before), (l.after)) x (i)
      where l.company_id = new.company_id and l.entity = 'client' and l.entity_id = new.id and i ->> 'erased_at' is null),
  said as (
    select e.key, e.value from images, jsonb_each_text(image) e
    where e.key in ('first_name', 'last_name', 'name', 'email', 'phone', 'external_id') and trim(e.value) <> '')
  select coalesce(array_agg(word order by length(word) desc, word), '{}') into v_words from (
    select value as word from said
    union select part from said, regexp_split_to_table(value, '\s+') part where key in ('first_name', 'last_name', 'name') and length(part) > 2) words;
  perform set_config('app.erasing', 'on', true);
  update public.invoices i set lines = app.books_without(jsonb_build_object('lines', i.lines), v_words) -> 'lines'
    where i.company_id = new.company_id and i.id = any (v_invoices);
  update public.payments p set reference = app.text_without(p.reference, v_words) where p.company_id = new.company_id and p.id = any (v_payments);
  update public.refunds r set reason = null where r.company_id = new.company_id and r.payment_id = any (v_payments);
  perform set_config('app.erasing', '', true);
  v_ids := v_invoices || v_payments || array(select r.id from public.refunds r where r.company_id = new.company_id and r.payment_id = any (v_payments));
  with cleaned as (
    select l.revision,
      case when l.entity_id = any (v_ids) or l.before ->> 'client_id' = new.id::text then app.books_without(l.before, v_words) else l.before end as before,
      case when l.entity_id = any (v_ids) or l.after ->> 'client_id' = new.id::text then app.books_without(l.after, v_words) else l.after end as after
    from public.changes l
    where l.company_id = new.company_id and l.entity_id = any (v_ids || v_left) and l.entity in ('invoice', 'payment', 'refund'))
  update public.changes l set before = c.before, after = c.after from cleaned c
    where l.company_id = new.company_id and l.revision = c.revision and (l.before, l.after) is distinct from (c.before, c.after);
  return null;
end $$;

-- Texts of a draft whose client was erased: those it has, and what services and appointments are called.
create function app.refuse_line_words() returns trigger language plpgsql security definer set search_path = '' as $$
declare v_line int;
begin
  if coalesce(current_setting('app.erasing', true), '') = 'on' then return new; end if;
  if session_user = 'cp_app' and new.company_id is distinct from app.company() then return new; end if;
  if not exists (select from public.clients c where c.company_id = new.company_id and c.id = new.client_id and c.erased_at is not null) then return new; end if;
  select n - 1 into v_line from jsonb_array_elements(new.lines) with ordinality x (l, n)
    where not exists (select from jsonb_array_elements(old.lines) o where o ->> 'description' = l ->> 'description')
      and not exists (select from public.services s
        where s.company_id = new.company_id and s.id = (l ->> 'serviceId')::uuid and s.name = l ->> 'description')
      and not exists (select from public.appointments a, jsonb_array_elements(a.services) p
        where a.company_id = new.company_id and a.id = (l ->> 'appointmentId')::uuid and p ->> 'name' = l ->> 'description')
    order by n limit 1;
  perform app.refuse(v_line is not null, 'erased', jsonb_build_object('pointer', format('/lines/%s/description', v_line),
    'detail', 'This client was erased: nothing is kept of them in words.'));
  return new;
end $$;
revoke all on function app.refuse_line_words() from public;
grant execute on function app.refuse_line_words() to cp_owner;
set local role cp_owner;
create trigger e_new_words before update of lines on invoices for each row
  when (new.client_id is not null and new.lines is distinct from old.lines) execute function app.refuse_line_words();
grant select on services, appointments to cp_definer;
