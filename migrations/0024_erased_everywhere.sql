-- An erased person does not come back with the rest of a file that was waiting, nor stay in the reports of old ones.

-- What the rows of unfinished imports are recognised by whose person was erased meanwhile: hashes, kept until the import ends.
create table erased_marks (
  company_id uuid not null,
  import_id uuid not null,
  mark bytea not null,
  primary key (company_id, import_id, mark),
  foreign key (company_id, import_id) references imports (company_id, id) on delete cascade
);
insert into app.tenant_tables (table_name) values ('erased_marks');
grant select, insert, delete on erased_marks to cp_definer;
grant update (report) on imports to cp_definer;

-- A hash for each of what a person is recognised by; null for what is absent.
create function app.person_mark(p_kind text, p_value text) returns bytea language sql stable set search_path = ''
  as $$ select sha256(convert_to(app.company() || p_kind || lower(normalize(p_value)), 'UTF8')) $$;
grant execute on function app.person_mark(text, text) to cp_definer;

create function app.forget_marks() returns trigger language plpgsql security definer set search_path = '' as $$
begin
  delete from public.erased_marks m where m.company_id = new.company_id and m.import_id = new.id;
  return null;
end $$;
create trigger forget_marks after update of status on imports for each row
  when (old.status is distinct from new.status and new.status not in ('QUEUED', 'RUNNING')) execute function app.forget_marks();

-- The rows of a chunk (see app.import_chunk) without those whose person was erased after the file was sent: they fail.
-- By address or number only where no client has the row's own: people share them.
create function app.living_rows(p_import uuid, p_first int, p_count int, p_rows jsonb, p_failures jsonb, out rows jsonb, out failures jsonb)
language plpgsql stable security definer set search_path = '' as $$
begin
  rows := p_rows;
  failures := p_failures;
  if not exists (select from public.erased_marks m where m.company_id = app.company() and m.import_id = p_import) then return; end if;
  with numbers as (
    select n, row_number() over (order by n) as k from generate_series(p_first + 1, p_first + p_count) n
    where n not in (select (f ->> 'row')::int from jsonb_array_elements(p_failures) f)),
  given as (
    select numbers.n, e.r, coalesce(e.r ->> 'external_id', e.r -> 'given' ->> 'external_id') as external_id,
      e.r -> 'given' ->> 'email' as email, e.r -> 'given' ->> 'phone' as phone
    from jsonb_array_elements(p_rows) with ordinality e (r, k) join numbers on numbers.k = e.k),
  judged as (
    select n, r, exists (select from public.erased_marks m where m.company_id = app.company() and m.import_id = p_import
        and m.mark in (app.person_mark('external_id', external_id), app.person_mark('email', email), app.person_mark('phone', phone)))
      and not exists (select from public.clients c where c.company_id = app.company() and c.erased_at is null
        and (c.external_id = given.external_id or lower(c.email) = lower(given.email) or c.phone = given.phone)) as gone
    from given)
  select coalesce(jsonb_agg(j.r order by j.n) filter (where not j.gone), '[]'),
    coalesce(jsonb_agg(jsonb_build_object('row', j.n, 'status', 'FAILED', 'errors', jsonb_build_array(jsonb_build_object(
      'pointer', '', 'code', 'erased', 'detail', 'This client was erased after the file was sent.')))) filter (where j.gone), '[]')
  into rows, failures from judged j;
  failures := (select coalesce(jsonb_agg(f order by (f ->> 'row')::int), '[]') from jsonb_array_elements(p_failures || failures) f);
end $$;
grant execute on function app.living_rows(uuid, int, int, jsonb, jsonb) to cp_app;

-- A report without what the file said in the place of a column and what was a person's. Short words would stand everywhere:
-- they must be the whole name of the column.
create function app.report_without(p_report jsonb, p_words text[]) returns jsonb language sql immutable set search_path = '' as $$
  select coalesce(jsonb_agg(jsonb_set(r, '{errors}', (
    select coalesce(jsonb_agg(case when exists (
        select from unnest(p_words) w where case when length(w) < 3 then lower(w) = any (string_to_array(said.pointer, '/'))
          else strpos(said.pointer || ' ' || lower(e ->> 'detail'), lower(w)) > 0 end)
      then e || '{"pointer": "", "detail": "Not kept: it named a person who was erased."}' else e end order by k), '[]')
    from jsonb_array_elements(r -> 'errors') with ordinality x (e, k),
      lateral (select lower(replace(replace(e ->> 'pointer', '~1', '/'), '~0', '~')) as pointer) said)) order by n), '[]')
  from jsonb_array_elements(p_report) with ordinality y (r, n)
$$;
grant execute on function app.report_without(jsonb, text[]) to cp_definer;

-- As in 0007; besides it marks the person for imports that are under way, and cleans reports.
set local role cp_definer;
create or replace function app.erase_client(p_id uuid) returns void language plpgsql volatile security definer set search_path = '' as $$
declare v_ids uuid[]; v_marks bytea[]; v_words text[];
begin
  with recursive gone as (
    select c.id from public.clients c where c.company_id = app.company() and c.id = p_id
    union
    select c.id from public.clients c join gone g on c.merged_into = g.id where c.company_id = app.company())
  select array_agg(id) into v_ids from gone;
  -- All that the person was ever known by: a file may be older than the last change.
  with images as (
    select to_jsonb(c) as image from public.clients c where c.company_id = app.company() and c.id = any (v_ids) and c.erased_at is null
    union all
    select i from public.changes l, lateral (values (l.before), (l.after)) x (i)
      where l.company_id = app.company() and l.entity = 'client' and l.entity_id = any (v_ids) and i ->> 'erased_at' is null),
  said as (select distinct e.key, e.value from images, jsonb_each_text(image) e
    where e.key in ('first_name', 'last_name', 'name', 'email', 'phone', 'external_id') and trim(e.value) <> '')
  select array_agg(app.person_mark(key, value)) filter (where key in ('email', 'phone', 'external_id')), array_agg(value)
    into v_marks, v_words from said;
  insert into public.erased_marks (company_id, import_id, mark)
    select i.company_id, i.id, m from public.imports i, unnest(v_marks) m
    where i.company_id = app.company() and i.status in ('QUEUED', 'RUNNING') on conflict do nothing;
  update public.imports i set report = app.report_without(i.report, v_words)
    where i.company_id = app.company() and i.report_bytes > 0 and i.report is distinct from app.report_without(i.report, v_words);
  update public.clients c set first_name = null, last_name = null, email = null, phone = null, tags = '{}', notes = null, custom_fields = '{}',
    external_id = null, status = 'ARCHIVED', erased_at = coalesce(c.erased_at, clock_timestamp())
    where c.company_id = app.company() and c.id = any (v_ids);
  update public.changes l set before = app.erased_client(l.before), after = app.erased_client(l.after)
    where l.company_id = app.company() and l.entity = 'client' and l.entity_id = any (v_ids)
      and (app.erased_client(l.before), app.erased_client(l.after)) is distinct from (l.before, l.after);
end $$;
set local role cp_owner;
alter function app.forget_marks() owner to cp_definer;
alter function app.living_rows(uuid, int, int, jsonb, jsonb) owner to cp_definer;
