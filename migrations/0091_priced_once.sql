-- What lines come to, at a fraction of the cost. As in 0051, but that what a line would be refused with is put together where it is
-- refused, each line is taken out of its list once, and what no discount or tax asks for is not worked out.
create or replace function app.price_invoice(p_lines jsonb, p_before jsonb, p_discount bigint, p_inclusive boolean, p_currency text,
  out lines jsonb, out subtotal bigint, out discount_total bigint, out tax bigint, out total bigint)
language plpgsql volatile set search_path = '' as $$
declare
  k_most constant bigint := 1000000000000;
  v_given jsonb[]; v_line jsonb; v_quantity bigint; v_price bigint; v_off bigint; v_amount bigint; v_net bigint; v_fault jsonb;
  v_amounts bigint[] := '{}'; v_shares bigint[]; v_rates bigint[]; v_taxes bigint[]; v_sum bigint; v_told jsonb; v_priced jsonb[] := '{}';
begin
  if jsonb_typeof(p_lines) is distinct from 'array' or jsonb_array_length(p_lines) not between 1 and 200 then
    perform app.refuse(true, 'invalid_body', '{"pointer": "/lines", "detail": "An invoice has 1 to 200 lines."}');
  end if;
  subtotal := 0; discount_total := p_discount; tax := 0; total := 0;
  v_given := array(select l from jsonb_array_elements(p_lines) with ordinality x (l, n) order by n);
  for i in 1 .. cardinality(v_given) loop
    v_line := v_given[i];
    v_quantity := (v_line ->> 'quantity')::bigint;
    v_price := (v_line ->> 'unitPrice')::bigint;
    v_off := coalesce((v_line ->> 'discount')::bigint, 0);
    v_fault := case
      when coalesce(char_length(v_line ->> 'description'), 0) not between 1 and 500 then jsonb_build_object(
        'pointer', format('/lines/%s/description', i - 1), 'detail', 'A line says what it is for, in at most 500 characters.')
      when coalesce(v_quantity, 0) not between 1 and 1000000 then jsonb_build_object(
        'pointer', format('/lines/%s/quantity', i - 1), 'detail', 'A quantity is 1 to 1000000.')
      when v_price is null or abs(v_price) > k_most then jsonb_build_object(
        'pointer', format('/lines/%s/unitPrice', i - 1), 'detail', format('An amount is at most %s.', k_most))
      when v_line ->> 'currency' <> p_currency then jsonb_build_object(
        'pointer', format('/lines/%s/unitPrice/currency', i - 1), 'detail', format('The invoice is in %s.', p_currency))
      when abs(v_quantity * v_price) > k_most then jsonb_build_object(
        'pointer', format('/lines/%s/unitPrice', i - 1), 'detail', format('A line comes to at most %s.', k_most))
      when v_off not between 0 and greatest(v_quantity * v_price, 0) then jsonb_build_object(
        'pointer', format('/lines/%s/discount', i - 1), 'detail', 'A discount is at most what the line comes to.')
    end;
    if v_fault is not null then perform app.refuse(true, 'invalid_body', v_fault); end if;
    v_amount := v_quantity * v_price;
    v_amounts := v_amounts || (v_amount - v_off);
    subtotal := subtotal + v_amount;
    discount_total := discount_total + v_off;
  end loop;
  v_sum := subtotal - discount_total + p_discount;
  if abs(v_sum) > k_most then
    perform app.refuse(true, 'invalid_body', jsonb_build_object('pointer', '/lines', 'detail', format('An invoice comes to at most %s.', k_most)));
  end if;
  if p_discount not between 0 and greatest(v_sum, 0) then
    perform app.refuse(true, 'invalid_body', '{"pointer": "/discount", "detail": "A discount is at most what the lines come to."}');
  end if;
  -- Only what is sold carries the discount of the whole: a return would give some of it back.
  v_shares := case when p_discount = 0 then array_fill(0::bigint, array[cardinality(v_amounts)])
    else app.spread(p_discount, (select array_agg(greatest(a, 0) order by n) from unnest(v_amounts) with ordinality u (a, n))) end;
  for i in 1 .. cardinality(v_given) loop
    v_line := v_given[i];
    v_amount := v_amounts[i] - v_shares[i];
    v_net := v_amount;
    v_sum := 0;
    v_told := coalesce(v_line -> 'taxes', '[]');
    if v_told <> '[]' then
      select array_agg((t ->> 'rateBasisPoints')::bigint order by n),
          case when count(*) > 10 or bool_or(coalesce((t ->> 'rateBasisPoints')::bigint, -1) not between 0 and 10000
            or coalesce(char_length(t ->> 'name'), 0) not between 1 and 200) then jsonb_build_object('pointer', format('/lines/%s/taxes', i - 1),
            'detail', 'A line has at most 10 taxes, each with a name and a rate of 0 to 10000.') end
        into v_rates, v_fault from jsonb_array_elements(v_told) with ordinality x (t, n);
      if v_fault is not null then perform app.refuse(true, 'invalid_body', v_fault); end if;
      if not p_inclusive then
        v_taxes := array(select app.scaled(v_amount, r, 10000) from unnest(v_rates) with ordinality u (r, n) order by n);
      else
        v_net := app.scaled(v_amount, 10000, 10000 + (select sum(r)::bigint from unnest(v_rates) r));
        v_taxes := case when cardinality(v_rates) = 1 then array[v_amount - v_net] else app.spread(v_amount - v_net, v_rates) end;
      end if;
      select sum(v_taxes[n]), jsonb_agg(jsonb_build_object('name', t ->> 'name', 'rateBasisPoints', (t ->> 'rateBasisPoints')::int, 'amount', v_taxes[n]) order by n)
        into v_sum, v_told from jsonb_array_elements(v_told) with ordinality x (t, n);
    end if;
    tax := tax + v_sum;
    total := total + v_net + v_sum;
    v_priced := v_priced || jsonb_build_object('id', coalesce((p_before -> (i - 1) ->> 'id')::uuid, uuidv7()),
      'kind', coalesce(v_line ->> 'kind', case when coalesce(v_line ->> 'serviceId', v_line ->> 'appointmentId') is null then 'OTHER' else 'SERVICE' end),
      'description', v_line ->> 'description', 'quantity', (v_line ->> 'quantity')::bigint, 'unitPrice', (v_line ->> 'unitPrice')::bigint,
      'discount', coalesce((v_line ->> 'discount')::bigint, 0), 'staffId', (v_line ->> 'staffId')::uuid, 'serviceId', (v_line ->> 'serviceId')::uuid,
      'appointmentId', (v_line ->> 'appointmentId')::uuid, 'discountShare', v_shares[i], 'net', v_net, 'total', v_net + v_sum, 'taxes', v_told);
  end loop;
  lines := to_jsonb(v_priced);
  if total < 0 then
    perform app.refuse(true, 'negative_total', jsonb_build_object('detail', format('The total would be %s minor units.', total)));
  end if;
end $$;
