-- Rows that arrive as JSON: one way in for a single create, for bulk and for imports.

-- Inserts rows of the tenant into one of its tables, columns by name; all rows name the same ones. Runs with the
-- caller's rights, behind the same walls as a plain INSERT.
create function app.insert_rows(p_table text, p_rows jsonb) returns void language plpgsql set search_path = '' as $$
declare v_columns text := (select string_agg(format('%I', k), ', ') from jsonb_object_keys(p_rows -> 0) k);
begin
  execute format('insert into public.%1$I (company_id, %2$s) select app.company(), %2$s from jsonb_populate_recordset(null::public.%1$I, $1)',
    p_table, v_columns) using p_rows;
end $$;
grant execute on function app.insert_rows(text, jsonb) to cp_app;

-- Search ------------------------------------------------------------------------------------------------------------
-- It runs in functions owned by cp_definer, because LIKE is not leakproof: behind row-level security every client of
-- the tenant would be read instead of the trigram index. They take the tenant from app.company(), as the policies do.

-- A text as search compares it: no case, no accents, and every sign a letter of its own (a block of Yi, which no name here
-- will hold). So words end at spaces only, for the trigram index as for us; and no sign means anything to LIKE.
create function app.search_fold(text) returns text language sql immutable parallel safe strict set search_path = ''
  as $$ select translate(app.fold($1), E'!"#$%&''()*+,-./:;<=>?@[\\]^_`{|}~\t\n\r', 'ꀀꀁꀂꀃꀄꀅꀆꀇꀈꀉꀊꀋꀌꀍꀎꀏꀐꀑꀒꀓꀔꀕꀖꀗꀘꀙꀚꀛꀜꀝꀞꀟ   ') $$;
grant execute on function app.search_fold(text) to cp_app, cp_auth, cp_definer, cp_jobs;
-- A space at both ends makes "begins a word" and "is a word" plain patterns.
alter table clients alter column search_text set expression as (app.search_fold(' ' || coalesce(first_name, '') || ' ' || coalesce(last_name, '') || ' ' || coalesce(email, '') || ' ' || coalesce(phone, '') || ' ' || coalesce(external_id, '') || ' '));
-- A sign alone has no trigram; the few rows that hold any but + - . @ have an index.
create index clients_signs on clients (company_id, id) where search_text ~ '[ꀀ-ꀉꀋꀎ-ꀔꀖ-ꀟ]';

-- Every text that differs from the word by at most one missing letter. Two words with one typo between them (a letter
-- missing, added, replaced or swapped) have such a text in common, so typos are found by equality.
create function app.one_letter_less(p_word text) returns text[] language sql immutable strict parallel safe set search_path = '' as $$
  select array_agg(distinct t) from (
    select p_word t union all select overlay(p_word placing '' from i for 1) from generate_series(1, length(p_word)) i) v
$$;
create function app.name_words(p_first text, p_last text) returns text[] language sql immutable parallel safe set search_path = '' as $$
  select coalesce(array_agg(distinct w), '{}') from regexp_split_to_table(app.search_fold(coalesce(p_first, '') || ' ' || coalesce(p_last, '')), ' +') w
  where length(w) between 4 and 40 and w !~ '[0-9]'
$$;

-- The different words in the names of a company's clients: what a mistyped word is compared with.
create table client_names (
  company_id uuid not null references companies on delete cascade,
  name text not null,
  shorter text[] not null,
  primary key (company_id, name)
);
create index client_names_shorter on client_names using gin (company_id, shorter) with (fastupdate = off);
insert into app.tenant_tables (table_name) values ('client_names');
grant select, insert, delete on client_names to cp_definer;
grant select on clients to cp_definer;

create function app.keep_client_names() returns trigger language plpgsql security definer set search_path = '' as $$
declare
  v_new text[] := case when tg_op = 'DELETE' then '{}' else app.name_words(new.first_name, new.last_name) end;
  v_old text[] := case when tg_op = 'INSERT' then '{}' else app.name_words(old.first_name, old.last_name) end;
  v_word text;
  v_used boolean;
begin
  insert into public.client_names (company_id, name, shorter)
    select new.company_id, w, app.one_letter_less(w) from unnest(v_new) w where w <> all (v_old) on conflict do nothing;
  foreach v_word in array v_old loop
    continue when v_word = any (v_new);
    -- With the word as a literal, so that it is looked up by its trigrams.
    execute format('select exists (select from public.clients where company_id = $1 and search_text like %L)',
      '% ' || v_word || ' %') into v_used using old.company_id;
    if not v_used then delete from public.client_names n where n.company_id = old.company_id and n.name = v_word; end if;
  end loop;
  return null;
