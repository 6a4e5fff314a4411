-- How the application reads and writes: one transaction, one round trip, opened by begin_* (docs/architecture.md).

-- Opens a read. Revision and rows come from one snapshot (R2), which READ COMMITTED does not give.
create function app.begin_read(p_company uuid) returns table (epoch uuid, revision bigint)
language plpgsql volatile set search_path = '' as $$
begin
  if current_setting('transaction_isolation') <> 'repeatable read' or current_setting('transaction_read_only') <> 'on' then
    raise exception 'begin_read needs REPEATABLE READ, READ ONLY' using errcode = 'CP001';
  end if;
  perform set_config('app.company_id', p_company::text, true), set_config('app.write_company', '', true);
  return query select h.epoch, h.revision from public.company_heads h where h.company_id = p_company;
  if not found then raise exception 'company not found' using errcode = 'CP404'; end if;
end $$;

-- Whether the caller may still write. {"user","session","roles"}: the session lives and the user's role is one of
-- `roles`. {"key"}: it is neither revoked nor over; its scopes never change, so the Worker has checked them. A
-- credential without a known kind is refused, so that no caller gets past by forgetting it.
create function app.check_credential(p_company uuid, p_credential jsonb) returns void
language plpgsql volatile security definer set search_path = '' as $$
declare v_role text;
begin
  if p_credential ? 'system' then return; end if;
  if p_credential ? 'session' then
    select u.role into v_role from public.sessions s join public.users u on u.company_id = s.company_id and u.id = s.user_id
    where s.company_id = p_company and s.id = (p_credential ->> 'session')::uuid and u.id = (p_credential ->> 'user')::uuid
      and s.revoked_at is null and s.expires_at > clock_timestamp() and u.status = 'ACTIVE';
    if not found then raise exception 'session ended' using errcode = 'CP401'; end if;
    if not coalesce((p_credential -> 'roles') ? v_role, false) then raise exception 'role may not' using errcode = 'CP403'; end if;
    return;
  end if;
  if p_credential ? 'key' then
    perform from public.api_keys k where k.company_id = p_company and k.id = (p_credential ->> 'key')::uuid
      and k.revoked_at is null and (k.expires_at is null or k.expires_at > clock_timestamp());
    if not found then raise exception 'key ended' using errcode = 'CP401'; end if;
    return;
  end if;
  raise exception 'unknown credential' using errcode = 'CP401';
end $$;

-- Opens a write: locks the head, so that one writer at a time per company makes commit order revision order (R1).
-- p_guard {"since": revision, "entities": {"staff": ["<uuid>", …] | null, …}}: raises CP409 when one of those was
-- touched after `since`, because the caller planned from older data.
create function app.begin_write(p_company uuid, p_actor text, p_request text, p_credential jsonb, p_guard jsonb default null)
returns table (epoch uuid, revision bigint) language plpgsql volatile security definer set search_path = '' as $$
begin
  -- A REPEATABLE READ snapshot would predate the lock and fail with 40001 instead of seeing the last commit.
  if current_setting('transaction_isolation') <> 'read committed' then
    raise exception 'begin_write needs READ COMMITTED' using errcode = 'CP001';
  end if;
  if coalesce(p_actor, '') = '' then raise exception 'actor missing' using errcode = 'CP001'; end if;
  select h.epoch, h.revision into epoch, revision from public.company_heads h where h.company_id = p_company for no key update;
  if not found then raise exception 'company not found' using errcode = 'CP404'; end if;
  perform app.check_credential(p_company, p_credential);
  -- A missing part would compare as null, which refuses nothing: the caller would believe that it is guarded.
  if p_guard is not null and ((p_guard ->> 'since') is null or jsonb_typeof(p_guard -> 'entities') is distinct from 'object') then
    raise exception 'guard incomplete' using errcode = 'CP001';
  end if;
  if p_guard is not null and exists (
    select from public.changes c join jsonb_each(p_guard -> 'entities') e on e.key = c.entity
    where c.company_id = p_company and c.revision > (p_guard ->> 'since')::bigint
      and (jsonb_typeof(e.value) <> 'array' or e.value ? c.entity_id::text)
  ) then
    raise exception 'planned from older data' using errcode = 'CP409';
  end if;
  perform set_config('app.company_id', p_company::text, true), set_config('app.write_company', p_company::text, true),
          set_config('app.actor', p_actor, true), set_config('app.request_id', coalesce(p_request, ''), true),
          set_config('app.base_revision', revision::text, true);
  return next;
end $$;

-- Last statement of a write: the head and every row this transaction logged, cascades and triggers included.
-- Always at least one row; its `revision` is null when nothing changed.
create function app.end_write() returns table (
  epoch uuid, head bigint, revision bigint, entity text, entity_id uuid, operation text, schema_version int,
  before jsonb, after jsonb, actor text, request_id text, changed_at timestamptz)
