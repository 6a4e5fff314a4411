-- Access that cannot be climbed, guessed or outlived: addresses with one spelling, links and keys that end with what they
-- rest on, and refresh tokens that do not pile up.

-- An address as everybody compares it. The collation folds A to Z and nothing else: what `lower` does otherwise depends on
-- the database's locale, and a limit that counts one spelling as two is none.
create function app.fold_address(p_address text) returns text language sql immutable strict parallel safe
  as $$ select lower(p_address collate "C") $$;
grant execute on function app.fold_address(text) to cp_app, cp_auth, cp_definer, cp_jobs;
alter table users add constraint users_email_ascii check (octet_length(email) = char_length(email));
-- An archived user's address is free again.
drop index users_email;
CREATE UNIQUE INDEX "users_email" ON "users" USING btree (app.fold_address("email")) WHERE status <> 'ARCHIVED';

-- Who made a link; null for a recovery, which its own user asked for.
ALTER TABLE "one_time_tokens" ADD COLUMN "issued_by" text;
grant update on api_keys to cp_definer;
grant delete on refresh_tokens to cp_definer;

-- The highest role all of whose permissions these scopes cover, as permissions.ts has them; 0 for none. Never OWNER.
create function app.rank_of_scopes(p_scopes text[]) returns int language sql immutable parallel safe set search_path = '' as $$
  select coalesce(min(n.rank), 5) - 1 from (values
    (1, 'clients:read'), (1, 'catalog:read'), (1, 'appointments:read'), (1, 'events:read'),
    (2, 'clients:write'), (2, 'appointments:write'),
    (3, 'appointments:overlap'), (3, 'catalog:write'), (3, 'invoices:read'), (3, 'invoices:write'), (3, 'payments:read'),
    (3, 'payments:write'), (3, 'analytics:read'), (3, 'import'), (3, 'export'),
    (4, 'users:read'), (4, 'users:write'), (4, 'webhooks:read'), (4, 'webhooks:write'), (4, 'audit:read'), (4, 'erase'),
    (4, 'admin')) n (rank, scope)
  where not (n.scope = any (p_scopes) or regexp_replace(n.scope, ':read$', ':write') = any (p_scopes))
$$;

-- How high an actor stands now, whatever their token says: a living user by their role, a living key by its scopes.
create function app.rank_of(p_company uuid, p_actor text) returns int language sql stable set search_path = '' as $$
  select coalesce(case split_part(p_actor, ':', 1)
    when 'USER' then (select app.rank(u.role) from public.users u
      where u.company_id = p_company and u.id = split_part(p_actor, ':', 2)::uuid and u.status = 'ACTIVE')
    when 'API_KEY' then (select app.rank_of_scopes(k.scopes) from public.api_keys k
      where k.company_id = p_company and k.id = split_part(p_actor, ':', 2)::uuid
        and k.revoked_at is null and (k.expires_at is null or k.expires_at > clock_timestamp()))
    end, 0)
$$;
grant execute on function app.rank_of_scopes(text[]), app.rank_of(uuid, text) to cp_app, cp_definer;

create or replace function app.actor_rank() returns int language sql stable set search_path = '' as $$
  select app.rank_of(app.company(), current_setting('app.actor'))
$$;

create or replace function app.guard_user(p_user uuid, p_role text) returns boolean language plpgsql stable set search_path = '' as $$
declare
  v_rank int := app.actor_rank();
  v_key boolean := current_setting('app.actor') like 'API\_KEY:%';
begin
  perform app.refuse((select app.rank(u.role) > v_rank from public.users u where u.company_id = app.company() and u.id = p_user),
    'forbidden', jsonb_build_object('detail', case when v_key then 'The scopes of this key do not cover the role of this user.'
      else 'This user stands above you.' end));
  perform app.refuse(app.rank(p_role) > v_rank, 'forbidden', jsonb_build_object('detail', case when v_key
    then 'The scopes of this key do not cover this role.' else 'Nobody can grant a role above their own.' end));
  return true;
end $$;

drop trigger end_access on users;

-- What exists already belongs to cp_definer.
set local role cp_definer;
drop function app.link_lives(bytea), app.rotate_refresh(bytea, bytea);

-- Whoever is archived is signed out, and so are the keys they made, and those that were made with these; unless the write
-- says that the keys stay (app.keep_keys names the user). Links die with a change of what they were made for.
create or replace function app.end_access() returns trigger language plpgsql security definer set search_path = '' as $$
begin
  if new.status <> 'ACTIVE' then
    update public.sessions s set revoked_at = clock_timestamp()
      where s.company_id = new.company_id and s.user_id = new.id and s.revoked_at is null;
    if current_setting('app.keep_keys', true) is distinct from new.id::text then
      with recursive made as (
        select k.id from public.api_keys k where k.company_id = new.company_id and k.created_by = 'USER:' || new.id
        union select k.id from public.api_keys k join made m on k.created_by = 'API_KEY:' || m.id where k.company_id = new.company_id)
      update public.api_keys k set revoked_at = clock_timestamp() from made m
        where k.company_id = new.company_id and k.id = m.id and k.revoked_at is null;
    end if;
  end if;
  update public.one_time_tokens t set used_at = clock_timestamp()
    where t.company_id = new.company_id and t.user_id = new.id and t.used_at is null;
  return null;
end $$;

-- Whoever makes a trigger must be allowed to call its function.
grant execute on function app.end_access() to cp_owner;

