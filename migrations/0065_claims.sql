-- As in 0043, but what earlier rows of the statement were given is sifted once for each row and not once for each resource that
-- it might have: of a series of hundreds that took most of the time, with the company's lock held.
set local role cp_definer;
create or replace function app.choose_resources(p_company uuid, p_branch uuid, p_owner uuid, p_starts timestamptz, p_parts jsonb, p_zone text,
  p_resources jsonb, p_prefer uuid[], p_overlap boolean) returns jsonb
language plpgsql volatile security definer set search_path = '' as $$
declare
  k_span constant tstzrange := app.whole_span(p_starts, p_parts);
  k_busy constant tstzmultirange := tstzmultirange(k_span);
  k_from constant bigint := date_part('epoch', lower(k_span));
  k_to constant bigint := date_part('epoch', upper(k_span));
  k_end constant timestamptz := app.parts_end(p_starts, p_parts);
  k_any_time constant boolean := coalesce(current_setting('app.ignore_hours', true), '') = 'true';
  v_claims jsonb := coalesce(nullif(current_setting('app.claims', true), ''), '[]')::jsonb;
  v_claimed uuid[] := '{}';
  v_taken uuid[];
  v_chosen jsonb := '[]';
  v_id uuid;
  v_known boolean;
  r jsonb;
  n int := 0;
begin
  v_taken := array(select (x ->> 'resourceId')::uuid from jsonb_array_elements(p_resources) x where x ->> 'resourceId' is not null);
  if not p_overlap then
    v_claimed := array(select (c ->> 0)::uuid from jsonb_array_elements(v_claims) c where (c ->> 1)::bigint < k_to and (c ->> 2)::bigint > k_from);
  end if;
  for r in select * from jsonb_array_elements(p_resources) loop
    v_id := (r ->> 'resourceId')::uuid;
    if v_id is not null then
      v_known := exists (select from public.resources x where x.company_id = p_company and x.id = v_id and x.branch_id = p_branch and x.kind = r ->> 'kind');
      perform app.refuse(not v_known, 'unknown_reference', jsonb_build_object('pointer', format('/resources/%s/resourceId', n),
        'detail', 'There is no such resource of this kind at the branch.'));
    else
      select x.id into v_id from public.resources x
      where x.company_id = p_company and x.branch_id = p_branch and x.kind = r ->> 'kind' and x.is_active and x.id <> all (v_taken || v_claimed)
        and (p_overlap or not exists (select from public.occupancies o where o.company_id = p_company and o.subject_id = x.id and not o.deliberate
          and o.busy && k_busy and o.appointment_id is distinct from p_owner and o.hold_id is distinct from p_owner))
        and (k_any_time or app.open_throughout(x.working_hours, p_zone, p_starts, k_end))
        and (k_any_time or not exists (select from public.time_off t where t.company_id = p_company and coalesce(t.staff_id, t.resource_id) = x.id
          and tstzrange(t.starts_at, t.ends_at) && tstzrange(p_starts, k_end)))
      order by x.id = any (p_prefer) desc, x.name, x.id limit 1;
      perform app.refuse(v_id is null, 'slot_taken', jsonb_build_object('kind', r ->> 'kind', 'detail', format('No %s is free then.', r ->> 'kind')));
    end if;
    v_taken := v_taken || v_id;
    v_chosen := v_chosen || jsonb_build_object('kind', r ->> 'kind', 'resourceId', v_id);
    v_claims := v_claims || jsonb_build_array(jsonb_build_array(v_id, k_from, k_to));
    n := n + 1;
  end loop;
  perform set_config('app.claims', v_claims::text, true);
  return v_chosen;
end $$;
set local role cp_owner;
