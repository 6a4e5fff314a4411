-- Search with a sort of the caller's own (0007 has the search itself).

-- A search in the order of a name walks along that name's index, as it does with last names.
create index clients_first_name on clients (company_id, first_name, id);
create index clients_full_name on clients (company_id, name, id);

-- An order of the caller's own as SQL: p_sort [{"column", "descending"}] and then the id, nulls last. `beyond`: after the row
-- whose values and id are p_at, if given; backwards is read in reverse. Twin of src/data/keyset.ts. For a walk along the index
-- of the first column, whose nulls are at the wrong end for half of all walks: `stages` are what that column is, in turn, and
-- `walked` is the order within one.
create function app.client_order(p_sort jsonb, p_at jsonb, p_backwards boolean, out sorted text, out walked text, out beyond text, out stages text[])
language plpgsql immutable set search_path = '' as $$
declare
  k_names constant text[] := array['last_name', 'first_name', 'name'];
  -- Of these the index descends.
  k_instants constant text[] := array['created_at', 'updated_at'];
  k_keys constant jsonb := p_sort || jsonb_build_object('column', 'id', 'descending', p_sort -> -1 -> 'descending');
  k_descends constant boolean := (p_sort -> 0 ->> 'column') = any (k_instants);
  v_column text; v_value text; v_down boolean; v_nullable boolean;
  v_order text[] := '{}'; v_walk text[] := '{}'; v_branches text[] := '{}'; v_equal text := ''; v_range text := '';
begin
  for n in 0 .. jsonb_array_length(k_keys) - 1 loop
    v_column := k_keys -> n ->> 'column';
    -- It becomes SQL in the hands of a role that stands above the walls.
    if v_column is null or v_column <> all (k_instants || k_names || '{id}') then raise exception 'no such order' using errcode = 'CP001'; end if;
    v_nullable := v_column = any (k_names);
    v_down := (k_keys -> n -> 'descending')::boolean <> p_backwards;
    v_value := p_at ->> n;
    v_order := v_order || format('%I %s nulls %s', v_column, case when v_down then 'desc' else 'asc' end, case when p_backwards then 'first' else 'last' end);
    v_walk := v_walk || case when n = 0 or (n = 1 and v_column = 'id')
      then format('%I %s nulls %s', v_column, case when v_down then 'desc' else 'asc' end, case when v_down = k_descends then 'last' else 'first' end)
      else v_order[n + 1] end;
    if v_value is not null then
      v_branches := v_branches || format('(%s%I %s %L)', v_equal, v_column, case when v_down then '<' else '>' end, v_value);
    end if;
    if p_at is not null and v_nullable and (v_value is null) = p_backwards then
      v_branches := v_branches || format('(%s%I %s)', v_equal, v_column, case when p_backwards then 'is not null' else 'is null' end);
    end if;
    v_equal := v_equal || case when v_value is null then format('%I is null and ', v_column) else format('%I = %L and ', v_column, v_value) end;
    if n = 0 then
      if v_value is not null then v_range := format(' and %I %s %L', v_column, case when v_down then '<=' else '>=' end, v_value); end if;
      stages := case
        when not v_nullable then array['true' || v_range]
        when p_backwards then case when v_value is null then array[format('%I is null', v_column)] else '{}' end || (format('%I is not null', v_column) || v_range)
        else case when p_at is null or v_value is not null then array[format('%I is not null', v_column) || v_range] else '{}' end || format('%I is null', v_column) end;
    end if;
  end loop;
  sorted := array_to_string(v_order, ', ');
  walked := array_to_string(v_walk, ', ');
  beyond := case when p_at is null then 'true' else '(' || array_to_string(v_branches, ' or ') || ')' end;
end $$;

-- One page of a search in an order of the caller's own: ids, in that order. Few hits are found by their trigrams and sorted.
-- Of many, a page is soon met on a walk along the first column's index. Where it is not, because they stand together far from
-- here, all are sorted after all.
create function app.sort_clients(p_search text, p_filters jsonb, p_sort jsonb, p_at jsonb, p_backwards boolean, p_offset int, p_limit int)
returns setof uuid language plpgsql stable security definer rows 21 set search_path = '' set jit = off
set enable_seqscan = on set enable_sort = on set enable_bitmapscan = on set enable_indexscan = on set enable_indexonlyscan = on set enable_incremental_sort = on as $$
declare
  k_many_of_sample constant int := 10;
  k_company constant text := format('company_id = %L', app.company());
  k_need constant int := p_offset + p_limit;
  v_filter text := app.client_filter(p_filters);
  c text[]; v_indexed boolean; v_hits int[]; v_whole boolean;
  o record; v_stage text; v_most int; v_found uuid[]; v_ids uuid[] := '{}'; v_short boolean := false; v_rows int;
begin
  select s.conditions, s.indexed into c, v_indexed from app.search_conditions(p_search) s;
  select s.hits, s.whole into v_hits, v_whole from app.sample_clients(v_filter, c) s;
  select * into o from app.client_order(p_sort, p_at, p_backwards);
  if not v_whole and v_hits[4] >= k_many_of_sample then
    perform app.prefer_plan('walk'), set_config('enable_incremental_sort', 'on', true);
    -- Four times as far as hits that are spread evenly would need.
    v_most := greatest(3000, 3000.0 * k_need / v_hits[4]);
    foreach v_stage in array o.stages loop
      execute format('select array(select id from (select * from public.clients where %s and %s and %s order by %s limit %s) w where %s and %s limit %s)',
        k_company, v_stage, o.beyond, o.walked, v_most, v_filter, c[4], k_need - cardinality(v_ids)) into v_found;
      v_ids := v_ids || v_found;
      exit when cardinality(v_ids) = k_need;
      execute format('select count(*) from (select 1 from public.clients where %s and %s and %s limit %s) w', k_company, v_stage, o.beyond, v_most) into v_rows;
      v_short := v_rows = v_most;
      exit when v_short;
    end loop;
    if not v_short then
      return query select f.id from unnest(v_ids) with ordinality f (id, n) order by f.n offset p_offset;
      return;
    end if;
  end if;
  perform app.prefer_plan('index');
  return query execute format('select id from public.clients where %s and %s and %s and %s order by %s offset %s limit %s',
    k_company, v_filter, c[4], o.beyond, o.sorted, p_offset, p_limit);
end $$;

grant execute on function app.sort_clients(text, jsonb, jsonb, jsonb, boolean, int, int) to cp_app;
grant execute on function app.client_order(jsonb, jsonb, boolean) to cp_definer;
alter function app.sort_clients(text, jsonb, jsonb, jsonb, boolean, int, int) owner to cp_definer;
