-- As in 0082, a kind at a time: its resources in their order, until there are enough, and then to each who named none the next of its kind.
set local role cp_definer;
create or replace function app.choose_resources(p_company uuid, p_branch uuid, p_owner uuid, p_starts timestamptz, p_parts jsonb, p_zone text,
  p_resources jsonb, p_prefer uuid[], p_overlap boolean) returns jsonb
language plpgsql volatile security definer set search_path = '' set enable_seqscan = off set enable_bitmapscan = off as $$
declare
  k_span constant tstzrange := app.whole_span(p_starts, p_parts);
  k_from constant int := app.minute_of(lower(k_span));
  k_to constant int := app.minute_of(upper(k_span));
  k_end constant timestamptz := app.parts_end(p_starts, p_parts);
  k_any_time constant boolean := coalesce(current_setting('app.ignore_hours', true), '') = 'true';
  k_given constant jsonb := nullif(current_setting('app.claims', true), '')::jsonb;
  k_xact constant xid8 := pg_catalog.pg_current_xact_id();
  v_not uuid[];
  v_free jsonb := '{}';
  v_chosen jsonb := '[]';
  v_unknown int;
  v_kind text;
  v_most bigint;
  v_id text;
begin
  v_not := array(select (r ->> 'resourceId')::uuid from jsonb_array_elements(p_resources) r where r ->> 'resourceId' is not null);
  if v_not <> '{}' then
    select min(n) - 1 into v_unknown from jsonb_array_elements(p_resources) with ordinality w (r, n)
      where r ->> 'resourceId' is not null and not exists (select from public.resources x
        where x.company_id = p_company and x.id = (r ->> 'resourceId')::uuid and x.branch_id = p_branch and x.kind = r ->> 'kind');
    if v_unknown is not null then
      perform app.refuse(true, 'unknown_reference', jsonb_build_object('pointer', format('/resources/%s/resourceId', v_unknown),
        'detail', 'There is no such resource of this kind at the branch.'));
    end if;
  end if;
  if cardinality(v_not) = jsonb_array_length(p_resources) then
    v_chosen := p_resources;
  else
    if not p_overlap and k_given is not null then
      v_not := v_not || array(select (c ->> 0)::uuid from jsonb_array_elements(k_given) c
        where (c ->> 1)::double precision / 60 < k_to and (c ->> 2)::double precision / 60 > k_from);
    end if;
    for v_kind, v_most in select r ->> 'kind', count(*) from jsonb_array_elements(p_resources) r where r ->> 'resourceId' is null group by 1 loop
      v_free := v_free || jsonb_build_object(v_kind, array(
        select s.id from (
          select x.id, x.working_hours from public.resources x
          where x.company_id = p_company and x.branch_id = p_branch and x.kind = v_kind and x.is_active and x.id <> all (v_not)
          order by x.id = any (p_prefer) desc, x.name, x.id offset 0) s
        where (p_overlap or not coalesce((select o.ends > k_from from public.occupancies o
            where o.company_id = p_company and o.subject_id = s.id and not o.deliberate and o.begins < k_to
              and o.appointment_id is distinct from p_owner and o.hold_id is distinct from p_owner order by o.begins desc limit 1), false))
          and (p_overlap or not coalesce((select c.ends > k_from from app.claims c
            where c.xact = k_xact and c.resource_id = s.id and c.begins < k_to order by c.begins desc limit 1), false))
          and (k_any_time or s.working_hours = '[]' or app.open_throughout(s.working_hours, p_zone, p_starts, k_end))
          and (k_any_time or not exists (select from public.time_off t where t.company_id = p_company and coalesce(t.staff_id, t.resource_id) = s.id
            and tstzrange(t.starts_at, t.ends_at) && tstzrange(p_starts, k_end)))
        limit v_most));
    end loop;
    for i in 0 .. jsonb_array_length(p_resources) - 1 loop
      v_kind := p_resources -> i ->> 'kind';
      v_id := p_resources -> i ->> 'resourceId';
      if v_id is null then
        v_id := v_free -> v_kind ->> 0;
        if v_id is null then
          perform app.refuse(true, 'slot_taken', jsonb_build_object('kind', v_kind, 'detail', format('No %s is free then.', v_kind)));
        end if;
        v_free := v_free #- array[v_kind, '0'];
      end if;
      v_chosen := v_chosen || jsonb_build_object('kind', v_kind, 'resourceId', v_id::uuid);
    end loop;
  end if;
  if not p_overlap then
    insert into app.claims (xact, resource_id, begins, ends)
      select k_xact, (r ->> 'resourceId')::uuid, k_from, k_to from jsonb_array_elements(v_chosen) r;
    perform set_config('app.claimed', 'true', true);
  end if;
  return v_chosen;
end $$;
set local role cp_owner;
