-- What else calendars touch: guards by field, clients that are merged or erased, holds that end by themselves.

-- As in 0003, and a guard may name entities by a field of theirs: {"time-off": {"staff_id": ["<uuid>", …]}} is broken by a change
-- of one that had or has one of these values. Somebody else's time off fails nothing.
set local role cp_definer;
create or replace function app.begin_write(p_company uuid, p_actor text, p_request text, p_credential jsonb, p_guard jsonb default null)
returns table (epoch uuid, revision bigint) language plpgsql volatile security definer set search_path = '' as $$
begin
  -- A REPEATABLE READ snapshot would predate the lock and fail with 40001 instead of seeing the last commit.
  if current_setting('transaction_isolation') <> 'read committed' then
    raise exception 'begin_write needs READ COMMITTED' using errcode = 'CP001';
  end if;
  if coalesce(p_actor, '') = '' then raise exception 'actor missing' using errcode = 'CP001'; end if;
  select h.epoch, h.revision into epoch, revision from public.company_heads h where h.company_id = p_company for no key update;
  if not found then raise exception 'company not found' using errcode = 'CP404'; end if;
  perform app.check_credential(p_company, p_credential);
  -- A missing part would compare as null, which refuses nothing: the caller would believe that it is guarded.
  if p_guard is not null and ((p_guard ->> 'since') is null or jsonb_typeof(p_guard -> 'entities') is distinct from 'object'
    or exists (select from jsonb_each(p_guard -> 'entities') e, jsonb_each(case jsonb_typeof(e.value) when 'object' then e.value else '{}' end) f
      where jsonb_typeof(f.value) <> 'array'))
  then
    raise exception 'guard incomplete' using errcode = 'CP001';
  end if;
  if p_guard is not null and exists (
    select from public.changes c join jsonb_each(p_guard -> 'entities') e on e.key = c.entity
    where c.company_id = p_company and c.revision > (p_guard ->> 'since')::bigint
      and case jsonb_typeof(e.value) when 'array' then e.value ? c.entity_id::text
        when 'object' then exists (select from jsonb_each(e.value) f where f.value ? (c.before ->> f.key) or f.value ? (c.after ->> f.key))
        else true end
  ) then
    raise exception 'planned from older data' using errcode = 'CP409';
  end if;
  perform set_config('app.company_id', p_company::text, true), set_config('app.write_company', p_company::text, true),
          set_config('app.actor', p_actor, true), set_config('app.request_id', coalesce(p_request, ''), true),
          set_config('app.base_revision', revision::text, true);
  return next;
end $$;
set local role cp_owner;

-- Clients --------------------------------------------------------------------------------------------------------------

-- What a client has booked goes with them when they are merged into another one.
create function app.merge_bookings() returns trigger language plpgsql security definer set search_path = '' as $$
begin
  update public.appointments a set client_id = new.merged_into where a.company_id = new.company_id and a.client_id = new.id;
  update public.holds h set client_id = new.merged_into where h.company_id = new.company_id and h.client_id = new.id;
  update public.series s set client_id = new.merged_into where s.company_id = new.company_id and s.client_id = new.id;
  return null;
end $$;
create trigger merge_bookings after update on clients for each row
  when (new.merged_into is not null and old.merged_into is distinct from new.merged_into) execute function app.merge_bookings();

create function app.without_reasons(p_history jsonb) returns jsonb language sql immutable set search_path = '' as $$
  select coalesce(jsonb_agg(h || '{"reason": null}' order by n), '[]') from jsonb_array_elements(p_history) with ordinality x (h, n)
$$;

-- The image of an appointment or series that is this client's, without what was written about them in words.
create function app.erased_booking(p_image jsonb, p_client uuid) returns jsonb language sql immutable set search_path = '' as $$
  select case when p_image ->> 'client_id' = p_client::text then p_image || '{"notes": null}' || case when p_image ? 'status_history'
    then jsonb_build_object('status_reason', null, 'status_history', app.without_reasons(p_image -> 'status_history')) else '{}' end
    else p_image end
$$;
grant execute on function app.without_reasons(jsonb), app.erased_booking(jsonb, uuid) to cp_definer;

-- Notes and reasons tell of the person: they go when the client is erased, those of today and those in the log.
create function app.erase_bookings() returns trigger language plpgsql security definer set search_path = '' as $$
begin
  update public.appointments a set notes = null, status_reason = null, status_history = app.without_reasons(a.status_history)
    where a.company_id = new.company_id and a.client_id = new.id
      and (a.notes, a.status_reason, a.status_history) is distinct from (null, null, app.without_reasons(a.status_history));
  update public.series s set notes = null where s.company_id = new.company_id and s.client_id = new.id and s.notes is not null;
  -- By the images, not by the bookings of today: one may have become somebody else's since.
  update public.changes l set before = app.erased_booking(l.before, new.id), after = app.erased_booking(l.after, new.id)
    where l.company_id = new.company_id and l.entity in ('appointment', 'series')
      and (app.erased_booking(l.before, new.id), app.erased_booking(l.after, new.id)) is distinct from (l.before, l.after);
  return null;
end $$;
create trigger erase_bookings after update on clients for each row
  when (old.erased_at is null and new.erased_at is not null) execute function app.erase_bookings();
do $$
declare f regprocedure;
begin
  foreach f in array array['app.merge_bookings()', 'app.erase_bookings()']::regprocedure[] loop
    execute format('alter function %s owner to cp_definer', f);
    set local role cp_definer;
    execute format('grant execute on function %s to cp_owner', f);
    set local role cp_owner;
  end loop;
end $$;

-- Holds ----------------------------------------------------------------------------------------------------------------

-- Ends up to p_most holds that have expired, of one company, and answers how many: 0 when nobody has any. They are in nobody's
-- way; this only tidies up. A company whose head is held is left for the next time.
create function app.end_holds(p_most int) returns int language plpgsql volatile security definer set search_path = '' as $$
declare v_company uuid; v_gone int;
begin
  select k.company_id into v_company from public.company_heads k
    where k.company_id = any (array(select h.company_id from public.holds h where h.expires_at < clock_timestamp() - interval '1 minute' order by h.expires_at limit 100))
    order by k.company_id limit 1 for no key update skip locked;
  if not found then return 0; end if;
  perform set_config('app.write_company', v_company::text, true), set_config('app.actor', 'SYSTEM', true);
  delete from public.holds h where h.company_id = v_company and h.id in (
    select x.id from public.holds x where x.company_id = v_company and x.expires_at < clock_timestamp() - interval '1 minute' order by x.expires_at limit p_most);
  get diagnostics v_gone = row_count;
  return v_gone;
end $$;
grant execute on function app.end_holds(int) to cp_jobs;
alter function app.end_holds(int) owner to cp_definer;
