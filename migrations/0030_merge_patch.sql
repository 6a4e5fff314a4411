-- JSON Merge Patch (RFC 7396): null removes a member, objects merge, anything else replaces. Twin of src/core/json.ts.
create function app.merge_patch(p_target jsonb, p_patch jsonb) returns jsonb language plpgsql immutable parallel safe set search_path = '' as $$
declare
  v_merged jsonb := case when jsonb_typeof(p_target) = 'object' then p_target else '{}' end;
  v_key text; v_value jsonb;
begin
  if jsonb_typeof(p_patch) is distinct from 'object' then return p_patch; end if;
  for v_key, v_value in select * from jsonb_each(p_patch) loop
    v_merged := case when jsonb_typeof(v_value) = 'null' then v_merged - v_key
      else v_merged || jsonb_build_object(v_key, app.merge_patch(v_merged -> v_key, v_value)) end;
  end loop;
  return v_merged;
end $$;
grant execute on function app.merge_patch(jsonb, jsonb) to cp_app;
