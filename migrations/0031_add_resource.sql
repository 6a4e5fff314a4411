-- What a new resource needs besides its table: one line of its migration.

-- Puts a table under the log and the walls: a row of a company, logged as p_entity; with a column search_text, searchable.
create function app.add_resource(p_table regclass, p_entity text) returns void language plpgsql set search_path = '' as $$
declare v_searched constant boolean := exists (select from pg_catalog.pg_attribute where attrelid = p_table and attname = 'search_text');
begin
  execute format('alter table %s add foreign key (company_id) references public.companies', p_table);
  insert into app.tenant_tables (table_name, entity, hidden, grants)
    values (p_table, p_entity, case when v_searched then '{search_text}'::text[] else '{}' end, 'select, insert, update');
  if v_searched then execute format('grant select on %s to cp_definer', p_table); end if;
end $$;

-- The rows of a resource that a search finds, with their rank: 3 every word is a word of the row, 2 begins one, 1 stands
-- somewhere in it, 0 nearly so. For tables of thousands of rows, not of a hundred thousand: every hit is ranked. Owned by
-- cp_definer, because LIKE is not leakproof: behind row-level security no index would be asked.
create function app.search_rows(p_table text, p_search text) returns table (id uuid, rank int)
language plpgsql stable security definer set search_path = '' set jit = off rows 100 as $$
declare c text[]; v_near text;
begin
  -- It becomes SQL in the hands of a role that stands above the walls.
  if not exists (select from app.tenant_tables t where t.table_name = to_regclass(format('public.%I', p_table)) and t.hidden @> '{search_text}') then
    raise exception 'not searched' using errcode = 'CP001';
  end if;
  select s.conditions into c from app.search_conditions(p_search) s;
  select string_agg(case when length(w) between 4 and 40
      then format('(search_text like %L or public.word_similarity(%L, search_text) >= 0.5)', '%' || w || '%', w)
      else format('search_text like %L', '%' || w || '%') end, ' and ') into v_near
    from regexp_split_to_table(trim(app.search_fold(p_search)), ' +') w where w <> '';
  return query execute format('select id, case when %s then 3 when %s then 2 when %s then 1 else 0 end from public.%I where company_id = %L and (%s or %s)',
    c[1], c[2], c[3], p_table, app.company(), c[3], coalesce(v_near, 'false'));
end $$;
grant execute on function app.search_rows(text, text) to cp_app;
alter function app.search_rows(text, text) owner to cp_definer;