end $$;
create trigger names_insert after insert or delete on clients for each row execute function app.keep_client_names();
create trigger names_update after update on clients for each row
  when (old.first_name is distinct from new.first_name or old.last_name is distinct from new.last_name) execute function app.keep_client_names();
insert into client_names (company_id, name, shorter)
  select distinct c.company_id, w, app.one_letter_less(w) from clients c, unnest(app.name_words(c.first_name, c.last_name)) w;

-- A search as conditions on a row, strictest first: every word is a word of the row, begins one, stands somewhere in it,
-- or stands there with one typo forgiven. `indexed` is false for signs that nearly every row holds: an index would not help.
create function app.search_conditions(p_search text, out conditions text[], out indexed boolean)
language plpgsql stable security definer set search_path = '' as $$
declare
  v_text text := trim(app.fold(p_search));
  v_words text[] := regexp_split_to_array(trim(app.search_fold(p_search)), ' +');
  v_word text; v_near text; v_loose text; v_name text;
  v_digits text := ltrim(regexp_replace(v_text, '[^0-9]', '', 'g'), '0');
  v_indexed boolean := false;
  v_sign boolean := false;
begin
  conditions := array['true', 'true', 'true', 'true'];
  indexed := true;
  if v_words = '{""}' then conditions := array['false', 'false', 'false', 'false']; return; end if;
  foreach v_word in array v_words loop
    -- One or two letters stand at the beginning of a word: inside of words they stand everywhere. Signs may stand anywhere.
    if length(v_word) < 3 and v_word !~ '^[ꀀ-ꀟ]+$' then
      v_loose := format('search_text like %L', '% ' || v_word || '%');
      v_indexed := true;
    else
      v_loose := format('search_text like %L', '%' || v_word || '%');
      v_indexed := v_indexed or length(v_word) >= 3;
      v_sign := v_sign or v_word ~ '[ꀀ-ꀉꀋꀎ-ꀔꀖ-ꀟ]';
    end if;
    -- A national number: its leading zero is not part of the international one.
    if v_word ~ '^0[1-9][0-9]{2,}$' then v_loose := format('(%s or search_text like %L)', v_loose, '%' || substr(v_word, 2) || '%'); end if;
    v_near := v_loose;
    if length(v_word) between 4 and 40 and v_word !~ '[0-9ꀕ]' then
      for v_name in
        select n.name from public.client_names n
        where n.company_id = app.company() and n.shorter && app.one_letter_less(v_word) and n.name <> v_word
        order by abs(length(n.name) - length(v_word)), n.name limit 12
      loop
        v_near := v_near || format(' or search_text like %L', '% ' || v_name || ' %');
      end loop;
    end if;
    conditions := array[
      conditions[1] || format(' and search_text like %L', '% ' || v_word || ' %'),
      conditions[2] || format(' and search_text like %L', '% ' || v_word || '%'),
      conditions[3] || ' and ' || v_loose, conditions[4] || ' and (' || v_near || ')'];
  end loop;
  -- A number written in groups, as people write telephone numbers.
  if length(v_digits) >= 5 and v_text ~ '^[+(]?[0-9][0-9 ()/.+-]*$' and v_text !~ '^[0-9]+$' then
    conditions[3] := format('(%s or search_text like %L)', conditions[3], '%' || v_digits || '%');
    conditions[4] := format('(%s or search_text like %L)', conditions[4], '%' || v_digits || '%');
  end if;
  if v_indexed then return; end if;
  -- Signs alone: there is no more and less exact, and only the rare ones have an index.
  conditions[1] := 'false';
  conditions[2] := 'false';
  if v_sign then
    for i in 3..4 loop conditions[i] := conditions[i] || ' and search_text ~ ''[ꀀ-ꀉꀋꀎ-ꀔꀖ-ꀟ]'''; end loop;
  end if;
  indexed := v_sign;
end $$;

