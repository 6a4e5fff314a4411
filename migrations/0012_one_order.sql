-- One order of locks for consoles and the API: the company's head first. And the words of names, kept by the statement.

-- The words of names ---------------------------------------------------------------------------------------------------

-- At most twelve of a client: more is nobody's name, and each is kept while the company's lock is held. Without settings of
-- its own, so that it becomes part of the statement that calls it: called, it took a millisecond for a long name.
create function app.words_of_name(p_first text, p_last text) returns setof text language sql immutable parallel safe as $$
  select w from string_to_table(app.search_fold(coalesce(p_first, '') || ' ' || coalesce(p_last, '')), ' ') with ordinality s (w, n)
  where length(w) between 4 and 40 and w !~ '[0-9]' group by w order by min(n) limit 12
$$;
grant execute on function app.words_of_name(text, text) to cp_definer;

-- How many of a company's clients have the word: it goes with the last one, without a search for others.
drop trigger names_insert on clients;
drop trigger names_update on clients;
drop index client_names_shorter;
alter table client_names add column uses int not null default 1;
alter table client_names alter column uses drop default;
delete from client_names;
insert into client_names (company_id, name, shorter, uses)
  select company_id, w, app.one_letter_less(w), n from (
    select c.company_id, w, count(*)::int n from clients c, app.words_of_name(c.first_name, c.last_name) w group by 1, 2) words;
create index client_names_shorter on client_names using gin (company_id, shorter) with (fastupdate = off);
grant update (uses) on client_names to cp_definer;

-- Runs after the log's triggers of the same statement, by its name, and so behind the head's lock: two consoles that take a
-- word away and bring it back see each other.
set local role cp_definer;
create or replace function app.keep_client_names() returns trigger language plpgsql security definer set search_path = ''
set enable_hashjoin = off set enable_mergejoin = off as $$
declare v_companies uuid[]; v_words text[]; v_more int[];
begin
  if tg_op = 'INSERT' then
    select array_agg(d.company_id), array_agg(d.w), array_agg(d.n) into v_companies, v_words, v_more from (
      select r.company_id, w, count(*)::int n from new_rows r, app.words_of_name(r.first_name, r.last_name) w group by 1, 2) d;
  elsif tg_op = 'DELETE' then
    select array_agg(d.company_id), array_agg(d.w), array_agg(d.n) into v_companies, v_words, v_more from (
      select r.company_id, w, -count(*)::int n from old_rows r, app.words_of_name(r.first_name, r.last_name) w group by 1, 2) d;
  else
    select array_agg(d.company_id), array_agg(d.w), array_agg(d.n) into v_companies, v_words, v_more from (
      select company_id, w, sum(n)::int n from (
        select a.company_id, w, 1 n from (
          select company_id, first_name, last_name from new_rows except all select company_id, first_name, last_name from old_rows) a,
          app.words_of_name(a.first_name, a.last_name) w
        union all
        select r.company_id, w, -1 from (
          select company_id, first_name, last_name from old_rows except all select company_id, first_name, last_name from new_rows) r,
          app.words_of_name(r.first_name, r.last_name) w) words
      group by 1, 2 having sum(n) <> 0) d;
  end if;
  if v_words is null then return null; end if;
  with changed as materialized (select * from unnest(v_companies, v_words, v_more) c (company_id, w, n)),
  known as (
    update public.client_names n set uses = n.uses + c.n from changed c where n.company_id = c.company_id and n.name = c.w
    returning n.company_id, n.name, n.uses),
  made as (
    insert into public.client_names (company_id, name, shorter, uses)
    -- app.one_letter_less(w), without a call for each.
    select c.company_id, c.w, array(select distinct case i when 0 then c.w else overlay(c.w placing '' from i for 1) end
      from generate_series(0, length(c.w)) i), c.n from changed c
    where c.n > 0 and not exists (select from known k where k.company_id = c.company_id and k.name = c.w))
  select array_agg(k.company_id), array_agg(k.name) into v_companies, v_words from known k where k.uses <= 0;
  delete from public.client_names n using unnest(v_companies, v_words) g (company_id, w) where n.company_id = g.company_id and n.name = g.w;
  return null;
end $$;
grant execute on function app.keep_client_names() to cp_owner;
set local role cp_owner;
drop function app.name_words(text, text);
create trigger names_insert after insert on clients referencing new table as new_rows
  for each statement execute function app.keep_client_names();
create trigger names_update after update on clients referencing old table as old_rows new table as new_rows
  for each statement execute function app.keep_client_names();
create trigger names_delete after delete on clients referencing old table as old_rows
  for each statement execute function app.keep_client_names();

