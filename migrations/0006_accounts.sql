-- Keys, one-time links, the rotation of refresh tokens, and the rules about users that no code path may forget.
alter table api_keys add foreign key (company_id) references companies;
alter table one_time_tokens add constraint one_time_tokens_purpose check (purpose in ('INVITE', 'RESET'));
insert into app.tenant_tables (table_name, entity, hidden, company_column, grants) values
  ('api_keys', 'api-key', '{}', 'company_id', 'select, insert, update'),
  ('api_key_secrets', null, '{}', 'company_id', null),
  ('one_time_tokens', null, '{}', 'company_id', null);
grant select on api_keys to cp_definer;
grant select, insert, update on api_key_secrets, one_time_tokens to cp_definer;

-- The place of a role in the order, 1 to 5; null for no role.
create function app.rank(p_role text) returns int language sql immutable parallel safe
  as $$ select array_position(array['READONLY', 'STAFF', 'MANAGER', 'ADMIN', 'OWNER'], p_role) $$;

-- How high the writer stands now, whatever their token says. A key is not a person: with `admin` it stands as an
-- ADMIN, otherwise as a MANAGER, so that `users:write` alone never becomes everything.
create function app.actor_rank() returns int language sql stable set search_path = '' as $$
  select coalesce(case split_part(current_setting('app.actor'), ':', 1)
    when 'USER' then (select app.rank(u.role) from public.users u where u.company_id = app.company()
      and u.id = split_part(current_setting('app.actor'), ':', 2)::uuid and u.status = 'ACTIVE')
    when 'API_KEY' then (select app.rank(case when 'admin' = any (k.scopes) then 'ADMIN' else 'MANAGER' end)
      from public.api_keys k where k.company_id = app.company() and k.id = split_part(current_setting('app.actor'), ':', 2)::uuid)
    end, 0)
$$;

-- Nobody changes who stands above them, nor grants a role above their own. p_role null: the role stays.
create function app.guard_user(p_user uuid, p_role text) returns boolean language plpgsql stable set search_path = '' as $$
declare v_rank int := app.actor_rank();
begin
  perform app.refuse((select app.rank(u.role) > v_rank from public.users u where u.company_id = app.company() and u.id = p_user),
    'forbidden', '{"detail": "This user stands above you."}');
  perform app.refuse(app.rank(p_role) > v_rank, 'forbidden', '{"detail": "Nobody can grant a role above their own."}');
  return true;
end $$;

-- An owner went: another must be left. The head is locked first, as in every write, so that of two consoles that
-- demote each other's owner the second sees what the first did.
create function app.keep_owner() returns trigger language plpgsql security definer set search_path = '' as $$
begin
  perform from public.company_heads h where h.company_id = new.company_id for no key update;
  if not exists (select from public.users u where u.company_id = new.company_id and u.role = 'OWNER' and u.status = 'ACTIVE') then
    raise exception 'last_owner' using errcode = 'CP400', detail = '{"detail": "A company keeps at least one active owner."}';
  end if;
  return null;
end $$;

-- Whoever is archived is signed out; links die with the user's activity or with the address they were sent to.
create function app.end_access() returns trigger language plpgsql security definer set search_path = '' as $$
begin
  if new.status <> 'ACTIVE' then
    update public.sessions s set revoked_at = clock_timestamp()
      where s.company_id = new.company_id and s.user_id = new.id and s.revoked_at is null;
  end if;
  update public.one_time_tokens t set used_at = clock_timestamp()
    where t.company_id = new.company_id and t.user_id = new.id and t.used_at is null;
  return null;
end $$;
create trigger keep_owner after update on users for each row
  when (old.role = 'OWNER' and old.status = 'ACTIVE' and (new.role <> 'OWNER' or new.status <> 'ACTIVE'))
  execute function app.keep_owner();
create trigger end_access after update on users for each row
  when (old.status is distinct from new.status or lower(old.email) <> lower(new.email)) execute function app.end_access();

