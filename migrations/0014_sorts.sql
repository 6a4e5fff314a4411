-- Every sort in both directions, and every filter, from an index (src/data/walk.ts, src/data/narrow.ts).

-- A company's tags as single keys: the index lists a company's clients with a tag, and none of anybody else's.
create function app.tag_keys(p_company uuid, p_tags text[]) returns text[] language sql immutable parallel safe set search_path = ''
  as $$ select array_agg(p_company || t) from unnest(p_tags) t $$;
grant execute on function app.tag_keys(uuid, text[]) to cp_app, cp_auth, cp_definer, cp_jobs;

-- What parts the rows of a list stands before the sort, so that a page is merged from the parts that are wanted; all ascend, and
-- are read backwards for the other direction.
drop index clients_status;
drop index branches_active;
drop index clients_created;
drop index clients_updated;
drop index clients_name;
drop index clients_first_name;
drop index clients_full_name;
drop index imports_created;
drop index branches_created;
drop index users_created;
drop index api_keys_created;
create index clients_tags on clients using gin (app.tag_keys(company_id, tags)) with (fastupdate = off);
create index imports_finished on imports (company_id, status, finished_at, id);
create index branches_updated on branches (company_id, is_active, updated_at, id);
create index branches_name on branches (company_id, is_active, name, id);
create index users_updated on users (company_id, status, updated_at, id);
create index users_name on users (company_id, status, name, id);
create index users_address on users (company_id, status, email, id);
create index clients_created on clients (company_id, status, created_at, id);
create index clients_updated on clients (company_id, status, updated_at, id);
create index clients_name on clients (company_id, status, last_name, id);
create index clients_first_name on clients (company_id, status, first_name, id);
create index clients_full_name on clients (company_id, status, name, id);
create index imports_created on imports (company_id, status, created_at, id);
create index branches_created on branches (company_id, is_active, created_at, id);
create index users_created on users (company_id, status, created_at, id);
create index api_keys_created on api_keys (company_id, created_at, id) where revoked_at is null;
create index api_keys_updated on api_keys (company_id, updated_at, id) where revoked_at is null;
create index api_keys_name on api_keys (company_id, name, id) where revoked_at is null;
create index api_keys_revoked_created on api_keys (company_id, created_at, id) where revoked_at is not null;
create index api_keys_revoked_updated on api_keys (company_id, updated_at, id) where revoked_at is not null;
create index api_keys_revoked_name on api_keys (company_id, name, id) where revoked_at is not null;

-- Up to p_most of the company's clients that have a tag. As cp_definer: array containment is not leakproof, so behind row-level
-- security the index would not be asked.
create function app.tagged_clients(p_tag text, p_most int) returns setof uuid
language plpgsql stable security definer rows 500 set search_path = '' set jit = off
set enable_seqscan = off set enable_indexscan = off set enable_indexonlyscan = off as $$
begin
  return query execute format('select id from public.clients where app.tag_keys(company_id, tags) @> array[%L] limit %s', app.company() || p_tag, p_most);
end $$;

-- How many clients with a tag meet the list's filters, counted up to p_most (null: all).
create function app.count_tagged_clients(p_tag text, p_filters jsonb, p_most int) returns int
language plpgsql stable security definer set search_path = '' set jit = off
set enable_seqscan = off set enable_indexscan = off set enable_indexonlyscan = off as $$
declare v_total int;
begin
  execute format('select count(*) from (select 1 from public.clients where app.tag_keys(company_id, tags) @> array[%L] and %s limit %s) c',
    app.company() || p_tag, app.client_filter(p_filters - 'tag'), coalesce(p_most::text, 'all')) into v_total;
  return v_total;
end $$;
grant execute on function app.tagged_clients(text, int), app.count_tagged_clients(text, jsonb, int) to cp_app;
alter function app.tagged_clients(text, int) owner to cp_definer;
alter function app.count_tagged_clients(text, jsonb, int) owner to cp_definer;

-- As in 0010, for the indexes of today: all ascend, so that the order within a stage is the plain one of either direction.
create or replace function app.client_order(p_sort jsonb, p_at jsonb, p_backwards boolean, out sorted text, out walked text, out beyond text, out stages text[])
language plpgsql immutable set search_path = '' as $$
declare
  k_names constant text[] := array['last_name', 'first_name', 'name'];
  k_instants constant text[] := array['created_at', 'updated_at'];
  k_keys constant jsonb := p_sort || jsonb_build_object('column', 'id', 'descending', p_sort -> -1 -> 'descending');
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
      then format('%I %s', v_column, case when v_down then 'desc' else 'asc' end)
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

set local role cp_definer;
-- One page of a search in an order of the caller's own: ids, in that order. Few hits are found by their trigrams and sorted.
-- Of many, a page is soon met on a walk along the first column's index. Where it is not, because they stand together far from
-- here, all are sorted after all.
create or replace function app.sort_clients(p_search text, p_filters jsonb, p_sort jsonb, p_at jsonb, p_backwards boolean, p_offset int, p_limit int)
returns setof uuid language plpgsql stable security definer rows 21 set search_path = '' set jit = off
set enable_seqscan = on set enable_sort = on set enable_bitmapscan = on set enable_indexscan = on set enable_indexonlyscan = on set enable_incremental_sort = on as $$
declare
  k_many_of_sample constant int := 10;
  k_company constant text := format('company_id = %L', app.company());
  k_need constant int := p_offset + p_limit;
  v_filter text := app.client_filter(p_filters);
  k_statuses constant text[] := case when p_filters ? 'status' then array(select jsonb_array_elements_text(p_filters -> 'status')) else '{ACTIVE,INACTIVE}' end;
  c text[]; v_indexed boolean; v_hits int[]; v_whole boolean;
  o record; v_stage text; v_walk text; v_most int; v_found uuid[]; v_ids uuid[] := '{}'; v_short boolean := false; v_rows int;
begin
  select s.conditions, s.indexed into c, v_indexed from app.search_conditions(p_search) s;
  select s.hits, s.whole into v_hits, v_whole from app.sample_clients(v_filter, c) s;
  select * into o from app.client_order(p_sort, p_at, p_backwards);
  if not v_whole and v_hits[4] >= k_many_of_sample then
    perform app.prefer_plan('walk'), set_config('enable_incremental_sort', 'on', true);
    -- Four times as far as hits that are spread evenly would need.
    v_most := greatest(3000, 3000.0 * k_need / v_hits[4]);
    foreach v_stage in array o.stages loop
      -- Merged from the parts of the index, one per status.
      select string_agg(format('(select * from public.clients where %s and status = %L and %s and %s order by %s limit %s)',
        k_company, s, v_stage, o.beyond, o.walked, v_most), ' union all ') into v_walk from unnest(k_statuses) s;
      v_walk := format('(select * from (%s) u order by %s limit %s) w', v_walk, o.walked, v_most);
      execute format('select array(select id from %s where %s and %s limit %s)', v_walk, v_filter, c[4], k_need - cardinality(v_ids)) into v_found;
      v_ids := v_ids || v_found;
      exit when cardinality(v_ids) = k_need;
      execute format('select count(*) from %s', v_walk) into v_rows;
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
set local role cp_owner;
