-- Run once per database by its administrator, before the first migration; safe to run again.
-- Passwords are set afterwards (alter role … password …): none is written here.
do $$
declare r text;
begin
  foreach r in array array['cp_owner', 'cp_definer'] loop
    if not exists (select from pg_roles where rolname = r) then execute format('create role %I nologin', r); end if;
  end loop;
  foreach r in array array['cp_app', 'cp_auth', 'cp_jobs'] loop
    if not exists (select from pg_roles where rolname = r) then
      execute format('create role %I login nosuperuser nobypassrls', r);
    end if;
  end loop;
  -- Since PostgreSQL 16 the creator of a role only administers it; acting as it needs SET.
  execute format('grant cp_owner, cp_definer to %I with set true, inherit false', current_user);
  grant cp_definer to cp_owner with set true, inherit false;
  execute format('grant create, connect on database %I to cp_owner', current_database());
  execute format('revoke all on database %I from public', current_database());
  execute format('grant connect on database %I to cp_app, cp_auth, cp_jobs', current_database());
  -- Pooled connections keep no session settings, so they hang on the roles.
  foreach r in array array['cp_app', 'cp_auth', 'cp_jobs'] loop
    execute format('alter role %I set timezone = %L', r, 'UTC');
    execute format('alter role %I set statement_timeout = %L', r, '10s');
    execute format('alter role %I set lock_timeout = %L', r, '5s');
    execute format('alter role %I set idle_in_transaction_session_timeout = %L', r, '5s');
    -- A DETAIL may hold values, which have no place in Postgres' log. Row-level security keeps those of violated constraints
    -- out of it; this is for whatever else there may be. Only a superuser may set it, which hosted services do not give.
    begin
      execute format('alter role %I set log_error_verbosity = %L', r, 'terse');
    exception when insufficient_privilege then null;
    end;
  end loop;
end $$;
grant all on schema public to cp_owner;
revoke create on schema public from public;
create extension if not exists btree_gist;
create extension if not exists btree_gin;
create extension if not exists pg_trgm;
create extension if not exists unaccent;