-- The list's filters as a condition; twin of `where` in src/people/clients/resource.ts.
create function app.client_filter(p_filters jsonb) returns text language sql stable set search_path = '' as $$
  select case when p_filters ? 'status' then format('status = any (%L::text[])', (select array_agg(s) from jsonb_array_elements_text(p_filters -> 'status') s)) else 'status <> ''ARCHIVED''' end
    || case when p_filters ? 'createdAfter' then format(' and created_at > %L', p_filters ->> 'createdAfter') else '' end
    || case when p_filters ? 'createdBefore' then format(' and created_at < %L', p_filters ->> 'createdBefore') else '' end
    || case when p_filters ? 'updatedAfter' then format(' and updated_at > %L', p_filters ->> 'updatedAfter') else '' end
    || case when p_filters ? 'tag' then format(' and tags @> array[%L]', p_filters ->> 'tag') else '' end
    || case when p_filters ? 'externalId' then format(' and external_id = %L', p_filters ->> 'externalId') else '' end
$$;

-- The plans that search wants: by index to few rows, or down the list until there are enough. The planner would guess
-- between them from how often the pattern stands in a hundred sampled rows of all tenants.
create function app.prefer_plan(p_plan text) returns void language sql volatile set search_path = '' as $$
  select set_config('enable_seqscan', 'off', true), set_config('enable_indexonlyscan', 'off', true), set_config('enable_incremental_sort', 'off', true),
         set_config('enable_sort', case p_plan when 'walk' then 'off' else 'on' end, true),
         set_config('enable_bitmapscan', case p_plan when 'walk' then 'off' else 'on' end, true),
         set_config('enable_indexscan', case p_plan when 'walk' then 'on' else 'off' end, true)
$$;

-- "Of this company", for the walk: said as a range, so that the order by company and id is no order by id alone, which the
-- index over all companies' ids would serve.
create function app.along_company() returns text language sql stable set search_path = ''
  as $$ select format('company_id between %1$L and %1$L', app.company()) $$;

-- How many of a company's newest clients meet each condition: whether a search has many hits is seen in a millisecond,
-- where intersecting the index's long lists takes thirty (100,000 clients). `whole`: these were all there are.
create function app.sample_clients(p_filter text, p_conditions text[], out hits int[], out whole boolean)
language plpgsql stable security definer set search_path = '' set jit = off
set enable_seqscan = on set enable_sort = on set enable_bitmapscan = on set enable_indexscan = on set enable_indexonlyscan = on set enable_incremental_sort = on as $$
begin
  perform app.prefer_plan('walk');
  execute format('select array[count(*) filter (where %1$s and %2$s), count(*) filter (where %1$s and %3$s), count(*) filter (where %1$s and %4$s),
      count(*) filter (where %1$s and %5$s)], count(*) < 750
    from (select * from public.clients where %6$s order by company_id desc, id desc limit 750) newest',
    p_filter, p_conditions[1], p_conditions[2], p_conditions[3], p_conditions[4], app.along_company()) into hits, whole;
end $$;

-- One page of a search, best hits first, the newest first among equals: ids with their rank, 3 to 0 as the conditions of
-- app.search_conditions. The page begins after (p_rank, p_id), where given, and is read backwards on demand.
-- A search with few hits ranks them all. One with many is walked rank by rank, so that a page costs a page.
create function app.search_clients(p_search text, p_filters jsonb, p_rank int, p_id uuid, p_backwards boolean, p_offset int, p_limit int)
returns table (id uuid, rank int) language plpgsql stable security definer rows 21 set search_path = '' set jit = off
set enable_seqscan = on set enable_sort = on set enable_bitmapscan = on set enable_indexscan = on set enable_indexonlyscan = on set enable_incremental_sort = on as $$
declare
  k_few constant int := 2000;
  k_many_of_sample constant int := 10;
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

-- How many clients a search finds, counted up to p_most (null: all).
create function app.count_clients(p_search text, p_filters jsonb, p_most int) returns int
language plpgsql stable security definer set search_path = '' set jit = off
set enable_seqscan = on set enable_sort = on set enable_bitmapscan = on set enable_indexscan = on set enable_indexonlyscan = on set enable_incremental_sort = on as $$
declare
  v_filter text := app.client_filter(p_filters);
  c text[]; v_indexed boolean; v_hits int[]; v_whole boolean; v_walk boolean; v_total int;
begin
  select s.conditions, s.indexed into c, v_indexed from app.search_conditions(p_search) s;
  select s.hits, s.whole into v_hits, v_whole from app.sample_clients(v_filter, c) s;
  if v_whole then return v_hits[4]; end if;
  -- A sixth of all and more: enough are found sooner than the index has made its list.
  v_walk := not v_indexed or (p_most is not null and v_hits[4] >= 125);
  perform app.prefer_plan(case when v_walk then 'walk' else 'index' end);
  execute format('select count(*) from (select 1 from public.clients where %s and %s and %s limit %s) c',
    case when v_walk then app.along_company() else format('company_id = %L', app.company()) end, v_filter, c[4], coalesce(p_most::text, 'all')) into v_total;
  return v_total;
