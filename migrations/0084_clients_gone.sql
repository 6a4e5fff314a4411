-- Clients that are no more: what is written to one that was merged goes to who it became, and nothing to one that was erased.

-- The company's writers come one at a time, so a merge or an erasure came before, and its row is seen, or it comes after and takes
-- along what is here.
set local role cp_definer;
create function app.follow_client() returns trigger language plpgsql security definer set search_path = '' as $$
declare v_into uuid; v_erased boolean;
begin
  -- A row of another company is refused by the walls, a moment from now.
  if session_user = 'cp_app' and new.company_id is distinct from app.company() then return new; end if;
  if tg_op = 'UPDATE' and new.client_id is not distinct from old.client_id then return new; end if;
  while new.client_id is not null loop
    select c.merged_into, c.erased_at is not null into v_into, v_erased from public.clients c
      where c.company_id = new.company_id and c.id = new.client_id;
    exit when not found;
    perform app.refuse(v_erased, 'erased', '{"pointer": "/clientId", "detail": "This client was erased: nothing new is kept of them."}');
    exit when v_into is null;
    new.client_id := v_into;
  end loop;
  return new;
end $$;
-- Words tell of a person. What an erasure took out is not put back.
create function app.refuse_words() returns trigger language plpgsql security definer set search_path = '' as $$
begin
  if session_user = 'cp_app' and new.company_id is distinct from app.company() then return new; end if;
  perform app.refuse(exists (select from public.clients c where c.company_id = new.company_id and c.id = new.client_id and c.erased_at is not null),
    'erased', jsonb_build_object('pointer', tg_argv[0], 'detail', 'This client was erased: nothing is kept of them in words.'));
  return new;
end $$;
-- One that was merged away stays as it was: who it became is who to change.
create function app.keep_merged() returns trigger language plpgsql set search_path = '' as $$
declare k_aside constant text[] := '{name,search_text,version,created_at,updated_at}';
begin
  perform app.refuse(to_jsonb(new) - k_aside <> to_jsonb(old) - k_aside, 'invalid_body', jsonb_build_object('pointer', '/externalId',
    'detail', 'This client was merged into another one.', 'mergedInto', new.merged_into));
  return new;
end $$;
revoke all on function app.follow_client(), app.refuse_words(), app.keep_merged() from public;
grant execute on function app.follow_client(), app.refuse_words(), app.keep_merged() to cp_owner;
set local role cp_owner;

-- First of their kind, by their names: what else is derived rests on whose it is.
create trigger a_follow_client before insert or update of client_id on appointments for each row execute function app.follow_client();
create trigger a_follow_client before insert or update of client_id on holds for each row execute function app.follow_client();
create trigger a_follow_client before insert or update of client_id on series for each row execute function app.follow_client();
create trigger a_follow_client before insert or update of client_id on invoices for each row execute function app.follow_client();
create trigger a_new_notes before update of notes on appointments for each row
  when (new.notes is not null and new.notes is distinct from old.notes and new.client_id is not null) execute function app.refuse_words('/notes');
create trigger a_new_notes before update of notes on series for each row
  when (new.notes is not null and new.notes is distinct from old.notes and new.client_id is not null) execute function app.refuse_words('/notes');
create trigger a_new_reason before update of status_reason on appointments for each row
  when (new.status_reason is not null and new.status is distinct from old.status and new.client_id is not null) execute function app.refuse_words('/reason');
create trigger a_merged before update on clients for each row
  when (old.merged_into is not null and old.erased_at is null and new.erased_at is null) execute function app.keep_merged();

-- An erasure that is repeated cleans again: what came in between, when nothing kept it out.
create or replace trigger erase_bookings after update on clients for each row when (new.erased_at is not null) execute function app.erase_bookings();
create or replace trigger erase_books after update on clients for each row when (new.erased_at is not null) execute function app.erase_books();
