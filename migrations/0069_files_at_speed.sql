-- Files of invoices and appointments at speed: nothing is looked at beyond what a chunk names.

-- As in 0068, and each row's invoice is found by its id: joined, all those of the company would be looked at for each row.
create or replace function app.import_invoices(p_rows jsonb) returns jsonb language plpgsql volatile set search_path = '' as $$
declare v_ids uuid[]; v_versions int[]; v_drafts uuid[]; v_created int; v_updated int;
begin
  select coalesce(array_agg(i.id), '{}'), coalesce(array_agg(i.version), '{}'), coalesce(array_agg(i.id) filter (where i.status = 'DRAFT'), '{}')
    into v_ids, v_versions, v_drafts from (
      select i.* from public.invoices i where i.company_id = app.company()
        and i.external_id = any (array(select r ->> 'key' from jsonb_array_elements(p_rows) r)) for no key update) i;
  -- The client may have become another one since the file was written.
  p_rows := (select jsonb_agg(r || jsonb_build_object('id', coalesce(i.id, (r ->> 'id')::uuid),
      'given', r -> 'given' || jsonb_build_object('client', c.id)) order by n)
    from jsonb_array_elements(p_rows) with ordinality x (r, n)
      left join lateral (select i.id from public.invoices i where i.company_id = app.company() and i.external_id = r ->> 'key' offset 0) i on true,
      lateral (select case when r -> 'given' ->> 'client' is not null then app.living_client((r -> 'given' ->> 'client')::uuid) end as id) c);

  perform app.refuse(
      (g.branch, g.client, g.discount, g."taxInclusive", p.lines) is distinct from (i.branch_id, i.client_id, i.discount, i.tax_inclusive, i.lines)
      or (i.series = 'IMPORTED' and (g.number, g."issueDate", g."dueDate") is distinct from (i.number, i.issue_date, i.due_date))
      or g.status = 'DRAFT', 'invoice_not_draft')
    from jsonb_array_elements(p_rows) r,
      lateral (select i.* from public.invoices i where i.company_id = app.company() and i.id = (r ->> 'id')::uuid and i.status <> 'DRAFT' offset 0) i,
      jsonb_to_record(r -> 'given') g (branch uuid, client uuid, discount bigint, "taxInclusive" boolean, number text, "issueDate" date, "dueDate" date, status text, lines jsonb),
      app.price_invoice(g.lines, i.lines, g.discount, i.tax_inclusive, i.currency) p;

  insert into public.invoices (company_id, id, external_id, branch_id, client_id, series, number, issue_date, due_date, tax_inclusive, lines, discount, status)
    select app.company(), (r ->> 'id')::uuid, r ->> 'key', g.branch, g.client, case g.status when 'DRAFT' then 'INVOICE' else 'IMPORTED' end, g.number,
      g."issueDate", g."dueDate", g."taxInclusive", g.lines, g.discount, case g.status when 'DRAFT' then 'DRAFT' else 'OPEN' end
    from jsonb_array_elements(p_rows) with ordinality x (r, n),
      jsonb_to_record(r -> 'given') g (branch uuid, client uuid, discount bigint, "taxInclusive" boolean, number text, "issueDate" date, "dueDate" date, status text, lines jsonb)
    where (r ->> 'id')::uuid <> all (v_ids) order by n;
  get diagnostics v_created = row_count;
  if v_drafts <> '{}' then
    update public.invoices i set branch_id = g.branch, client_id = g.client, series = case g.status when 'DRAFT' then 'INVOICE' else 'IMPORTED' end,
        number = g.number, issue_date = g."issueDate", due_date = g."dueDate", tax_inclusive = g."taxInclusive", lines = g.lines, discount = g.discount,
        status = case g.status when 'DRAFT' then 'DRAFT' else 'OPEN' end
      from jsonb_array_elements(p_rows) r,
        jsonb_to_record(r -> 'given') g (branch uuid, client uuid, discount bigint, "taxInclusive" boolean, number text, "issueDate" date, "dueDate" date, status text, lines jsonb)
      where i.company_id = app.company() and i.id = (r ->> 'id')::uuid and i.id = any (v_drafts);
  end if;

  -- In one statement, so each invoice counts them once.
  with given as materialized (
    select i.id as invoice, n, m, p.*, coalesce(p."paidAt", (i.issue_date + time '12:00') at time zone b.time_zone) as paid_at
    from jsonb_array_elements(p_rows) with ordinality x (r, n),
      jsonb_array_elements(r -> 'given' -> 'payments') with ordinality y (e, m),
      jsonb_to_record(e) p (id uuid, amount bigint, currency text, method text, reference text, "paidAt" timestamptz(3), "externalId" text),
      lateral (select i.id, i.issue_date, i.branch_id from public.invoices i where i.company_id = app.company() and i.id = (r ->> 'id')::uuid offset 0) i,
      lateral (select b.time_zone from public.branches b where b.company_id = app.company() and b.id = i.branch_id offset 0) b),
  numbered as (
    select g.*, row_number() over (partition by g.invoice, g.amount, g.method, g.reference, g.paid_at, g."externalId" order by g.m) as k from given g),
  known as (
    select p.*, row_number() over (partition by p.invoice_id, p.amount, p.method, p.reference, p.paid_at order by p.id) as k
    from (select distinct g.invoice from given g) g,
      lateral (select p.* from public.payments p where p.company_id = app.company() and p.invoice_id = g.invoice offset 0) p),
  fresh as (
    select g.*, app.refuse(k.amount <> g.amount, 'conflict', jsonb_build_object('pointer', format('/payments/%s/amount', g.m - 1),
        'detail', 'The payment with this external id is another one.')) as judged, k.id is null as really
    from numbered g left join known k on k.invoice_id = g.invoice and case when g."externalId" is null
      then (k.amount, k.method, k.reference, k.paid_at, k.k) is not distinct from (g.amount, g.method, g.reference, g.paid_at, g.k)
      else k.external_id = g."externalId" end)
  insert into public.payments (company_id, id, invoice_id, amount, currency, method, reference, paid_at, external_id)
    select app.company(), f.id, f.invoice, f.amount, f.currency, f.method, f.reference, f.paid_at, f."externalId" from fresh f
    where f.judged is not null and f.really order by f.n, f.m;
  if jsonb_path_exists(p_rows, '$[*].given.status ? (@ == "VOID" || @ == "UNCOLLECTIBLE")') then
    update public.invoices i set status = r -> 'given' ->> 'status' from jsonb_array_elements(p_rows) r
      where i.company_id = app.company() and i.id = (r ->> 'id')::uuid and r -> 'given' ->> 'status' in ('VOID', 'UNCOLLECTIBLE')
        and i.status <> r -> 'given' ->> 'status';
  end if;

  perform app.refuse(r -> 'given' ->> 'status' = 'PAID' and i.status <> 'PAID', 'invalid_body',
      jsonb_build_object('pointer', '/payments', 'detail', format('The payments leave %s minor units.', i.balance)))
    from jsonb_array_elements(p_rows) r,
      lateral (select i.status, i.balance from public.invoices i where i.company_id = app.company() and i.id = (r ->> 'id')::uuid offset 0) i;
  select count(*) into v_updated from unnest(v_ids, v_versions) k (id, version),
    lateral (select i.version from public.invoices i where i.company_id = app.company() and i.id = k.id offset 0) i where i.version <> k.version;
  return jsonb_build_object('created', v_created, 'updated', v_updated, 'unchanged', jsonb_array_length(p_rows) - v_created - v_updated);