end $$;

-- The ids of all clients a search finds, for exports.
create function app.match_clients(p_search text) returns setof uuid
language plpgsql stable security definer set search_path = '' set jit = off rows 500 as $$
begin
  return query execute format('select id from public.clients where company_id = %L and %s',
    app.company(), (select s.conditions[4] from app.search_conditions(p_search) s));
end $$;

-- Duplicates --------------------------------------------------------------------------------------------------------

-- Other clients with the same address or number, as jsonb: at most a hundred. Not those that were merged or erased.
create function app.client_duplicates(p_id uuid, p_email text, p_phone text) returns jsonb
language sql stable security definer set search_path = '' as $$
  select coalesce(jsonb_agg(d.id order by d.id), '[]') from (
    select c.id from public.clients c where c.company_id = app.company() and lower(c.email) = lower(p_email)
      and c.id <> p_id and c.erased_at is null and c.merged_into is null
    union
    select c.id from public.clients c where c.company_id = app.company() and c.phone = p_phone
      and c.id <> p_id and c.erased_at is null and c.merged_into is null
    limit 100) d
$$;

-- What a client has brought so far. Replaced when appointments and payments exist.
create function app.client_stats(p_client uuid) returns jsonb language sql stable set search_path = '' as $$
  select jsonb_build_object('visits', 0, 'noShows', 0, 'spent', jsonb_build_object('amount', 0, 'currency', c.currency), 'lastVisitAt', null)
  from public.companies c where c.id = app.company()
$$;

grant execute on function app.search_clients(text, jsonb, int, uuid, boolean, int, int), app.count_clients(text, jsonb, int),
  app.match_clients(text), app.client_duplicates(uuid, text, text), app.client_stats(uuid) to cp_app;
grant execute on function app.one_letter_less(text), app.name_words(text, text), app.client_filter(jsonb), app.prefer_plan(text), app.along_company() to cp_definer;
do $$
declare f regprocedure;
begin
  foreach f in array array['app.keep_client_names()', 'app.search_conditions(text)', 'app.sample_clients(text,text[])', 'app.search_clients(text,jsonb,int,uuid,boolean,int,int)',
    'app.count_clients(text,jsonb,int)', 'app.match_clients(text)', 'app.client_duplicates(uuid,text,text)']::regprocedure[] loop
    execute format('alter function %s owner to cp_definer', f);
  end loop;
end $$;

-- Bulk --------------------------------------------------------------------------------------------------------------

-- Inserts many rows into a table of the tenant, p_items [{"index", "row"}]. A list without a fault is one INSERT; with
-- faults it is halved until each stands alone, about 2 log2(n) subtransactions per faulty row, first come first served.
-- Atomic: any fault ends the whole with CP207 and the list of faults. Else the verdicts are left in app.result:
-- [{"index", "id"} | {"index", "state", "constraint"}].
create function app.bulk_insert(p_table text, p_items jsonb, p_atomic boolean) returns void language plpgsql set search_path = '' as $$
declare
  v_stack int[] := array[0, jsonb_array_length(p_items)];
  v_low int; v_high int; v_state text; v_constraint text;
  v_done jsonb := '[]'; v_faults jsonb := '[]';
begin
  while cardinality(v_stack) > 0 loop
    v_low := v_stack[cardinality(v_stack) - 1];
    v_high := v_stack[cardinality(v_stack)];
    v_stack := v_stack[:cardinality(v_stack) - 2];
    continue when v_low >= v_high;
    v_state := null;
    begin
      perform app.insert_rows(p_table, (select jsonb_agg(p_items -> i -> 'row' order by i) from generate_series(v_low, v_high - 1) i));
    exception when integrity_constraint_violation or data_exception then
      get stacked diagnostics v_state = returned_sqlstate, v_constraint = constraint_name;
    end;
    if v_state is null then
      v_done := v_done || (select jsonb_agg(jsonb_build_object('index', p_items -> i -> 'index', 'id', p_items -> i -> 'row' -> 'id') order by i)
        from generate_series(v_low, v_high - 1) i);
    elsif v_high - v_low = 1 then
      v_faults := v_faults || jsonb_build_object('index', p_items -> v_low -> 'index', 'state', v_state, 'constraint', v_constraint);
    else
      v_stack := v_stack || array[(v_low + v_high) / 2, v_high, v_low, (v_low + v_high) / 2];
    end if;
  end loop;
  if p_atomic and v_faults <> '[]' then raise exception 'bulk refused' using errcode = 'CP207', detail = v_faults::text; end if;
  perform set_config('app.result', (v_done || v_faults)::text, true);
