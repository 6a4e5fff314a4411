-- What is busy, read fast: a subject's stretches lie side by side in one index, in their order and as the text that is answered.
-- By the exclusion constraint's own index, a GiST one over time and subject mixed, each subject had to be looked for on hundreds
-- of its pages; and taking ranges apart cost as much again.

create function app.minute_of(p_at timestamptz) returns int language sql immutable strict parallel safe
  as $$ select (date_part('epoch', p_at) / 60)::int $$;
-- Start and length of each stretch, in minutes.
create function app.pieces_of(p_busy tstzmultirange) returns text language sql immutable strict parallel safe as $$
  select string_agg((date_part('epoch', lower(r)) / 60)::int || ',' || (date_part('epoch', upper(r) - lower(r)) / 60)::int, ',' order by r) from unnest(p_busy) r
$$;
grant execute on function app.minute_of(timestamptz), app.pieces_of(tstzmultirange) to cp_app, cp_definer;
--> statement-breakpoint
ALTER TABLE "occupancies" ADD COLUMN "begins" integer GENERATED ALWAYS AS (app.minute_of(lower(busy))) STORED,
  ADD COLUMN "ends" integer GENERATED ALWAYS AS (app.minute_of(upper(busy))) STORED,
  ADD COLUMN "pieces" text GENERATED ALWAYS AS (app.pieces_of(busy)) STORED;--> statement-breakpoint
CREATE INDEX "occupancies_busy" ON "occupancies" USING btree ("company_id","subject_id","begins","ends","pieces","expires_at") WHERE not deliberate;--> statement-breakpoint

drop function app.busy(uuid[], timestamptz, timestamptz);

-- What keeps subjects (staff, resources) busy between pairs of minutes since 1970: start and length of each stretch, in no order,
-- as they were booked and so perhaps beyond the pair; a hold's besides with the ms when it expires. A row per subject and pair in
-- which anything does.
-- As cp_definer, as before. Nothing lasts longer than four days (app.parts_fit): a day's buffer, a day until the last part
-- begins, a day of that, a day's buffer.
create function app.busy(p_subjects uuid[], p_spans int[]) returns table (subject_id uuid, pieces text, held jsonb)
language sql stable security definer set search_path = '' as $$
  select s.id, b.pieces, b.held from unnest(p_subjects) s (id), generate_series(1, cardinality(p_spans), 2) i, lateral (
    select string_agg(o.pieces, ',') filter (where o.expires_at is null) as pieces,
      jsonb_agg(jsonb_build_array((date_part('epoch', o.expires_at) * 1000)::bigint, o.pieces)) filter (where o.expires_at is not null) as held
    from public.occupancies o where o.company_id = app.company() and o.subject_id = s.id and not o.deliberate
      and o.begins > p_spans[i] - 5760 and o.begins < p_spans[i + 1] and o.ends > p_spans[i]
      and (o.expires_at is null or o.expires_at > clock_timestamp())) b
  where num_nulls(b.pieces, b.held) < 2
$$;
grant execute on function app.busy(uuid[], int[]) to cp_app;
alter function app.busy(uuid[], int[]) owner to cp_definer;
select app.secure_tables();
