-- Whoever signs out may hand back a refresh token too: where that is of another session of theirs, both end.

-- Ends a session and, if it is of the same user, the one that a refresh token belongs to. Answers which of them are there.
create function app.end_sessions(p_company uuid, p_session uuid, p_user uuid, p_hash bytea) returns setof uuid
language sql volatile security definer set search_path = '' as $$
  with own as (
    select s.id from public.sessions s where s.company_id = p_company and s.user_id = p_user and (s.id = p_session
      or s.id = (select r.session_id from public.refresh_tokens r where r.company_id = p_company and r.hash = p_hash))
    order by s.id for update)
  update public.sessions s set revoked_at = coalesce(s.revoked_at, clock_timestamp())
    from own where s.company_id = p_company and s.id = own.id returning s.id
$$;
grant execute on function app.end_sessions(uuid, uuid, uuid, bytea) to cp_auth;
alter function app.end_sessions(uuid, uuid, uuid, bytea) owner to cp_definer;
