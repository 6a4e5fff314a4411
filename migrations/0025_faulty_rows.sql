-- Which rows of an import the database refuses, and why, without storing any: p_upsert is tried on all of them, halved where it
-- fails until each faulty row stands alone, first come first served, and undone. A file of which every row is refused costs
-- one transaction per chunk then, not two per row. Answers [{"index", "state", "constraint", "message", "detail"}].
create function app.faulty_rows(p_rows jsonb, p_upsert text) returns jsonb language plpgsql set search_path = public as $$
declare
  v_stack int[] := array[0, jsonb_array_length(p_rows)];
  v_low int; v_high int; v_counts jsonb;
  v_state text; v_constraint text; v_message text; v_detail text;
  v_faults jsonb := '[]';
begin
  begin
    while cardinality(v_stack) > 0 loop
      v_low := v_stack[cardinality(v_stack) - 1];
      v_high := v_stack[cardinality(v_stack)];
      v_stack := v_stack[:cardinality(v_stack) - 2];
      continue when v_low >= v_high;
      v_state := null;
      begin
        execute p_upsert into v_counts using (select jsonb_agg(p_rows -> i order by i) from generate_series(v_low, v_high - 1) i);
      exception when integrity_constraint_violation or data_exception or sqlstate 'CP400' then
        get stacked diagnostics v_state = returned_sqlstate, v_constraint = constraint_name, v_message = message_text,
          v_detail = pg_exception_detail;
      end;
      continue when v_state is null;
      if v_high - v_low = 1 then
        v_faults := v_faults || jsonb_build_object('index', v_low, 'state', v_state, 'constraint', v_constraint,
          'message', case when v_state = 'CP400' then v_message end, 'detail', case when v_state = 'CP400' then v_detail end);
      else
        v_stack := v_stack || array[(v_low + v_high) / 2, v_high, v_low, (v_low + v_high) / 2];
      end if;
    end loop;
    raise exception 'only tried' using errcode = 'CP201';
  exception when sqlstate 'CP201' then null;
  end;
  return v_faults;
end $$;
grant execute on function app.faulty_rows(jsonb, text) to cp_app;
