-- Whoever brings a visit back books it again: with whom and where is judged as in booking, of one that is still to end. What is past is
-- history, which may be put right whoever has left since.
create function app.judge_return(p_id uuid, p_from text[], p_pointer text) returns void language plpgsql volatile set search_path = '' as $$
declare v_branch uuid; v_services jsonb; v_member uuid; v_is_active boolean;
begin
  select a.branch_id, a.services into v_branch, v_services from public.appointments a
    where a.company_id = app.company() and a.id = p_id and a.status = any (p_from) and a.ends_at > clock_timestamp();
  if not found then return; end if;
  perform app.refuse(not b.is_active, 'invalid_body', jsonb_build_object('pointer', p_pointer, 'fault', 'inactive', 'detail', 'The branch is archived.'))
    from public.branches b where b.company_id = app.company() and b.id = v_branch;
  select s.id, s.is_active into v_member, v_is_active from public.staff s
    where s.company_id = app.company() and s.id in (select (p ->> 'staffId')::uuid from jsonb_array_elements(v_services) p)
      and not (s.is_active and v_branch = any (s.branch_ids)) order by s.is_active, s.id limit 1;
  perform app.refuse(not v_is_active, 'invalid_body', jsonb_build_object('pointer', p_pointer, 'fault', 'inactive', 'staffId', v_member,
      'detail', 'The staff member is archived.')),
    app.refuse(v_is_active, 'not_offered', jsonb_build_object('pointer', p_pointer, 'staffId', v_member, 'detail', 'Does not work there.'));
end $$;
grant execute on function app.judge_return(uuid, text[], text) to cp_app;
