-- A reason belongs to its step: a step that names none has none. Whether one is named is not seen by its value, which may be
-- that of the step before; a trigger that fires only where an update sets the column sees it. Its name comes before admit_status.

create function app.hear_reason() returns trigger language plpgsql set search_path = '' as $$
begin
  perform set_config('app.reason_told', new.id::text, true);
  return new;
end $$;
create trigger a_reason_told before update of status_reason on appointments for each row execute function app.hear_reason();

create or replace function app.admit_status() returns trigger language plpgsql set search_path = '' as $$
declare
  k_known constant int := case tg_op when 'UPDATE' then jsonb_array_length(old.status_history) else 0 end;
  v_from text;
  v_step jsonb;
begin
  if tg_op = 'INSERT' then
    perform app.refuse(new.source <> 'IMPORT' and new.status not in ('PENDING', 'CONFIRMED'), 'illegal_transition',
      jsonb_build_object('detail', 'A new appointment is PENDING or CONFIRMED.', 'allowed', array['PENDING', 'CONFIRMED'], 'pointer', '/status'));
    if new.status_history <> '[]' then return new; end if;
    new.status_history := '[]';
  elsif new.status = old.status then
    if current_user <> 'cp_definer' then
      new.status_history := old.status_history;
      new.status_reason := old.status_reason;
    end if;
    return new;
  else
    v_from := old.status;
    if new.status_history = old.status_history or jsonb_array_length(new.status_history) <= k_known then
      new.status_history := old.status_history;
      perform app.refuse(new.status <> all (app.next_statuses(v_from)), 'illegal_transition', jsonb_build_object(
        'detail', format('From %s an appointment cannot become %s.', v_from, new.status), 'allowed', app.next_statuses(v_from), 'pointer', '/status'));
    else
      for v_step in select x from jsonb_array_elements(new.status_history) with ordinality h (x, n) where n > k_known order by n loop
        perform app.refuse(v_step ->> 'status' is null or v_step ->> 'status' <> all (app.next_statuses(v_from)), 'illegal_transition', jsonb_build_object(
          'detail', format('From %s an appointment cannot become %s.', v_from, v_step ->> 'status'), 'allowed', app.next_statuses(v_from), 'pointer', '/status'));
        v_from := v_step ->> 'status';
      end loop;
      -- What was, stays.
      new.status_history := old.status_history || (select jsonb_agg(x order by n) from jsonb_array_elements(new.status_history) with ordinality h (x, n) where n > k_known);
      return new;
    end if;
    if new.status_reason is not distinct from old.status_reason and current_setting('app.reason_told', true) is distinct from new.id::text then
      new.status_reason := null;
    end if;
  end if;
  new.status_history := new.status_history || jsonb_build_object('status', new.status,
    'at', to_char(clock_timestamp() at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"'),
    'by', coalesce(nullif(current_setting('app.actor', true), ''), 'SQL:' || session_user), 'reason', new.status_reason);
  return new;
end $$;
