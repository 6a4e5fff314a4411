-- A hold that is over is told apart from one that never was: the log knows, as long as it is kept.
set local role cp_definer;
create function app.refuse_hold(p_company uuid, p_hold uuid) returns void language plpgsql set search_path = '' as $$
begin
  perform app.refuse(exists (select from public.changes c where c.company_id = p_company and c.entity_id = p_hold and c.entity = 'hold'),
      'hold_expired', '{"pointer": "/holdId"}'),
    app.refuse(true, 'unknown_reference', '{"pointer": "/holdId", "detail": "There is no such object."}');
end $$;
revoke all on function app.refuse_hold(uuid, uuid) from public;
grant execute on function app.refuse_hold(uuid, uuid) to cp_app;
-- As in 0043, but for that.
create or replace function app.arrange_appointment() returns trigger language plpgsql security definer set search_path = '' as $$
declare v_held jsonb; v_prefer uuid[] := '{}';
begin
  -- A row of another company is refused by the walls, a moment from now.
  if session_user = 'cp_app' and new.company_id is distinct from app.company() then return new; end if;
  if tg_op = 'UPDATE' then
    new.hold_id := old.hold_id;
    if (new.starts_at, new.branch_id, new.services, new.resources, new.allow_overlap, app.occupies(new.status))
      is not distinct from (old.starts_at, old.branch_id, old.services, old.resources, old.allow_overlap, app.occupies(old.status))
    then
      new.ends_at := old.ends_at;
      return new;
    end if;
    v_prefer := array(select (r ->> 'resourceId')::uuid from jsonb_array_elements(old.resources) r where r ->> 'resourceId' is not null);
  end if;
  new.ends_at := new.starts_at;
  if not coalesce(app.parts_fit(new.services) and app.resources_fit(new.resources), false) then return new; end if;
  new.ends_at := app.parts_end(new.starts_at, new.services);
  if tg_op = 'INSERT' and new.hold_id is not null then
    delete from public.holds h where h.company_id = new.company_id and h.id = new.hold_id and h.expires_at > clock_timestamp() returning h.resources into v_held;
    if not found then perform app.refuse_hold(new.company_id, new.hold_id); end if;
    v_prefer := array(select (r ->> 'resourceId')::uuid from jsonb_array_elements(v_held) r);
  end if;
  if not app.occupies(new.status) then return new; end if;
  if not new.allow_overlap then perform app.end_expired_holds(new.company_id, app.whole_span(new.starts_at, new.services)); end if;
  if new.resources <> '[]' then
    new.resources := app.choose_resources(new.company_id, new.branch_id, new.id, new.starts_at, new.services, new.time_zone, new.resources, v_prefer, new.allow_overlap);
  end if;
  return new;
end $$;
set local role cp_owner;