-- What a write of the application may do with secrets: put the first one there, in its own company, never read or replace one.
create function app.first_password(p_user uuid, p_hash text) returns void language plpgsql security definer set search_path = '' as $$
begin
  perform app.require_write();
  insert into public.credentials (company_id, user_id, password_hash) values (app.company(), p_user, p_hash);
end $$;
create function app.keep_key_hash(p_key uuid, p_hash bytea) returns void language plpgsql security definer set search_path = '' as $$
begin
  perform app.require_write();
  insert into public.api_key_secrets (company_id, key_id, hash) values (app.company(), p_key, p_hash);
end $$;
create function app.require_write() returns void language plpgsql set search_path = '' as $$
begin
  if current_setting('app.write_company', true) is distinct from app.company()::text then
    raise exception 'write without begin_write' using errcode = 'CP002';
  end if;
end $$;

-- Makes the one invitation that is valid for a user; answers when it ends.
create function app.invite(p_user uuid, p_hash bytea) returns timestamptz language plpgsql security definer set search_path = '' as $$
declare v_ends timestamptz := clock_timestamp() + interval '72 hours';
begin
  perform app.require_write();
  perform app.refuse((select u.status <> 'ACTIVE' from public.users u where u.company_id = app.company() and u.id = p_user),
    'conflict', '{"detail": "The user is archived. Restore them first."}');
  update public.one_time_tokens t set used_at = clock_timestamp()
    where t.company_id = app.company() and t.user_id = p_user and t.purpose = 'INVITE' and t.used_at is null;
  insert into public.one_time_tokens (company_id, user_id, hash, purpose, expires_at) values (app.company(), p_user, p_hash, 'INVITE', v_ends);
  return v_ends;
end $$;

-- A living key of this company by the SHA-256 of its text, for readers and for whoever must be proven first. It raises,
-- so that as first statement of a snapshot nothing runs for a key that is not one. Hashed once more: how long a
-- comparison of hashes takes would otherwise tell how many of their bytes agree.
create function app.living_key(p_key uuid, p_hash bytea) returns table (scopes jsonb, expires_at timestamptz)
language plpgsql stable security definer set search_path = '' as $$
declare k record;
begin
  select a.scopes, a.expires_at, a.revoked_at into k from public.api_keys a
    join public.api_key_secrets s on s.company_id = a.company_id and s.key_id = a.id
    where a.company_id = app.company() and a.id = p_key and sha256(s.hash) = sha256(p_hash);
  if not found then raise exception 'unknown key' using errcode = 'CP404'; end if;
  if k.revoked_at is not null or k.expires_at <= clock_timestamp() then raise exception 'key ended' using errcode = 'CP401'; end if;
  return query select to_jsonb(k.scopes), k.expires_at;
end $$;

-- When a key was last used, to the minute.
create function app.stamp_key(p_company uuid, p_key uuid) returns void language sql volatile security definer set search_path = '' as $$
  update public.api_key_secrets set last_used_at = clock_timestamp() where company_id = p_company and key_id = p_key
    and (last_used_at is null or last_used_at < clock_timestamp() - interval '1 minute')
$$;

-- Exchanges a refresh token for its successor. Answers what became of it; a row only for a token that is known.
-- `rotated`, with what a sign-in answers. `repeated`: the previous token within ten seconds, as a client sends it that
-- lost the answer; nothing happens. `reused`: an older one, which somebody has copied; the session ends. `ended`.
-- Never raises for these: what it has done must stay.
create function app.rotate_refresh(p_hash bytea, p_next bytea) returns table (
  outcome text, company_id uuid, session_id uuid, revision bigint, company jsonb, "user" jsonb)
language plpgsql volatile security definer set search_path = '' set timezone = 'UTC' as $$
#variable_conflict use_column
declare
  t public.refresh_tokens;
  s public.sessions;
  v_used_last boolean;
  v_now timestamptz(3);
