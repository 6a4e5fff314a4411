-- What is read of the log comes in pieces of so many bytes. An image may have hundreds of kilobytes, and the hosted proxy gives
-- no answer above 10 MiB of JSON. Bytes are those of the images as text; written as JSON they become at most twice as many.

-- The company's log after p_after, in order: at most p_limit revisions, and as many as fit into p_most bytes but one at least.
-- Only of p_entities, and of the object p_id, where given. It stops reading where it stops answering.
create function app.changes_after(p_after bigint, p_entities text[], p_id uuid, p_limit int, p_most int)
returns table (revision bigint, entity text, entity_id uuid, operation text, schema_version int, before text, after text, actor text,
  request_id text, changed_at timestamptz)
language plpgsql stable set search_path = '' as $$
declare
  v_walk refcursor;
  v_bytes bigint := 0;
begin
  -- Two queries: a plan for both would walk the whole log for one object.
  if p_id is null then
    open v_walk for select c.* from public.changes c
      where c.company_id = app.company() and c.revision > p_after and (p_entities is null or c.entity = any (p_entities))
      order by c.revision limit p_limit;
  else
    open v_walk for select c.* from public.changes c
      where c.company_id = app.company() and c.entity_id = p_id and c.revision > p_after and (p_entities is null or c.entity = any (p_entities))
      order by c.revision limit p_limit;
  end if;
  declare c public.changes;
  begin
    loop
      fetch v_walk into c;
      exit when not found;
      before := c.before::text;
      after := c.after::text;
      v_bytes := v_bytes + 300 + coalesce(octet_length(before), 0) + coalesce(octet_length(after), 0);
      exit when v_bytes > p_most and revision is not null;
      revision := c.revision; entity := c.entity; entity_id := c.entity_id; operation := c.operation;
      schema_version := c.schema_version; actor := c.actor; request_id := c.request_id; changed_at := c.changed_at;
      return next;
    end loop;
  end;
  close v_walk;
end $$;
grant execute on function app.changes_after(bigint, text[], uuid, int, int) to cp_app;

-- Last statement of a write: the head and the rows this transaction logged, cascades and triggers included, as far as they fit
-- into 2 MiB; whoever gets fewer than the head has moved by knows that there is more. Always at least one row; its
-- `revision` is null when nothing changed.
set local role cp_definer;
create or replace function app.end_write() returns table (
  epoch uuid, head bigint, revision bigint, entity text, entity_id uuid, operation text, schema_version int,
  before jsonb, after jsonb, actor text, request_id text, changed_at timestamptz)
language plpgsql stable security definer set search_path = '' as $$
declare
  k_most constant int := 2097152;
  c public.changes;
  v_bytes bigint := 0;
begin
  select h.epoch, h.revision into epoch, head from public.company_heads h where h.company_id = app.company();
  for c in select x.* from public.changes x
    where x.company_id = app.company() and x.revision > current_setting('app.base_revision')::bigint order by x.revision
  loop
    v_bytes := v_bytes + 300 + coalesce(octet_length(c.before::text), 0) + coalesce(octet_length(c.after::text), 0);
    exit when v_bytes > k_most and revision is not null;
    revision := c.revision; entity := c.entity; entity_id := c.entity_id; operation := c.operation;
    schema_version := c.schema_version; before := c.before; after := c.after; actor := c.actor;
    request_id := c.request_id; changed_at := c.changed_at;
    return next;
  end loop;
  if revision is null then return next; end if;
end $$;
set local role cp_owner;
