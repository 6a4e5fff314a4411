-- Who of those that listen to a company may still: the present role of a living session, the scopes of a living key.
create function app.living_listeners(p_sessions uuid[], p_keys uuid[]) returns table (id uuid, role text, scopes jsonb)
language sql stable security definer set search_path = '' as $$
  select s.id, u.role, null::jsonb from public.sessions s
    join public.users u on u.company_id = s.company_id and u.id = s.user_id
    where s.company_id = app.company() and s.id = any (p_sessions)
      and s.revoked_at is null and s.expires_at > clock_timestamp() and u.status = 'ACTIVE'
  union all
  select k.id, null, to_jsonb(k.scopes) from public.api_keys k
    where k.company_id = app.company() and k.id = any (p_keys)
      and k.revoked_at is null and (k.expires_at is null or k.expires_at > clock_timestamp())
$$;
grant execute on function app.living_listeners(uuid[], uuid[]) to cp_app;
alter function app.living_listeners(uuid[], uuid[]) owner to cp_definer;