end $$;

-- What an imported appointment meets that stands outside the rule: few, and no other index has them.
create index occupancies_deliberate on occupancies (company_id, subject_id, begins, ends) where deliberate;

-- As in 0045, for what is new or moves (`moved`); the rest was judged when it came. By the indexes of a subject's stretches whatever
-- is known of how many there are: a chunk is taken right after the one before it.
set local role cp_definer;
create or replace function app.judge_imported(p_rows jsonb, out rows jsonb, out outdone uuid[])
language plpgsql volatile security definer set search_path = '' set enable_seqscan = off set enable_bitmapscan = off as $$
declare v_own uuid[]; v_over uuid[]; v_row jsonb; v_resources jsonb; v_overlap boolean; v_chosen jsonb := '{}';
begin
  v_own := array(select (r ->> 'id')::uuid from jsonb_array_elements(p_rows) r);
  with own as materialized (
    select (r ->> 'id')::uuid as id, (r ->> 'starts_at')::timestamptz as starts_at, (r ->> 'moved')::boolean as moved, r from jsonb_array_elements(p_rows) r
    where app.occupies(r ->> 'status')),
  wanted as materialized (
    select o.id, o.starts_at, o.moved, coalesce(b.staff_id, b.resource_id) as subject_id, b.busy
    from own o, app.busy_subjects(o.starts_at, o.r -> 'services', o.r -> 'resources') b),
  met as materialized (
    select w.id, w.starts_at, m.appointment_id, m.deliberate, a.starts_at as other_starts, a.source
    from wanted w cross join lateral (
        select o.appointment_id, o.deliberate, o.expires_at from public.occupancies o
          where o.company_id = app.company() and o.subject_id = w.subject_id and not o.deliberate and o.begins > app.minute_of(lower(w.busy)) - 5760
            and o.begins < app.minute_of(upper(w.busy)) and o.ends > app.minute_of(lower(w.busy)) and o.busy && w.busy
        union all
        select o.appointment_id, o.deliberate, o.expires_at from public.occupancies o
          where o.company_id = app.company() and o.subject_id = w.subject_id and o.deliberate and o.begins > app.minute_of(lower(w.busy)) - 5760
            and o.begins < app.minute_of(upper(w.busy)) and o.ends > app.minute_of(lower(w.busy)) and o.busy && w.busy) m
      left join lateral (select a.starts_at, a.source from public.appointments a where a.company_id = app.company() and a.id = m.appointment_id offset 0) a on true
    where w.moved and (m.appointment_id is null or m.appointment_id <> all (v_own)) and (m.expires_at is null or m.expires_at > clock_timestamp())),
  over as (
    select m.id from met m where case when m.source = 'IMPORT' then (m.other_starts, m.appointment_id) < (m.starts_at, m.id) else not m.deliberate end
    union
    select w.id from wanted w join wanted x on x.subject_id = w.subject_id and x.busy && w.busy and (x.starts_at, x.id) < (w.starts_at, w.id)
      where w.moved or x.moved)
  select array(select id from over), array(select distinct m.appointment_id from met m
      where m.source = 'IMPORT' and not m.deliberate and (m.other_starts, m.appointment_id) > (m.starts_at, m.id))
    into v_over, outdone;

  -- Those that name their resources first: the others take what these leave.
  perform set_config('app.claims', '', true), set_config('app.ignore_hours', 'true', true);
  for v_row in select r from jsonb_array_elements(p_rows) with ordinality x (r, n)
    where (r ->> 'moved')::boolean and r -> 'resources' <> '[]' and app.occupies(r ->> 'status')
    order by jsonb_path_exists(r -> 'resources', '$[*] ? (@.resourceId == null)'), n
  loop
    v_overlap := coalesce((v_row ->> 'allow_overlap')::boolean, false) or (v_row ->> 'id')::uuid = any (v_over);
    begin
      v_resources := app.choose_resources(app.company(), (v_row ->> 'branch_id')::uuid, (v_row ->> 'id')::uuid, (v_row ->> 'starts_at')::timestamptz,
        v_row -> 'services', v_row ->> 'time_zone', v_row -> 'resources', '{}', v_overlap);
    exception when sqlstate 'CP400' then
      -- None is free: it shares one.
      if sqlerrm <> 'slot_taken' then raise; end if;
      v_over := v_over || (v_row ->> 'id')::uuid;
      v_resources := app.choose_resources(app.company(), (v_row ->> 'branch_id')::uuid, (v_row ->> 'id')::uuid, (v_row ->> 'starts_at')::timestamptz,
        v_row -> 'services', v_row ->> 'time_zone', v_row -> 'resources', '{}', true);
    end;
    v_chosen := v_chosen || jsonb_build_object(v_row ->> 'id', jsonb_build_object('resources', v_resources));
  end loop;
  rows := (select jsonb_agg(r || coalesce(v_chosen -> (r ->> 'id'), '{}') || jsonb_build_object('allow_overlap',
      coalesce((r ->> 'allow_overlap')::boolean, false) or (r ->> 'id')::uuid = any (v_over)) order by n)
    from jsonb_array_elements(p_rows) with ordinality x (r, n));