-- The head first -------------------------------------------------------------------------------------------------------

-- A write of the application holds the head since begin_write. A statement of a console used to take it last, after the
-- rows: whoever held the head and wanted one of those rows was then in a deadlock with it. So before its first row it takes
-- the heads of the companies that can be known: that of `app.company_id`, where the console has set it, and those that the
-- statement's text names by their id or by the id of one of their rows, in the order of ids like everybody. Not known are
-- values sent apart from the text, and rows found in another way: such a statement takes the heads of its rows' companies
-- when it is logged, as before, and of a deadlock one of the two is told 40P01 (over HTTP: 409 conflict).
create function app.head_first() returns trigger language plpgsql security definer set search_path = '' as $$
declare
  k_company constant text := tg_argv[0];
  v_ids uuid[];
begin
  if coalesce(current_setting('app.write_company', true), '') <> '' or session_user in ('cp_app', 'cp_auth', 'cp_jobs') then return null; end if;
  select array_agg(distinct m[1]::uuid) into v_ids
    from regexp_matches(left(current_query(), 100000), '[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}', 'gi') m;
  v_ids := v_ids || nullif(current_setting('app.company_id', true), '')::uuid;
  if cardinality(v_ids) > 0 then
    execute format('select $1 || array(select %I from %s where id = any ($1))', k_company, tg_relid::regclass) into v_ids using v_ids;
    perform from public.company_heads h where h.company_id = any (v_ids) order by h.company_id for no key update;
  end if;
  return null;
end $$;
alter function app.head_first() owner to cp_definer;
set local role cp_definer;
grant execute on function app.head_first() to cp_owner;
set local role cp_owner;

-- As in 0002, and with the trigger that takes the head first.
create or replace function app.secure_table(p_table regclass) returns void language plpgsql set search_path = '' as $$
declare
  t app.tenant_tables;
  v_role text;
  v_generated text[] := coalesce((select array_agg(attname::text) from pg_catalog.pg_attribute
    where attrelid = p_table and attgenerated <> '' and not attisdropped), '{}');
begin
  select * into t from app.tenant_tables where table_name = p_table;
  t.company_column := coalesce(t.company_column, 'company_id');
  execute format('alter table %s enable row level security', p_table);
  execute format('alter table %s force row level security', p_table);
  execute format('drop policy if exists tenant on %s', p_table);
  execute format('create policy tenant on %s to cp_app using (%I = (select app.company())) with check (%I = (select app.company()))',
    p_table, t.company_column, t.company_column);
  execute format('drop policy if exists definer on %s', p_table);
  execute format('create policy definer on %s to cp_definer using (true) with check (true)', p_table);
  execute format('drop policy if exists owner on %s', p_table);
  -- Not even the owner writes the log: deleting from it once went unnoticed until the gap test found it.
  execute format(case when p_table::text in ('company_heads', 'changes', 'public.company_heads', 'public.changes')
    then 'create policy owner on %s for select to cp_owner using (true)'
    else 'create policy owner on %s to cp_owner using (true) with check (true)' end, p_table);
  execute format('revoke all on %s from public, cp_app, cp_auth, cp_jobs', p_table);
  if t.grants is not null then execute format('grant %s on %s to cp_app', t.grants, p_table); end if;
  -- Row-level security does not stop TRUNCATE, not even on the log itself.
  execute format('create or replace trigger refuse_truncate before truncate on %s for each statement execute function app.refuse_truncate()', p_table);
  if t.entity is null then return; end if;
  execute format('grant select (id, %I) on %s to cp_definer', t.company_column, p_table);
  execute format('create or replace trigger head_first before insert or update or delete on %s for each statement execute function app.head_first(%L)',
    p_table, t.company_column);
  execute format('create or replace trigger touch before insert or update on %s for each row execute function app.touch(%L)', p_table, v_generated);
  execute format('create or replace trigger log_insert after insert on %s referencing new table as new_rows for each statement execute function app.log_insert(%L, %L, %L, %L)',
    p_table, t.entity, t.company_column, t.hidden, t.schema_version);
  execute format('create or replace trigger log_update after update on %s referencing old table as old_rows new table as new_rows for each statement execute function app.log_update(%L, %L, %L, %L)',
    p_table, t.entity, t.company_column, t.hidden, t.schema_version);
  execute format('create or replace trigger log_delete after delete on %s referencing old table as old_rows for each statement execute function app.log_delete(%L, %L, %L, %L)',
    p_table, t.entity, t.company_column, t.hidden, t.schema_version);
end $$;
select app.secure_tables();
