-- As in 0007; what triggers refuse with a code of the API is a fault of its row too, and not the end of all others.
create or replace function app.bulk_insert(p_table text, p_items jsonb, p_atomic boolean) returns void language plpgsql set search_path = '' as $$
declare
  v_stack int[] := array[0, jsonb_array_length(p_items)];
  v_low int; v_high int; v_state text; v_constraint text; v_message text; v_detail text;
  v_done jsonb := '[]'; v_faults jsonb := '[]';
begin
  while cardinality(v_stack) > 0 loop
    v_low := v_stack[cardinality(v_stack) - 1];
    v_high := v_stack[cardinality(v_stack)];
    v_stack := v_stack[:cardinality(v_stack) - 2];
    continue when v_low >= v_high;
    v_state := null;
    begin
      perform app.insert_rows(p_table, (select jsonb_agg(p_items -> i -> 'row' order by i) from generate_series(v_low, v_high - 1) i));
    exception when integrity_constraint_violation or data_exception or sqlstate 'CP400' then
      get stacked diagnostics v_state = returned_sqlstate, v_constraint = constraint_name, v_message = message_text, v_detail = pg_exception_detail;
    end;
    if v_state is null then
      v_done := v_done || (select jsonb_agg(jsonb_build_object('index', p_items -> i -> 'index', 'id', p_items -> i -> 'row' -> 'id') order by i)
        from generate_series(v_low, v_high - 1) i);
    elsif v_high - v_low = 1 then
      -- What the database itself says may hold values.
      v_faults := v_faults || (jsonb_build_object('index', p_items -> v_low -> 'index', 'state', v_state, 'constraint', v_constraint)
        || case when v_state = 'CP400' then jsonb_build_object('message', v_message, 'detail', v_detail) else '{}' end);
    else
      v_stack := v_stack || array[(v_low + v_high) / 2, v_high, v_low, (v_low + v_high) / 2];
    end if;
  end loop;
  if p_atomic and v_faults <> '[]' then raise exception 'bulk refused' using errcode = 'CP207', detail = v_faults::text; end if;
  perform set_config('app.result', (v_done || v_faults)::text, true);
end $$;
