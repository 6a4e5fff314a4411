-- Retention in small pieces, none of which can hold up the others (src/jobs/retention.ts).

-- Locking a row asks for the right to change it.
grant update (expires_at) on idempotency_keys, one_time_tokens to cp_definer;
set local role cp_definer;

-- Forgets the oldest changes of the next companies after p_after: at most p_rows in all, looking at no more than p_companies.
-- Times rise with the revisions of a company, so what goes is always the log's beginning and readers can tell where it starts.
-- Answers the last company looked at (null: there are no more), how many rows went, and whether that company has more. With
-- p_rows 0 it only says which company comes next.
create or replace function app.trim_changes(p_keep interval, p_after uuid, p_companies int, p_rows int, out last_company uuid, out trimmed int, out more boolean)
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
      select o.revision, o.changed_at from public.changes o where o.company_id = v_company order by o.revision limit p_rows - trimmed) oldest
    where c.company_id = v_company and c.revision = oldest.revision and oldest.changed_at < v_before;
    get diagnostics v_gone = row_count;
    trimmed := trimmed + v_gone;
    more := trimmed >= p_rows;
    exit when more;
  end loop;
end $$;

-- As in 0006 and 0008; what somebody holds at the moment is left for the next time, instead of holding up the rest.
create or replace function app.trim_expired(p_rows int) returns int language plpgsql volatile security definer set search_path = '' as $$
declare v_total int := 0; v_gone int;
begin
  delete from public.idempotency_keys k using (
    select x.company_id, x.actor, x.route, x.key from public.idempotency_keys x where x.expires_at < clock_timestamp()
    order by x.expires_at limit p_rows for update skip locked) o
  where k.company_id = o.company_id and k.actor = o.actor and k.route = o.route and k.key = o.key;
  get diagnostics v_gone = row_count;
  v_total := v_gone;
  delete from public.sessions s using (
    select x.company_id, x.id from public.sessions x where x.expires_at < clock_timestamp() - interval '1 day'
    order by x.expires_at limit p_rows for update skip locked) o
  where s.company_id = o.company_id and s.id = o.id;
  get diagnostics v_gone = row_count;
  v_total := v_total + v_gone;
  delete from public.one_time_tokens t using (
    select x.company_id, x.hash from public.one_time_tokens x where x.expires_at < clock_timestamp()
    order by x.expires_at limit p_rows for update skip locked) o
  where t.company_id = o.company_id and t.hash = o.hash;
  get diagnostics v_gone = row_count;
  return v_total + v_gone;
end $$;
