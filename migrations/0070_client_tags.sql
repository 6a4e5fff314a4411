CREATE TABLE "client_tags" (
	"company_id" uuid NOT NULL,
	"client_id" uuid NOT NULL,
	"tag" text NOT NULL,
	"status" text NOT NULL,
	"first_name" text,
	"last_name" text,
	"other_name" text,
	"created_at" timestamp(3) with time zone NOT NULL,
	"updated_at" timestamp(3) with time zone NOT NULL,
	CONSTRAINT "client_tags_company_id_client_id_tag_pk" PRIMARY KEY("company_id","client_id","tag")
);
--> statement-breakpoint
ALTER TABLE "client_tags" ADD CONSTRAINT "client_tags_client" FOREIGN KEY ("company_id","client_id") REFERENCES "public"."clients"("company_id","id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
insert into app.tenant_tables (table_name, entity, grants) values ('client_tags', null, 'select');
grant select, insert, update, delete on client_tags to cp_definer;

-- Where a client's name is not made of the first and the last one. Three whole names would not fit into an entry of an index.
create function app.other_name(p_name text, p_first text, p_last text) returns text language sql immutable parallel safe as $$
  select case when p_name is distinct from nullif(trim(coalesce(p_first, '') || ' ' || coalesce(p_last, '')), '') then p_name end
$$;
grant execute on function app.other_name(text, text, text) to cp_definer;

insert into client_tags (company_id, client_id, tag, status, first_name, last_name, other_name, created_at, updated_at)
  select c.company_id, c.id, u.tag, c.status, c.first_name, c.last_name, app.other_name(c.name, c.first_name, c.last_name), c.created_at, c.updated_at
  from clients c, lateral (select distinct tag from unnest(c.tags) tag) u;
-- With all that lists of clients sort and filter by: a page of any order, and a count, look at no row of it (src/data/narrow.ts).
create index client_tags_created on client_tags (company_id, tag, status, created_at, client_id) include (updated_at, first_name, last_name, other_name);

-- Runs after the log's triggers of the same statement, by its name, and so behind the head's lock.
create function app.keep_client_tags() returns trigger language plpgsql security definer set search_path = '' as $$
begin
  if tg_op = 'UPDATE' then
    delete from public.client_tags t using old_rows o join new_rows n on n.id = o.id
      where o.tags <> n.tags and t.company_id = o.company_id and t.client_id = o.id and t.tag <> all (n.tags);
  end if;
  insert into public.client_tags as t (company_id, client_id, tag, status, first_name, last_name, other_name, created_at, updated_at)
    select n.company_id, n.id, u.tag, n.status, n.first_name, n.last_name, app.other_name(n.name, n.first_name, n.last_name), n.created_at, n.updated_at
    from new_rows n, lateral (select distinct tag from unnest(n.tags) tag) u
    on conflict (company_id, client_id, tag) do update set status = excluded.status, first_name = excluded.first_name,
      last_name = excluded.last_name, other_name = excluded.other_name, created_at = excluded.created_at, updated_at = excluded.updated_at;
  return null;
end $$;
alter function app.keep_client_tags() owner to cp_definer;
set local role cp_definer;
grant execute on function app.keep_client_tags() to cp_owner;
set local role cp_owner;
create trigger tags_insert after insert on clients referencing new table as new_rows
  for each statement execute function app.keep_client_tags();
create trigger tags_update after update on clients referencing old table as old_rows new table as new_rows
  for each statement execute function app.keep_client_tags();

-- The index of tags is not asked any more, and the code of before finds in the rows what it found there.
DROP INDEX "clients_tags";
set local role cp_definer;
create or replace function app.tagged_client_rows(p_tag text, p_most int) returns setof public.clients
language sql stable security definer rows 500 set search_path = '' as $$
  select c.* from public.client_tags t join public.clients c on c.id = t.client_id and c.company_id = t.company_id
    where t.company_id = app.company() and t.tag = p_tag limit p_most
$$;
create or replace function app.count_tagged_clients(p_tag text, p_filters jsonb, p_most int) returns int
language plpgsql stable security definer set search_path = '' set jit = off as $$
declare v_total int;
begin
  execute format('select count(*) from (select 1 from app.tagged_client_rows(%L, null) where company_id = app.company() and %s limit %s) c',
    p_tag, app.client_filter(p_filters - 'tag'), coalesce(p_most::text, 'all')) into v_total;
  return v_total;
end $$;
set local role cp_owner;
drop function app.tagged_clients(text, int);
select app.secure_tables();
