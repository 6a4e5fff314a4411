-- What a client has brought so far, as appointments and payments say it; merged clients brought theirs along.
create or replace function app.client_stats(p_client uuid) returns jsonb language sql stable set search_path = '' as $$
  select jsonb_build_object('visits', a.visits, 'noShows', a.no_shows, 'lastVisitAt', a.last_visit,
    'spent', jsonb_build_object('amount', p.spent, 'currency', c.currency))
  from public.companies c,
    (select count(*) filter (where status = 'COMPLETED') as visits, count(*) filter (where status = 'NO_SHOW') as no_shows,
        max(starts_at) filter (where status = 'COMPLETED') as last_visit
      from public.appointments where company_id = app.company() and client_id = p_client) a,
    (select coalesce(sum(amount - refunded), 0)::bigint as spent
      from public.payments where company_id = app.company() and client_id = p_client and status = 'SUCCEEDED') p
  where c.id = app.company()
$$;
