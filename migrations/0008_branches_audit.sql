-- Branches: walls, log and rules.
alter table branches add foreign key (company_id) references companies;
-- A patch merges the address part by part, so only the database sees whether the whole is one.
alter table branches add constraint branches_address check (address is null or address ?& array['line1', 'city', 'postalCode', 'country']);
insert into app.tenant_tables (table_name, entity, grants) values ('branches', 'branch', 'select, insert, update');

-- Retention: what the cron job may forget, and nothing else. Each call does a bounded piece, so that no transaction is long.
grant delete on changes to cp_definer;
grant select, delete on idempotency_keys, sessions, one_time_tokens to cp_definer;
create index sessions_expiry on sessions (expires_at);
create index one_time_tokens_expiry on one_time_tokens (expires_at);

-- Forgets the oldest changes of the next p_companies companies after p_after, at most p_rows of each. Times rise with the
-- revisions of a company, so what goes is always the log's beginning and readers can tell where it starts.
-- Answers the last company looked at (null: there are no more), how many rows went, and whether some company has more.
create function app.trim_changes(p_keep interval, p_after uuid, p_companies int, p_rows int, out last_company uuid, out trimmed int, out more boolean)
language plpgsql volatile security definer set search_path = '' as $$
declare
  v_before timestamptz := clock_timestamp() - p_keep;
  v_company uuid; v_gone int;
begin
  -- A mistake here cannot be undone: the contract promises ninety days.
  if p_keep < interval '90 days' then raise exception 'the log is kept for 90 days' using errcode = 'CP003'; end if;
  trimmed := 0;
  more := false;
  for v_company in select h.company_id from public.company_heads h where p_after is null or h.company_id > p_after order by h.company_id limit p_companies loop
    last_company := v_company;
    delete from public.changes c using (
      select o.revision, o.changed_at from public.changes o where o.company_id = v_company order by o.revision limit p_rows) oldest
    where c.company_id = v_company and c.revision = oldest.revision and oldest.changed_at < v_before;
    get diagnostics v_gone = row_count;
    trimmed := trimmed + v_gone;
    more := more or v_gone = p_rows;
  end loop;
end $$;

-- Forgets idempotency keys, sessions and one-time links that have ended, at most p_rows of each; answers how many went.
-- Sessions stay a day longer, so that a late refresh still reads as expired; their refresh tokens go with them.
create function app.trim_expired(p_rows int) returns int language plpgsql volatile security definer set search_path = '' as $$
declare v_total int := 0; v_gone int;
begin
  delete from public.idempotency_keys k using (
    select x.company_id, x.actor, x.route, x.key from public.idempotency_keys x where x.expires_at < clock_timestamp() order by x.expires_at limit p_rows) o
  where k.company_id = o.company_id and k.actor = o.actor and k.route = o.route and k.key = o.key;
  get diagnostics v_gone = row_count;
  v_total := v_gone;
  delete from public.sessions s using (
    select x.company_id, x.id from public.sessions x where x.expires_at < clock_timestamp() - interval '1 day' order by x.expires_at limit p_rows) o
  where s.company_id = o.company_id and s.id = o.id;
  get diagnostics v_gone = row_count;
  v_total := v_total + v_gone;
  delete from public.one_time_tokens t using (
    select x.company_id, x.hash from public.one_time_tokens x where x.expires_at < clock_timestamp() order by x.expires_at limit p_rows) o
  where t.company_id = o.company_id and t.hash = o.hash;
  get diagnostics v_gone = row_count;
  return v_total + v_gone;
end $$;

grant execute on function app.trim_changes(interval, uuid, int, int), app.trim_expired(int) to cp_jobs;
alter function app.trim_changes(interval, uuid, int, int) owner to cp_definer;
alter function app.trim_expired(int) owner to cp_definer;
