-- How many of the 750 clients of a sample (0007) must meet a search for it to be walked. Of a company of n clients the index leads to
-- n * h / 750 rows and a walk to a page of 21 passes 21 * 750 / h: they are even at h = 750 * sqrt(21 / n), where it matters least
-- what the sample happened to hold. It was ten for all, which is right for a hundred thousand clients. Of five thousand a word of
-- one in a hundred stands 7.5 times in a sample, and with a book in five it was walked for: two thousand rows in place of fifty.
-- n is the planner's guess, of which only the root counts; a company it does not know yet is taken for one of five thousand.
-- Volatile because EXPLAIN asks for it.
create function app.many_of_sample() returns int language plpgsql volatile security definer set search_path = '' as $$
declare v_plan jsonb;
begin
  execute format('explain (format json) select from public.clients where company_id = %L', app.company()) into v_plan;
  return greatest(10, floor(750 * sqrt(21 / greatest(5000, (v_plan #>> '{0,Plan,Plan Rows}')::float))));
end $$;
revoke execute on function app.many_of_sample() from public;
grant execute on function app.many_of_sample() to cp_definer;
alter function app.many_of_sample() owner to cp_definer;

set local role cp_definer;
-- As in 0007, with the sample judged by the size of the company.
create or replace function app.search_clients(p_search text, p_filters jsonb, p_rank int, p_id uuid, p_backwards boolean, p_offset int, p_limit int)
returns table (id uuid, rank int) language plpgsql stable security definer rows 21 set search_path = '' set jit = off
set enable_seqscan = on set enable_sort = on set enable_bitmapscan = on set enable_indexscan = on set enable_indexonlyscan = on set enable_incremental_sort = on as $$
declare
  k_few constant int := 2000;
  k_many_of_sample constant int := app.many_of_sample();
  k_company constant text := format('company_id = %L and ', app.company());
  k_along constant text := app.along_company() || ' and ';
  k_order constant text := case when p_backwards then 'asc' else 'desc' end;
  k_beyond constant text := case when p_backwards then '>' else '<' end;
  v_filter text := app.client_filter(p_filters);
  c text[]; v_indexed boolean; v_hits int[]; v_whole boolean;
  v_ids uuid[] := '{}'; v_ranks int[] := '{}'; v_found uuid[];
  v_need int := p_offset + p_limit;
  v_rank int; v_only text; v_likely int;
begin
  select s.conditions, s.indexed into c, v_indexed from app.search_conditions(p_search) s;
  select s.hits, s.whole into v_hits, v_whole from app.sample_clients(v_filter, c) s;
  if v_whole or (v_indexed and v_hits[4] < k_many_of_sample) then
    perform app.prefer_plan(case when v_whole then 'walk' else 'index' end);
    execute format('select array(select id from public.clients where %s and %s limit %s)',
      case when v_whole then k_along else k_company end || v_filter, c[4], k_few + 1) into v_found;
    if cardinality(v_found) <= k_few then
      perform app.prefer_plan('index');
      return query execute format('select id, rank from (select id, case when %s then 3 when %s then 2 when %s then 1 else 0 end rank
        from public.clients where %s id = any ($1)) c where $2 is null or (rank, id) %s ($2, $3) order by rank %s, id %s offset %s limit %s',
        c[1], c[2], c[3], k_company, k_beyond, k_order, k_order, p_offset, p_limit) using v_found, p_rank, p_id;
      return;
    end if;
  end if;
  foreach v_rank in array case when p_backwards then array[0, 1, 2, 3] else array[3, 2, 1, 0] end loop
    continue when p_rank is not null and case when p_backwards then v_rank < p_rank else v_rank > p_rank end;
    v_only := v_filter || ' and ' || c[4 - v_rank]
      || case when v_rank = 3 then '' else format(' and not (%s)', c[3 - v_rank]) end
      || case when v_rank = p_rank then format(' and id %s %L', k_beyond, p_id) else '' end;
    v_likely := v_hits[4 - v_rank] - case when v_rank = 3 then 0 else v_hits[3 - v_rank] end;
    v_found := null;
    if v_indexed and v_likely < k_many_of_sample then
      perform app.prefer_plan('index');
      execute format('select array(select id from public.clients where %s limit %s)', k_company || v_only, k_few + 1) into v_found;
    end if;
    if v_found is null or cardinality(v_found) > k_few then
      perform app.prefer_plan('walk');
      execute format('select array(select id from public.clients where %s order by company_id %s, id %s limit %s)', k_along || v_only, k_order, k_order, v_need) into v_found;
    else
      v_found := array(select f from unnest(v_found) f order by case when p_backwards then f end, f desc);
    end if;
    v_found := v_found[:v_need];
    v_ids := v_ids || v_found;
    v_ranks := v_ranks || array_fill(v_rank, array[cardinality(v_found)]);
    v_need := v_need - cardinality(v_found);
    exit when v_need <= 0;
  end loop;
  return query select f.id, f.rank from unnest(v_ids, v_ranks) with ordinality f (id, rank, n) order by f.n offset p_offset limit p_limit;
end $$;

-- As in 0014, likewise.
create or replace function app.sort_clients(p_search text, p_filters jsonb, p_sort jsonb, p_at jsonb, p_backwards boolean, p_offset int, p_limit int)
returns setof uuid language plpgsql stable security definer rows 21 set search_path = '' set jit = off
set enable_seqscan = on set enable_sort = on set enable_bitmapscan = on set enable_indexscan = on set enable_indexonlyscan = on set enable_incremental_sort = on as $$
declare
  k_many_of_sample constant int := app.many_of_sample();
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
