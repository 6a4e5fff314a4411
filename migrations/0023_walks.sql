-- The next rows of the cursor `walk`, which the transaction has declared: a text each, at most p_limit, and as many as fit into
-- p_most bytes but one at least. A last row without a text says that more follow. Rows behind it are neither read nor written out,
-- which a window function over all of them would do.
create function app.take_rows(p_limit int, p_most int) returns table (line text) language plpgsql volatile set search_path = '' as $$
declare
  v_walk refcursor := 'walk';
  v_bytes bigint := 0;
  v_taken int := 0;
begin
  loop
    fetch v_walk into line;
    exit when not found;
    v_bytes := v_bytes + octet_length(line);
    if v_taken > 0 and (v_taken = p_limit or v_bytes > p_most) then
      line := null;
      return next;
      exit;
    end if;
    v_taken := v_taken + 1;
    return next;
  end loop;
end $$;
grant execute on function app.take_rows(int, int) to cp_app;