end $$;
set local role cp_owner;

-- As in 0045; rows say what their writer knows of zones (`clock`, app.local_at), and whether they move anything.
create or replace function app.import_appointments(p_rows jsonb) returns jsonb language plpgsql volatile set search_path = '' as $$
declare
  k_actor constant text := coalesce(nullif(current_setting('app.actor', true), ''), 'SQL:' || session_user);
  v_rows jsonb; v_still boolean; v_outdone uuid[]; v_created int; v_updated int := 0;
begin
  perform set_config('app.clock', coalesce(p_rows -> 0 ->> 'clock', ''), true);
  select jsonb_agg(r - 'clock' || jsonb_build_object('id', coalesce(a.id, (r ->> 'id')::uuid)) order by n),
      bool_and(a.version is not distinct from (r ->> 'version')::int)
    into v_rows, v_still from jsonb_array_elements(p_rows) with ordinality x (r, n)
      left join lateral (select a.id, a.version from public.appointments a where a.company_id = app.company() and a.external_id = r ->> 'key' offset 0) a on true;
  perform app.expect_still(v_still);
  if jsonb_path_exists(v_rows, '$[*].moved ? (@ == true)') then
    select j.rows, j.outdone into v_rows, v_outdone from app.judge_imported(v_rows) j;
    if v_outdone <> '{}' then
      update public.appointments a set allow_overlap = true where a.company_id = app.company() and a.id = any (v_outdone);
    end if;
  end if;

  if jsonb_path_exists(v_rows, '$[*].version ? (@ != null)') then
    with given as materialized (
      select p.*, r -> 'history' || coalesce((
          select jsonb_agg(jsonb_build_object('status', s, 'at', to_char(clock_timestamp() at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"'),
            'by', k_actor, 'reason', case when n = jsonb_array_length(r -> 'steps') then r -> 'reason' end) order by n)
          from jsonb_array_elements(r -> 'steps') with ordinality x (s, n)), '[]') as told
      from jsonb_array_elements(v_rows) r, jsonb_populate_record(null::public.appointments, r || jsonb_build_object('status_reason', r -> 'reason')) p
      where r ->> 'version' is not null),
    differing as materialized (
      select g.* from given g, lateral (select a.* from public.appointments a where a.company_id = app.company() and a.id = g.id offset 0) a
      where (a.branch_id, a.client_id, a.services, a.resources, a.starts_at, a.time_zone, a.status, a.notes, a.price, a.allow_overlap)
        is distinct from (g.branch_id, g.client_id, g.services, g.resources, g.starts_at, g.time_zone, g.status, g.notes, g.price, g.allow_overlap)),
    changed as (
      update public.appointments a set branch_id = g.branch_id, client_id = g.client_id, services = g.services, resources = g.resources,
          starts_at = g.starts_at, time_zone = g.time_zone, status = g.status, status_reason = g.status_reason, status_history = a.status_history || g.told,
          notes = g.notes, price = g.price, allow_overlap = g.allow_overlap
        from differing g where a.company_id = app.company() and a.id = g.id
        returning old.version <> new.version as really)
    select count(*) into v_updated from changed where really;
  end if;

  insert into public.appointments (company_id, id, external_id, branch_id, client_id, services, resources, starts_at, time_zone, status, status_reason,
      status_history, notes, price, source, allow_overlap)
    select app.company(), p.id, r ->> 'key', p.branch_id, p.client_id, p.services, p.resources, p.starts_at, p.time_zone, p.status, r ->> 'reason',
      r -> 'history', p.notes, p.price, 'IMPORT', p.allow_overlap
    from jsonb_array_elements(v_rows) r, jsonb_populate_record(null::public.appointments, r) p where r ->> 'version' is null order by p.id;
  get diagnostics v_created = row_count;
  return jsonb_build_object('created', v_created, 'updated', v_updated, 'unchanged', jsonb_array_length(p_rows) - v_created - v_updated);
end $$;
