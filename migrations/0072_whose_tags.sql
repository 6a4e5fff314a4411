-- As all that runs as cp_definer for the application: says itself whose rows it counts.
set local role cp_definer;
create or replace function app.count_tagged_clients(p_tag text, p_filters jsonb, p_most int) returns int
language plpgsql stable security definer set search_path = '' set jit = off as $$
declare v_total int;
begin
  execute format('select count(*) from (select 1 from app.tagged_client_rows(%L, null) where company_id = app.company() and %s limit %s) c',
    p_tag, app.client_filter(p_filters - 'tag'), coalesce(p_most::text, 'all')) into v_total;
  return v_total;
end $$;
set local role cp_owner;