end $$;
grant execute on function app.bulk_insert(text, jsonb, boolean) to cp_app;

-- Erasing and merging -----------------------------------------------------------------------------------------------

-- A client's image without the person: what is left says that there was one, when, and what it was merged into.
create function app.erased_client(p_image jsonb) returns jsonb language sql immutable set search_path = '' as $$
  select p_image || '{"first_name": null, "last_name": null, "name": "Erased", "email": null, "phone": null, "tags": [], "notes": null,
    "custom_fields": {}, "external_id": null}'
$$;

-- Erases a client and whatever was merged into it, in the table and in the log; revisions stay. Runs as cp_definer, which
-- alone may change an image, and those two columns only. The change itself is logged first and then cleaned with the rest.
grant update on clients to cp_definer;
grant update (before, after) on changes to cp_definer;
create function app.erase_client(p_id uuid) returns void language plpgsql volatile security definer set search_path = '' as $$
declare v_ids uuid[];
begin
  with recursive gone as (
    select c.id from public.clients c where c.company_id = app.company() and c.id = p_id
    union
    select c.id from public.clients c join gone g on c.merged_into = g.id where c.company_id = app.company())
  select array_agg(id) into v_ids from gone;
  update public.clients c set first_name = null, last_name = null, email = null, phone = null, tags = '{}', notes = null, custom_fields = '{}',
    external_id = null, status = 'ARCHIVED', erased_at = coalesce(c.erased_at, clock_timestamp())
    where c.company_id = app.company() and c.id = any (v_ids);
  update public.changes l set before = app.erased_client(l.before), after = app.erased_client(l.after)
    where l.company_id = app.company() and l.entity = 'client' and l.entity_id = any (v_ids)
      and (app.erased_client(l.before), app.erased_client(l.after)) is distinct from (l.before, l.after);
end $$;

-- Makes one client of two: p_target survives, its empty fields are filled and its tags united; p_source is archived and
-- says where it went. Later migrations move what belongs to a client. A repeat changes nothing.
create function app.merge_clients(p_target uuid, p_source uuid, p_expected int) returns void
language plpgsql volatile set search_path = '' as $$
declare t public.clients; s public.clients; v_moves boolean;
begin
  select * into t from public.clients c where c.company_id = app.company() and c.id = p_target;
  perform app.refuse(t.id is null, 'not_found');
  select * into s from public.clients c where c.company_id = app.company() and c.id = p_source;
  perform app.refuse(s.id is null, 'unknown_reference', '{"pointer": "/sourceId", "detail": "There is no such client."}');
  perform app.expect_version(t.version, p_expected);
  perform app.refuse(t.erased_at is not null or s.erased_at is not null, 'erased');
  if s.merged_into = p_target then return; end if;
  perform app.refuse(s.merged_into is not null, 'conflict', '{"detail": "The source was merged into another client before."}');
  perform app.refuse(t.merged_into is not null, 'conflict', '{"detail": "This client was merged into another one itself."}');
  -- The source goes first: an external id belongs to one client at a time, and stays where it is all that names the client.
  v_moves := t.external_id is null and coalesce(s.first_name, s.last_name, s.email, s.phone) is not null;
  update public.clients c set status = 'ARCHIVED', merged_into = p_target, external_id = case when v_moves then null else c.external_id end
    where c.company_id = app.company() and c.id = p_source;
  update public.clients c set first_name = coalesce(c.first_name, s.first_name), last_name = coalesce(c.last_name, s.last_name),
    email = coalesce(c.email, s.email), phone = coalesce(c.phone, s.phone), notes = coalesce(c.notes, s.notes),
    external_id = case when v_moves then s.external_id else c.external_id end, custom_fields = s.custom_fields || c.custom_fields,
    tags = c.tags || array(select u from unnest(s.tags) with ordinality x (u, n) where u <> all (c.tags) order by n)
    where c.company_id = app.company() and c.id = p_target;
end $$;
grant execute on function app.erase_client(uuid), app.merge_clients(uuid, uuid, int) to cp_app;
grant execute on function app.erased_client(jsonb) to cp_definer;
alter function app.erase_client(uuid) owner to cp_definer;
