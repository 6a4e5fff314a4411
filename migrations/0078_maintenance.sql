-- What autovacuum leaves: statistics after much has been loaded at once, when its own turn is minutes away; and whether dead rows
-- pile up, which it should have cleaned. VACUUM itself cannot run here, nor need it.
do $$
declare v_table text;
begin
  for v_table in select c.relname from pg_class c where c.relnamespace = 'public'::regnamespace and c.relkind in ('r', 'p') loop
    execute format('grant maintain on public.%I to cp_definer', v_table);
  end loop;
end $$;
alter default privileges in schema public grant maintain on tables to cp_definer;

-- Renews the statistics of the tables that have changed most since they were last told, of more than a tenth of their rows and at
-- least p_least; and names the tables where more than a quarter of the rows are dead.
create function app.maintain(p_most int, p_least int) returns table (analyzed text[], unclean text[]) language plpgsql security definer set search_path = '' as $$
declare
  v_table text;
begin
  analyzed := '{}';
  for v_table in
    select s.relname from pg_catalog.pg_stat_user_tables s where s.schemaname = 'public'
        and s.n_mod_since_analyze >= greatest(p_least, s.n_live_tup / 10)
        and coalesce(greatest(s.last_analyze, s.last_autoanalyze), '-infinity') < clock_timestamp() - interval '10 minutes'
      order by s.n_mod_since_analyze::float8 / greatest(s.n_live_tup, 1) desc, s.relname limit p_most
  loop
    execute format('analyze public.%I', v_table);
    analyzed := analyzed || v_table;
  end loop;
  select coalesce(array_agg(s.relname::text order by s.n_dead_tup desc), '{}') into unclean from pg_catalog.pg_stat_user_tables s
    where s.schemaname = 'public' and s.n_dead_tup > 10000 and s.n_dead_tup > s.n_live_tup / 3
      and coalesce(greatest(s.last_vacuum, s.last_autovacuum), '-infinity') < clock_timestamp() - interval '1 hour';
  return next;
end $$;
grant execute on function app.maintain(int, int) to cp_jobs;
alter function app.maintain(int, int) owner to cp_definer;
