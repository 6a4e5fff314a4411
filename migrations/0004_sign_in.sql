-- What happens before a tenant is known. The role cp_auth owns no table right at all: it may only call these.
grant select, insert, update on users, credentials, sessions, refresh_tokens to cp_definer;
grant select, insert on companies to cp_definer;

-- Creates a company with its owner and first session: revision 1 is the company, 2 the user. Ids come from the caller.
create function app.sign_up(p_company jsonb, p_user jsonb, p_session jsonb, p_request text) returns void
language plpgsql volatile security definer set search_path = '' as $$
declare v_company uuid := (p_company ->> 'id')::uuid;
begin
  perform set_config('app.company_id', v_company::text, true), set_config('app.write_company', v_company::text, true),
          set_config('app.actor', 'USER:' || (p_user ->> 'id'), true), set_config('app.request_id', p_request, true),
          set_config('app.base_revision', '0', true);
  insert into public.companies (id, name, currency, time_zone)
    values (v_company, p_company ->> 'name', p_company ->> 'currency', p_company ->> 'timeZone');
  insert into public.users (company_id, id, name, email, role)
    values (v_company, (p_user ->> 'id')::uuid, p_user ->> 'name', p_user ->> 'email', 'OWNER');
  insert into public.credentials (company_id, user_id, password_hash)
    values (v_company, (p_user ->> 'id')::uuid, p_user ->> 'passwordHash');
  perform app.open_session(v_company, (p_user ->> 'id')::uuid, p_session);
end $$;

-- p_session {"id", "refreshHash" (hex), "expiresAt"}
create function app.open_session(p_company uuid, p_user uuid, p_session jsonb) returns void
language plpgsql volatile security definer set search_path = '' as $$
begin
  insert into public.sessions (company_id, id, user_id, expires_at)
    values (p_company, (p_session ->> 'id')::uuid, p_user, (p_session ->> 'expiresAt')::timestamptz);
  insert into public.refresh_tokens (company_id, session_id, hash)
    values (p_company, (p_session ->> 'id')::uuid, decode(p_session ->> 'refreshHash', 'hex'));
end $$;

create function app.find_credential(p_email text) returns table (company_id uuid, user_id uuid, role text, password_hash text)
language sql stable security definer set search_path = '' as $$
  select u.company_id, u.id, u.role, c.password_hash from public.users u
  join public.credentials c on c.company_id = u.company_id and c.user_id = u.id
  where lower(u.email) = lower(p_email) and u.status = 'ACTIVE'
$$;

-- The image of a user and the head they belong to, for the answer of a sign-in.
create function app.sign_in(p_company uuid, p_user uuid, p_session jsonb, p_rehash text)
returns table (revision bigint, company jsonb, "user" jsonb)
language plpgsql volatile security definer set search_path = '' set timezone = 'UTC' as $$
begin
  perform app.open_session(p_company, p_user, p_session);
  if p_rehash is not null then
    update public.credentials c set password_hash = p_rehash where c.company_id = p_company and c.user_id = p_user;
  end if;
  return query select h.revision, to_jsonb(c), to_jsonb(u) from public.company_heads h
    join public.companies c on c.id = h.company_id join public.users u on u.company_id = h.company_id
    where h.company_id = p_company and u.id = p_user;
end $$;

grant execute on function app.sign_up(jsonb,jsonb,jsonb,text), app.find_credential(text), app.sign_in(uuid,uuid,jsonb,text) to cp_auth;
do $$
declare f regprocedure;
begin
  foreach f in array array['app.sign_up(jsonb,jsonb,jsonb,text)', 'app.open_session(uuid,uuid,jsonb)',
    'app.find_credential(text)', 'app.sign_in(uuid,uuid,jsonb,text)']::regprocedure[] loop
    execute format('alter function %s owner to cp_definer', f);
  end loop;
end $$;

-- The present role of a living session, else null: for readers, inside a snapshot of their company.
create function app.session_role(p_session uuid, p_user uuid) returns text language sql stable security definer set search_path = '' as $$
  select u.role from public.sessions s join public.users u on u.company_id = s.company_id and u.id = s.user_id
  where s.company_id = app.company() and s.id = p_session and u.id = p_user
    and s.revoked_at is null and s.expires_at > clock_timestamp() and u.status = 'ACTIVE'
$$;
grant execute on function app.session_role(uuid, uuid) to cp_app;
alter function app.session_role(uuid, uuid) owner to cp_definer;