begin
  select r.* into t from public.refresh_tokens r where r.hash = p_hash;
  if not found then return; end if;
  -- One at a time per family; what follows is read after the lock, so it sees the rotation that came before.
  select x.* into strict s from public.sessions x where x.company_id = t.company_id and x.id = t.session_id for update;
  select r.* into strict t from public.refresh_tokens r where r.company_id = s.company_id and r.hash = p_hash;
  v_now := clock_timestamp();
  if s.revoked_at is not null or s.expires_at <= v_now or not exists (
    select from public.users u where u.company_id = s.company_id and u.id = s.user_id and u.status = 'ACTIVE')
  then
    return query select 'ended', s.company_id, s.id, null::bigint, null::jsonb, null::jsonb;
    return;
  end if;
  if t.used_at is not null then
    v_used_last := not exists (select from public.refresh_tokens r
      where r.company_id = s.company_id and r.session_id = s.id and r.used_at > t.used_at);
    if v_used_last and t.used_at > v_now - interval '10 seconds' then
      return query select 'repeated', s.company_id, s.id, null::bigint, null::jsonb, null::jsonb;
      return;
    end if;
    update public.sessions x set revoked_at = v_now where x.company_id = s.company_id and x.id = s.id;
    return query select 'reused', s.company_id, s.id, null::bigint, null::jsonb, null::jsonb;
    return;
  end if;
  update public.refresh_tokens r set used_at = v_now where r.company_id = s.company_id and r.hash = p_hash;
  insert into public.refresh_tokens (company_id, session_id, hash) values (s.company_id, s.id, p_next);
  return query select 'rotated', s.company_id, s.id, h.revision, to_jsonb(c), to_jsonb(u) from public.company_heads h
    join public.companies c on c.id = h.company_id join public.users u on u.company_id = h.company_id
    where h.company_id = s.company_id and u.id = s.user_id;
end $$;

-- Ends a session; that it has ended already is as good.
create function app.end_session(p_company uuid, p_session uuid) returns void language sql volatile security definer set search_path = '' as $$
  update public.sessions set revoked_at = clock_timestamp() where company_id = p_company and id = p_session and revoked_at is null
$$;

-- The password hash of whoever is signed in with a living session; no row otherwise.
create function app.own_password(p_company uuid, p_session uuid, p_user uuid) returns table (password_hash text)
language sql stable security definer set search_path = '' as $$
  select c.password_hash from public.sessions s join public.users u on u.company_id = s.company_id and u.id = s.user_id
  join public.credentials c on c.company_id = u.company_id and c.user_id = u.id
  where s.company_id = p_company and s.id = p_session and u.id = p_user
    and s.revoked_at is null and s.expires_at > clock_timestamp() and u.status = 'ACTIVE'
$$;

-- Sets a user's password and ends whatever the old one may have opened: open links, and all sessions but p_keep.
-- Answers the user and the sessions that ended.
create function app.put_password(p_company uuid, p_user uuid, p_hash text, p_keep uuid) returns table ("user" jsonb, ended jsonb)
language plpgsql volatile security definer set search_path = '' set timezone = 'UTC' as $$
#variable_conflict use_column
declare v_ended jsonb;
begin
  insert into public.credentials as c (company_id, user_id, password_hash) values (p_company, p_user, p_hash)
    on conflict (user_id) do update set password_hash = p_hash, changed_at = clock_timestamp();
  update public.one_time_tokens t set used_at = clock_timestamp()
    where t.company_id = p_company and t.user_id = p_user and t.used_at is null;
  with ended as (update public.sessions s set revoked_at = clock_timestamp()
    where s.company_id = p_company and s.user_id = p_user and s.id is distinct from p_keep and s.revoked_at is null returning s.id)
  select coalesce(jsonb_agg(e.id), '[]') into v_ended from ended e;
  return query select to_jsonb(u), v_ended from public.users u where u.company_id = p_company and u.id = p_user;
