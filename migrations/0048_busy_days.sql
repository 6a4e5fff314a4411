-- What is busy, told by days: of each subject and day of UTC one text of all bookings, so that a month of fifty people is read as
-- 1,600 short rows instead of 23,000 stretches, and years of past lie beside it in an index and cost nothing. Kept from `occupancies`
-- alone, whoever writes there; holds, which end by the clock, stay with it.

CREATE TABLE "busy_days" (
  "company_id" uuid NOT NULL REFERENCES "companies" ("id"),
  "subject_id" uuid NOT NULL,
  "day" integer NOT NULL,
  "pieces" text NOT NULL,
  PRIMARY KEY ("company_id", "subject_id", "day")
  -- Room for the next text of a row on its page.
) WITH (fillfactor = 80);
insert into app.tenant_tables (table_name, entity, grants) values ('busy_days', null, 'select');
grant select, insert, update, delete on busy_days to cp_definer;

-- A number up to 1,440 in one character below 44 ('0' to '['), else in two ('0' to '|'), none of which JSON escapes.
create function app.short_number(p_number int) returns text language sql immutable strict parallel safe as $$
  select case when p_number < 44 then chr(48 + p_number) else chr(93 + (p_number - 44) / 44) || chr(48 + (p_number - 44) % 44) end
$$;
-- Of each stretch within a day (of UTC, since 1970), merged and in order, the minutes since the last one or midnight and its length;
-- null where there is none.
create function app.day_pieces(p_busy tstzmultirange, p_day int) returns text language sql immutable strict parallel safe as $$
  select string_agg(app.short_number(s.start - s.before) || app.short_number(s.stop - s.start), '' order by s.start) from (
    select x.start, x.stop, lag(x.stop, 1, 0) over (order by x.start) as before from unnest(p_busy) r,
      lateral (select greatest(app.minute_of(lower(r)) - p_day * 1440, 0) as start, least(app.minute_of(upper(r)) - p_day * 1440, 1440) as stop) x
    where x.start < x.stop) s
$$;
grant execute on function app.short_number(int), app.day_pieces(tstzmultirange, int) to cp_app, cp_definer;

-- Tells these days anew: of each row a company, a subject and a day. By the index of a subject's stretches, whatever is known of how
-- many there are.
create function app.tell_busy_days(p_companies uuid[], p_subjects uuid[], p_days int[]) returns void
language plpgsql volatile security definer set search_path = '' set enable_seqscan = off set enable_bitmapscan = off as $$
begin
  with told as materialized (
    select d.company_id, d.subject_id, d.day, app.day_pieces(o.busy, d.day) as pieces
    from (select distinct * from unnest(p_companies, p_subjects, p_days) x (company_id, subject_id, day)) d,
      lateral (select range_agg(o.busy) as busy from public.occupancies o
        where o.company_id = d.company_id and o.subject_id = d.subject_id and not o.deliberate and o.expires_at is null
          and o.begins > d.day * 1440 - 5760 and o.begins < d.day * 1440 + 1440 and o.ends > d.day * 1440) o),
  gone as (
    delete from public.busy_days b using told t
    where t.pieces is null and b.company_id = t.company_id and b.subject_id = t.subject_id and b.day = t.day)
  insert into public.busy_days as b (company_id, subject_id, day, pieces)
    select t.company_id, t.subject_id, t.day, t.pieces from told t where t.pieces is not null order by t.company_id, t.day
    on conflict (company_id, subject_id, day) do update set pieces = excluded.pieces where b.pieces <> excluded.pieces;
end $$;

-- Behind the head's lock, as all that writes there is.
create function app.count_busy_days() returns trigger language plpgsql security definer set search_path = '' as $$
declare v_companies uuid[]; v_subjects uuid[]; v_days int[];
begin
  if tg_op <> 'DELETE' then
    select array_agg(n.company_id), array_agg(n.subject_id), array_agg(d) into v_companies, v_subjects, v_days
      from new_rows n, generate_series(floor(n.begins / 1440.0)::int, floor((n.ends - 1) / 1440.0)::int) d where not n.deliberate and n.expires_at is null;
    if v_days is not null then perform app.tell_busy_days(v_companies, v_subjects, v_days); end if;
  end if;
  if tg_op <> 'INSERT' then
    select array_agg(o.company_id), array_agg(o.subject_id), array_agg(d) into v_companies, v_subjects, v_days
      from old_rows o, generate_series(floor(o.begins / 1440.0)::int, floor((o.ends - 1) / 1440.0)::int) d where not o.deliberate and o.expires_at is null;
    if v_days is not null then perform app.tell_busy_days(v_companies, v_subjects, v_days); end if;
  end if;
  return null;
end $$;

-- What keeps subjects (staff, resources) busy on days since 1970, between pairs of them: the days on which bookings do, the text of
-- each, and holds with the ms when they expire, as they were taken and so perhaps beyond these days. No row of whom nothing keeps busy.
create function app.busy_on(p_subjects uuid[], p_days int[]) returns table (subject_id uuid, days int[], pieces text[], held jsonb)
language sql stable security definer set search_path = '' as $$
  with held as materialized (
    select o.subject_id, jsonb_agg(jsonb_build_array((date_part('epoch', o.expires_at) * 1000)::bigint, o.pieces)) as held
    from public.occupancies o where o.company_id = app.company() and o.expires_at > now() and o.expires_at > clock_timestamp() and not o.deliberate
      and o.subject_id = any (p_subjects) and exists (select from generate_series(1, cardinality(p_days), 2) i
        where o.begins < p_days[i + 1] * 1440 and o.ends > p_days[i] * 1440)
    group by o.subject_id)
  select s.id, b.days, b.pieces, h.held from unnest(p_subjects) s (id) cross join lateral (
    select array_agg(x.day) as days, array_agg(x.pieces) as pieces from generate_series(1, cardinality(p_days), 2) i,
      lateral (select d.day, d.pieces from public.busy_days d
        where d.company_id = app.company() and d.subject_id = s.id and d.day >= p_days[i] and d.day < p_days[i + 1] offset 0) x) b
    left join held h on h.subject_id = s.id
  where num_nulls(b.days, h.held) < 2
$$;
grant execute on function app.busy_on(uuid[], int[]) to cp_app;
grant execute on function app.tell_busy_days(uuid[], uuid[], int[]) to cp_definer;

insert into busy_days (company_id, subject_id, day, pieces)
  select x.company_id, x.subject_id, x.day, x.pieces from (
    select o.company_id, o.subject_id, d as day, app.day_pieces(range_agg(o.busy), d) as pieces
    from occupancies o, generate_series(floor(o.begins / 1440.0)::int, floor((o.ends - 1) / 1440.0)::int) d
    where not o.deliberate and o.expires_at is null group by o.company_id, o.subject_id, d) x
  where x.pieces is not null order by x.company_id, x.day;

alter function app.busy_on(uuid[], int[]) owner to cp_definer;
alter function app.tell_busy_days(uuid[], uuid[], int[]) owner to cp_definer;
alter function app.count_busy_days() owner to cp_definer;
set local role cp_definer;
grant execute on function app.count_busy_days() to cp_owner;
set local role cp_owner;
create trigger busy_days_insert after insert on occupancies referencing new table as new_rows for each statement execute function app.count_busy_days();
create trigger busy_days_update after update on occupancies referencing old table as old_rows new table as new_rows for each statement execute function app.count_busy_days();
create trigger busy_days_delete after delete on occupancies referencing old table as old_rows for each statement execute function app.count_busy_days();
select app.secure_tables();
