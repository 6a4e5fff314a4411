-- What became of a write: replays that stay true, and import jobs that are never left behind.

-- The tables whose rows are logged. Nothing of a company, and still only for whoever has said theirs.
create function app.logged_tables() returns table (table_name regclass, entity text, schema_version int, hidden text[], company_column text)
language sql stable security definer set search_path = '' as $$
  select t.table_name, t.entity, t.schema_version, t.hidden, t.company_column from app.tenant_tables t where t.entity is not null and app.company() is not null
$$;

-- An object as it was at a revision, for a replay. The log says it, unless that part was trimmed: then what the next change
-- of it found is what was there, and without one what is there now. Where revisions in between are gone too, nobody
-- knows: then it is the object of today, and `revision` says so.
create function app.image_at(p_entity uuid, p_revision bigint, out image jsonb, out revision bigint)
language plpgsql stable set search_path = '' as $$
declare
  v_company constant uuid := app.company();
  v_head bigint;
  t record;
begin
  revision := p_revision;
  select jsonb_build_object('schemaVersion', c.schema_version, 'entity', c.entity, 'row', coalesce(c.after, c.before)) into image
    from public.changes c where c.company_id = v_company and c.entity_id = p_entity and c.revision <= p_revision
    order by c.revision desc limit 1;
  if image is not null or p_entity is null then return; end if;
  select h.revision into v_head from public.company_heads h where h.company_id = v_company;
  if p_revision = v_head or exists (select from public.changes c where c.company_id = v_company and c.revision = p_revision + 1) then
    select jsonb_build_object('schemaVersion', c.schema_version, 'entity', c.entity, 'row', c.before) into image
      from public.changes c where c.company_id = v_company and c.entity_id = p_entity and c.revision > p_revision and c.before is not null
      order by c.revision limit 1;
    if image is not null then return; end if;
  else
    revision := v_head;
  end if;
  for t in select x.* from app.logged_tables() x loop
    execute format('select jsonb_build_object(''schemaVersion'', $1, ''entity'', $2, ''row'', to_jsonb(r) - $3) from %s r
      where r.%I = $4 and r.id = $5', t.table_name, t.company_column)
      into image using t.schema_version, t.entity, t.hidden, v_company, p_entity;
    exit when image is not null;
  end loop;
end $$;

-- As in 0003, but for three things. The answer of a replay travels as the error's `column`: Postgres writes a `detail` to
-- its log, and the answer holds a row. The image is that of app.image_at. The first four bytes of a fingerprint name the
-- secret it was made with: one of another secret cannot be compared, so it counts as the same request.
create or replace function app.claim_key(p_route text, p_key text, p_fingerprint bytea) returns void
language plpgsql set search_path = '' as $$
declare
  k public.idempotency_keys;
  v_actor text := current_setting('app.actor');
  v_answer jsonb;
begin
  insert into public.idempotency_keys (company_id, actor, route, key, fingerprint)
    values (app.company(), v_actor, p_route, p_key, p_fingerprint) on conflict do nothing;
  if found then return; end if;
  select * into strict k from public.idempotency_keys
    where company_id = app.company() and actor = v_actor and route = p_route and key = p_key;
  if k.expires_at <= clock_timestamp() then
    update public.idempotency_keys set fingerprint = p_fingerprint, status = null, revision = null, entity_id = null,
      result = null, expires_at = default
      where company_id = k.company_id and actor = v_actor and route = p_route and key = p_key;
    return;
  end if;
  if substr(k.fingerprint, 1, 4) = substr(p_fingerprint, 1, 4) and k.fingerprint <> p_fingerprint then
    raise exception 'idempotency key reused' using errcode = 'CP422';
  end if;
  select jsonb_build_object('status', k.status, 'revision', i.revision, 'entityId', k.entity_id, 'result', k.result, 'image', i.image)
    into v_answer from app.image_at(k.entity_id, k.revision) i;
  raise exception 'idempotent replay' using errcode = 'CP200', column = v_answer::text;
end $$;

-- Import jobs that wait or run, for the cron run that looks whether anybody still works on them. At random, so that a few
-- which take long never hide the others.
create index imports_waiting on imports (created_at) where finished_at is null;
create function app.waiting_imports(p_age interval, p_most int) returns table (company_id uuid, id uuid)
language sql volatile security definer set search_path = '' as $$
  select i.company_id, i.id from public.imports i
  where i.finished_at is null and i.created_at < clock_timestamp() - p_age order by random() limit p_most
$$;
grant select on app.tenant_tables to cp_definer;
grant execute on function app.image_at(uuid, bigint), app.logged_tables() to cp_app;
grant execute on function app.waiting_imports(interval, int) to cp_jobs;
alter function app.logged_tables() owner to cp_definer;
alter function app.waiting_imports(interval, int) owner to cp_definer;