end $$;

-- Replaces the password that was just verified. No row when it, or the session, is no longer what it was.
create function app.change_password(p_company uuid, p_session uuid, p_user uuid, p_old text, p_new text)
returns table ("user" jsonb, ended jsonb) language plpgsql volatile security definer set search_path = '' as $$
begin
  perform from public.credentials c where c.company_id = p_company and c.user_id = p_user for update;
  if (select o.password_hash from app.own_password(p_company, p_session, p_user) o) is distinct from p_old then return; end if;
  return query select * from app.put_password(p_company, p_user, p_new, p_session);
end $$;

-- Keeps a recovery link for whoever has this address; no row when nobody does.
create function app.request_reset(p_email text, p_hash bytea) returns table (name text, email text, expires_at timestamptz)
language sql volatile security definer set search_path = '' as $$
  with u as (select company_id, id, name, email from public.users where lower(email) = lower(p_email) and status = 'ACTIVE'),
  t as (insert into public.one_time_tokens (company_id, user_id, hash, purpose, expires_at)
    select company_id, id, p_hash, 'RESET', clock_timestamp() + interval '1 hour' from u returning one_time_tokens.expires_at)
  select u.name, u.email, t.expires_at from u, t
$$;

create function app.link_lives(p_hash bytea) returns boolean language sql stable security definer set search_path = '' as $$
  select exists (select from public.one_time_tokens t join public.users u on u.company_id = t.company_id and u.id = t.user_id
    where t.hash = p_hash and t.used_at is null and t.expires_at > clock_timestamp() and u.status = 'ACTIVE')
$$;

-- Spends a link on a password; ends all sessions. No row when the link is used, over or unknown.
create function app.use_link(p_hash bytea, p_password text) returns table (company_id uuid, "user" jsonb, ended jsonb)
language plpgsql volatile security definer set search_path = '' as $$
#variable_conflict use_column
declare t public.one_time_tokens;
begin
  select o.* into t from public.one_time_tokens o where o.hash = p_hash for update;
  if not found or not app.link_lives(p_hash) then return; end if;
  return query select t.company_id, p."user", p.ended from app.put_password(t.company_id, t.user_id, p_password, null) p;
end $$;

grant execute on function app.rank(text), app.actor_rank(), app.guard_user(uuid, text), app.require_write() to cp_app, cp_definer;
grant execute on function app.first_password(uuid, text), app.keep_key_hash(uuid, bytea), app.invite(uuid, bytea),
  app.living_key(uuid, bytea) to cp_app;
grant execute on function app.refuse(boolean, text, jsonb) to cp_definer;
grant execute on function app.stamp_key(uuid, uuid), app.rotate_refresh(bytea, bytea), app.end_session(uuid, uuid),
  app.own_password(uuid, uuid, uuid), app.change_password(uuid, uuid, uuid, text, text), app.request_reset(text, bytea),
  app.link_lives(bytea), app.use_link(bytea, text) to cp_auth;
do $$
declare f regprocedure;
begin
  foreach f in array array['app.keep_owner()', 'app.end_access()', 'app.first_password(uuid,text)', 'app.keep_key_hash(uuid,bytea)',
    'app.invite(uuid,bytea)', 'app.living_key(uuid,bytea)', 'app.stamp_key(uuid,uuid)', 'app.rotate_refresh(bytea,bytea)',
    'app.end_session(uuid,uuid)', 'app.own_password(uuid,uuid,uuid)', 'app.put_password(uuid,uuid,text,uuid)',
    'app.change_password(uuid,uuid,uuid,text,text)', 'app.request_reset(text,bytea)', 'app.link_lives(bytea)',
    'app.use_link(bytea,text)']::regprocedure[] loop
    execute format('alter function %s owner to cp_definer', f);
  end loop;
end $$;
