-- Import jobs: one row per job, kept by the job itself inside the transactions it makes.

-- Kept beside the report, so that a full one is not unpacked with every chunk.
alter table imports add column report_bytes int not null default 0;
alter table imports add column error jsonb;
alter table imports add foreign key (company_id) references companies on delete cascade;
alter table imports add constraint imports_status check (status in ('QUEUED', 'RUNNING', 'COMPLETED', 'FAILED'));
insert into app.tenant_tables (table_name, grants) values ('imports', 'select, insert, update');

-- Takes the rows `p_first + 1 … p_first + p_count` of a job, inside a write of its company: p_rows go through p_upsert (the
-- importer's statement), p_failures [{row, …}] join the report. Rows and progress change in one transaction, so a chunk that
-- is run again after a crash finds the job further on and does nothing. Answers how many rows of the job are done, -1 when it
-- has ended.
-- A dry run undoes what the statement did: what it found is what the real run will do.
create function app.import_chunk(p_import uuid, p_first int, p_count int, p_rows jsonb, p_failures jsonb, p_upsert text, p_most_report int)
returns int language plpgsql set search_path = public as $$
declare
  v_job public.imports;
  v_done int;
  v_counts jsonb := '{"created": 0, "updated": 0, "unchanged": 0}';
begin
  select * into v_job from public.imports where company_id = app.company() and id = p_import for no key update;
  perform app.refuse(not found, 'not_found');
  v_done := v_job.created + v_job.updated + v_job.unchanged + v_job.failed;
  if v_job.status not in ('QUEUED', 'RUNNING') then return -1; end if;
  if v_done <> p_first then return v_done; end if;
  if jsonb_array_length(p_rows) > 0 then
    begin
      execute p_upsert into v_counts using p_rows;
      if v_job.dry_run then raise exception 'dry run' using errcode = 'CP201'; end if;
    exception when sqlstate 'CP201' then null;
    end;
  end if;
  v_done := p_first + p_count;
  update public.imports set
    status = case when v_done >= total then 'COMPLETED' else 'RUNNING' end,
    finished_at = case when v_done >= total then clock_timestamp() end,
    created = created + (v_counts ->> 'created')::int,
    updated = updated + (v_counts ->> 'updated')::int,
    unchanged = unchanged + (v_counts ->> 'unchanged')::int,
    failed = failed + jsonb_array_length(p_failures),
    -- A report nobody could load helps nobody: beyond its size the rows are only counted.
    report = case when p_failures = '[]' or report_bytes >= p_most_report then report else report || p_failures end,
    report_bytes = report_bytes + octet_length(p_failures::text)
    where company_id = v_job.company_id and id = p_import
    returning created + updated + unchanged + failed into v_done;
  if v_done <> p_first + p_count then raise exception 'verdicts do not add up' using errcode = 'CP001'; end if;
  return v_done;
end $$;
grant execute on function app.import_chunk(uuid, int, int, jsonb, jsonb, text, int) to cp_app;

-- Retention: a job and its report stay a month after it ended, one that never ended after it was asked for. At most p_rows:
-- a report may have megabytes. Answers how many went.
create index imports_expiry on imports (coalesce(finished_at, created_at));
grant select, delete on imports to cp_definer;
create function app.trim_imports(p_rows int) returns int language plpgsql volatile security definer set search_path = '' as $$
declare v_gone int;
begin
  delete from public.imports i using (
    select x.company_id, x.id from public.imports x where coalesce(x.finished_at, x.created_at) < clock_timestamp() - interval '30 days'
    order by coalesce(x.finished_at, x.created_at) limit p_rows) o
  where i.company_id = o.company_id and i.id = o.id;
  get diagnostics v_gone = row_count;
  return v_gone;
end $$;
grant execute on function app.trim_imports(int) to cp_jobs;
alter function app.trim_imports(int) owner to cp_definer;
