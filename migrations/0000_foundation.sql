-- What tables need before they exist. Everything of ours that is not a table lives in the schema `app`.
create schema if not exists app;
-- Functions are callable by whoever is granted them, not by everyone, whatever a later migration forgets.
alter default privileges revoke execute on functions from public;
grant usage, create on schema app to cp_definer;
grant usage on schema app to cp_app, cp_auth, cp_jobs;
grant usage on schema public to cp_definer, cp_app, cp_auth, cp_jobs;

-- Folds case and accents for search. unaccent() is only STABLE, because its dictionary could change; ours does not.
create function app.fold(text) returns text language sql immutable parallel safe strict
  as $$ select lower(public.unaccent('public.unaccent'::regdictionary, normalize($1, NFKC))) $$;
-- Generated columns run with the rights of whoever writes the row.
grant execute on function app.fold(text) to cp_app, cp_auth, cp_definer, cp_jobs;