-- A key sets nobody's password: it would sign in as them and be more than its scopes.
create or replace function app.first_password(p_user uuid, p_hash text) returns void language plpgsql security definer set search_path = '' as $$
begin
  perform app.require_write();
  perform app.refuse(current_setting('app.actor') like 'API\_KEY:%', 'forbidden', '{"detail": "An API key sets no passwords."}');
  perform app.guard_user(p_user, null);
  insert into public.credentials (company_id, user_id, password_hash) values (app.company(), p_user, p_hash);
end $$;

create or replace function app.invite(p_user uuid, p_hash bytea) returns timestamptz language plpgsql security definer set search_path = '' as $$
declare v_ends timestamptz := clock_timestamp() + interval '72 hours';
begin
  perform app.require_write();
  perform app.guard_user(p_user, null);
  perform app.refuse((select u.status <> 'ACTIVE' from public.users u where u.company_id = app.company() and u.id = p_user),
    'conflict', '{"detail": "The user is archived. Restore them first."}');
  update public.one_time_tokens t set used_at = clock_timestamp()
    where t.company_id = app.company() and t.user_id = p_user and t.purpose = 'INVITE' and t.used_at is null;
  insert into public.one_time_tokens (company_id, user_id, hash, purpose, expires_at, issued_by)
    values (app.company(), p_user, p_hash, 'INVITE', v_ends, current_setting('app.actor'));
  return v_ends;
end $$;

create or replace function app.find_credential(p_email text) returns table (company_id uuid, user_id uuid, role text, password_hash text)
language sql stable security definer set search_path = '' as $$
  select u.company_id, u.id, u.role, c.password_hash from public.users u
  join public.credentials c on c.company_id = u.company_id and c.user_id = u.id
  where app.fold_address(u.email) = app.fold_address(p_email) and u.status = 'ACTIVE'
$$;

create or replace function app.request_reset(p_email text, p_hash bytea) returns table (name text, email text, expires_at timestamptz)
language sql volatile security definer set search_path = '' as $$
  with u as (select company_id, id, name, email from public.users
    where app.fold_address(email) = app.fold_address(p_email) and status = 'ACTIVE'),
  t as (insert into public.one_time_tokens (company_id, user_id, hash, purpose, expires_at)
    select company_id, id, p_hash, 'RESET', clock_timestamp() + interval '1 hour' from u returning one_time_tokens.expires_at)
  select u.name, u.email, t.expires_at from u, t
$$;
set local role cp_owner;

create trigger end_access after update on users for each row
  when (old.status is distinct from new.status or old.role is distinct from new.role
    or app.fold_address(old.email) <> app.fold_address(new.email)) execute function app.end_access();

-- The company whose user a link lets in; null for a link that is used, over or unknown, or whose maker no longer stands
-- at least as high as its user.
create function app.company_of_link(p_hash bytea) returns uuid language sql stable security definer set search_path = '' as $$
  select t.company_id from public.one_time_tokens t join public.users u on u.company_id = t.company_id and u.id = t.user_id
  where t.hash = p_hash and t.used_at is null and t.expires_at > clock_timestamp() and u.status = 'ACTIVE'
    and (t.purpose = 'RESET' or app.rank_of(t.company_id, t.issued_by) >= app.rank(u.role))
$$;

-- As before (0006), and: at most p_most rotations of one session in a quarter of an hour (`limited`: nothing happens), and
-- of a session's used tokens the latest hundred stay. An older one is then unknown, which lets nobody in either.
create function app.rotate_refresh(p_hash bytea, p_next bytea, p_most int) returns table (
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
  select r.* into t from public.refresh_tokens r where r.company_id = s.company_id and r.hash = p_hash;
  if not found then return; end if;
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
  if (select count(*) from public.refresh_tokens r where r.company_id = s.company_id and r.session_id = s.id
    and r.used_at > v_now - interval '15 minutes') >= p_most
  then
    return query select 'limited', s.company_id, s.id, null::bigint, null::jsonb, null::jsonb;
    return;
  end if;
  update public.refresh_tokens r set used_at = v_now where r.company_id = s.company_id and r.hash = p_hash;
  delete from public.refresh_tokens r using (
    select o.hash from public.refresh_tokens o where o.company_id = s.company_id and o.session_id = s.id
      and o.used_at is not null order by o.used_at desc offset 100) old
    where r.company_id = s.company_id and r.hash = old.hash;
  insert into public.refresh_tokens (company_id, session_id, hash) values (s.company_id, s.id, p_next);
  return query select 'rotated', s.company_id, s.id, h.revision, to_jsonb(c), to_jsonb(u) from public.company_heads h
    join public.companies c on c.id = h.company_id join public.users u on u.company_id = h.company_id
    where h.company_id = s.company_id and u.id = s.user_id;
end $$;
grant execute on function app.company_of_link(bytea), app.rotate_refresh(bytea, bytea, int) to cp_auth, cp_definer;
alter function app.company_of_link(bytea) owner to cp_definer;
alter function app.rotate_refresh(bytea, bytea, int) owner to cp_definer;

set local role cp_definer;
create or replace function app.use_link(p_hash bytea, p_password text) returns table (company_id uuid, "user" jsonb, ended jsonb)
language plpgsql volatile security definer set search_path = '' as $$
#variable_conflict use_column
declare t public.one_time_tokens;
begin
  select o.* into t from public.one_time_tokens o where o.hash = p_hash for update;
  if not found or app.company_of_link(p_hash) is null then return; end if;
  return query select t.company_id, p."user", p.ended from app.put_password(t.company_id, t.user_id, p_password, null) p;
end $$;
set local role cp_owner;
