-- The index of a sort also holds what the other sorts and the filters of its list ask for, so that a filter the sort knows nothing
-- of, a second sort key and a count are decided in the index, without a look at the rows (src/data/narrow.ts). The longest names
-- there can be fit into an entry: 2,401 bytes of three names, where an entry may have 2,704.
drop index clients_created;
drop index clients_updated;
drop index clients_name;
drop index clients_first_name;
drop index clients_full_name;
drop index branches_created;
drop index branches_updated;
drop index branches_name;
drop index users_created;
drop index users_updated;
drop index users_name;
drop index users_address;
drop index api_keys_created;
drop index api_keys_updated;
drop index api_keys_name;
drop index api_keys_revoked_created;
drop index api_keys_revoked_updated;
drop index api_keys_revoked_name;
drop index imports_created;
drop index imports_finished;
create index clients_created on clients (company_id, status, created_at, id) include (updated_at, last_name, first_name, name);
create index clients_updated on clients (company_id, status, updated_at, id) include (created_at, last_name, first_name, name);
create index clients_name on clients (company_id, status, last_name, id) include (first_name, name, created_at, updated_at);
create index clients_first_name on clients (company_id, status, first_name, id) include (last_name, name, created_at, updated_at);
create index clients_full_name on clients (company_id, status, name, id) include (last_name, first_name, created_at, updated_at);
create index branches_created on branches (company_id, is_active, created_at, id) include (updated_at, name);
create index branches_updated on branches (company_id, is_active, updated_at, id) include (created_at, name);
create index branches_name on branches (company_id, is_active, name, id) include (created_at, updated_at);
create index users_created on users (company_id, status, created_at, id) include (updated_at, name, email, role);
create index users_updated on users (company_id, status, updated_at, id) include (created_at, name, email, role);
create index users_name on users (company_id, status, name, id) include (email, role, created_at, updated_at);
create index users_address on users (company_id, status, email, id) include (name, role, created_at, updated_at);
create index api_keys_created on api_keys (company_id, created_at, id) include (updated_at, name) where revoked_at is null;
create index api_keys_updated on api_keys (company_id, updated_at, id) include (created_at, name) where revoked_at is null;
create index api_keys_name on api_keys (company_id, name, id) include (created_at, updated_at) where revoked_at is null;
create index api_keys_revoked_created on api_keys (company_id, created_at, id) include (updated_at, name) where revoked_at is not null;
create index api_keys_revoked_updated on api_keys (company_id, updated_at, id) include (created_at, name) where revoked_at is not null;
create index api_keys_revoked_name on api_keys (company_id, name, id) include (created_at, updated_at) where revoked_at is not null;
create index imports_created on imports (company_id, status, created_at, id) include (finished_at, resource, dry_run);
create index imports_finished on imports (company_id, status, finished_at, id) include (created_at, resource, dry_run);

-- Up to p_most of the company's clients that have a tag, as rows: who sorts them need not look each up again. As cp_definer, as
-- app.tagged_clients (0014), which the code of before goes on calling.
create function app.tagged_client_rows(p_tag text, p_most int) returns setof public.clients
language plpgsql stable security definer rows 500 set search_path = '' set jit = off
set enable_seqscan = off set enable_indexscan = off set enable_indexonlyscan = off as $$
begin
  return query execute format('select * from public.clients where app.tag_keys(company_id, tags) @> array[%L] limit %s', app.company() || p_tag, p_most);
end $$;
grant execute on function app.tagged_client_rows(text, int) to cp_app;
alter function app.tagged_client_rows(text, int) owner to cp_definer;