language sql stable security definer set search_path = '' as $$
  select h.epoch, h.revision, c.revision, c.entity, c.entity_id, c.operation, c.schema_version, c.before, c.after,
         c.actor, c.request_id, c.changed_at
  from public.company_heads h
  left join public.changes c on c.company_id = h.company_id and c.revision > current_setting('app.base_revision')::bigint
  where h.company_id = app.company() order by c.revision
$$;

-- Claims an Idempotency-Key inside the write. A repeat raises CP200 with the answer in `detail`, so nothing after it
-- runs: {"status", "revision", "entityId", "result", "image"}, where image is the logged state of that revision.
create function app.claim_key(p_route text, p_key text, p_fingerprint bytea) returns void
language plpgsql set search_path = '' as $$
declare
  k public.idempotency_keys;
  v_actor text := current_setting('app.actor');
  v_image jsonb;
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
  if k.fingerprint <> p_fingerprint then raise exception 'idempotency key reused' using errcode = 'CP422'; end if;
  select jsonb_build_object('schemaVersion', c.schema_version, 'entity', c.entity, 'row', coalesce(c.after, c.before)) into v_image
    from public.changes c where c.company_id = k.company_id and c.entity_id = k.entity_id and c.revision <= k.revision
    order by c.revision desc limit 1;
  raise exception 'idempotent replay' using errcode = 'CP200', detail = jsonb_build_object('status', k.status,
    'revision', k.revision, 'entityId', k.entity_id, 'result', k.result, 'image', v_image)::text;
end $$;

-- Stores the answer of a claimed key, by reference to the log. `p_result` holds what the log cannot say and nothing personal.
create function app.store_answer(p_route text, p_key text, p_status int, p_entity uuid, p_result jsonb) returns void
language plpgsql set search_path = '' as $$
begin
  update public.idempotency_keys set status = p_status, entity_id = p_entity, result = p_result,
    revision = (select h.revision from public.company_heads h where h.company_id = app.company())
    where company_id = app.company() and actor = current_setting('app.actor') and route = p_route and key = p_key and status is null;
  if not found then raise exception 'no claim' using errcode = 'CP002'; end if;
end $$;

-- The heads that moved since the last sweep, found by transaction number: unlike a time, it cannot miss a transaction
-- that stayed open for an hour. p_since null, or from a database that was restored since: all heads.
create function app.moved_heads(p_since bigint) returns table (company_id uuid, epoch uuid, revision bigint, next_since bigint)
language sql volatile set search_path = '' as $$
  with now_at as (select pg_snapshot_xmin(pg_current_snapshot())::text::bigint low, pg_snapshot_xmax(pg_current_snapshot())::text::bigint high)
  select h.company_id, h.epoch, h.revision, n.low from now_at n left join public.company_heads h
    -- Both ages count back from the same next transaction number, which transactions under way have moved on.
    on p_since is null or p_since > n.high or age(h.xmin) <= age((p_since & 4294967295)::text::xid)
$$;

-- Granted before the change of owner, which only the owner may grant.
grant execute on function app.begin_read(uuid), app.begin_write(uuid,text,text,jsonb,jsonb), app.end_write(),
  app.claim_key(text,text,bytea), app.store_answer(text,text,int,uuid,jsonb) to cp_app;
grant execute on function app.end_write() to cp_auth;
grant execute on function app.moved_heads(bigint) to cp_jobs;
grant select on sessions, users to cp_definer;
do $$
declare f regprocedure;
begin
  foreach f in array array['app.check_credential(uuid,jsonb)', 'app.begin_write(uuid,text,text,jsonb,jsonb)', 'app.end_write()']::regprocedure[] loop
    execute format('alter function %s owner to cp_definer', f);
  end loop;
end $$;

-- Ends a write with one of the API's error codes, so that nothing of it is stored, its Idempotency-Key neither.
-- p_detail {"detail", "pointer"?} is for the caller. Answers true when there is nothing to refuse.
create function app.refuse(p_refuse boolean, p_code text, p_detail jsonb default '{}') returns boolean language plpgsql set search_path = '' as $$
begin
  if p_refuse then raise exception '%', p_code using errcode = 'CP400', detail = p_detail::text; end if;
  return true;
end $$;

-- The row a write is about: absent → not_found, another version than expected → version_mismatch (RFC 9110, 13.1.1).
create function app.expect_version(p_version int, p_expected int) returns boolean language plpgsql set search_path = '' as $$
begin
  perform app.refuse(p_version is null, 'not_found'), app.refuse(p_version <> p_expected, 'version_mismatch');
  return true;
end $$;
grant execute on function app.refuse(boolean, text, jsonb), app.expect_version(int, int) to cp_app, cp_auth;
