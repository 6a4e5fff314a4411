-- Invoices, payments and refunds: what makes wrong money impossible, for a console as for the API.

-- Walls and keys -------------------------------------------------------------------------------------------------------

insert into app.tenant_tables (table_name, entity, grants) values
  ('invoices', 'invoice', 'select, insert, update'),
  ('payments', 'payment', 'select, insert, update'),
  ('refunds', 'refund', 'select, insert, update'),
  ('invoice_lines', null, 'select');

-- The last number of each series of a branch. A row is changed with the invoice that takes the number, so a finalize that fails
-- gives it back; nobody but `derive` writes it.
create table invoice_counters (
  company_id uuid not null,
  branch_id uuid not null,
  series text not null,
  last int not null,
  primary key (company_id, branch_id, series),
  constraint invoice_counters_branch foreign key (company_id, branch_id) references branches (company_id, id)
);
insert into app.tenant_tables (table_name) values ('invoice_counters');

alter table invoices
  add constraint invoices_branch foreign key (company_id, branch_id) references branches (company_id, id),
  add constraint invoices_client foreign key (company_id, client_id) references clients (company_id, id),
  -- One currency per company: sums over invoices mean something.
  add constraint invoices_company foreign key (company_id, currency) references companies (id, currency),
  add constraint invoices_kind check (kind in ('INVOICE')),
  add constraint invoices_series check (series in ('INVOICE', 'IMPORTED')),
  add constraint invoices_status check (status in ('DRAFT', 'OPEN', 'PAID', 'VOID', 'UNCOLLECTIBLE')),
  add constraint invoices_numbered check (case
    when sequence is not null then series <> 'IMPORTED' and number = sequence::text
    else series = 'IMPORTED' or (number is null and status in ('DRAFT', 'VOID')) end),
  add constraint invoices_dated check (issue_date is not null or status in ('DRAFT', 'VOID')),
  add constraint invoices_total check (total = subtotal - discount_total + case when tax_inclusive then 0 else tax end),
  add constraint invoices_amounts check (total >= 0 and discount >= 0 and discount_total >= discount),
  add constraint invoices_paid check (paid - refunded between 0 and total),
  add constraint invoices_refunded check (refunded between 0 and paid),
  add constraint invoices_without_money check (paid = refunded or status not in ('DRAFT', 'VOID')),
  add constraint invoices_settled check (case status when 'OPEN' then paid - refunded < total when 'PAID' then paid >= total else true end);
alter table invoice_lines
  add constraint invoice_lines_invoice foreign key (company_id, invoice_id) references invoices (company_id, id) on delete cascade,
  add constraint invoice_lines_staff foreign key (company_id, staff_id) references staff (company_id, id),
  add constraint invoice_lines_service foreign key (company_id, service_id) references services (company_id, id),
  add constraint invoice_lines_kind check (kind in ('SERVICE', 'PRODUCT', 'FEE', 'OTHER'));
alter table payments
  add constraint payments_branch foreign key (company_id, branch_id) references branches (company_id, id),
  add constraint payments_client foreign key (company_id, client_id) references clients (company_id, id),
  add constraint payments_company foreign key (company_id, currency) references companies (id, currency),
  add constraint payments_invoice foreign key (company_id, invoice_id, currency) references invoices (company_id, id, currency),
  add constraint payments_amount check (amount between 1 and 1000000000000),
  add constraint payments_method check (method ~ '^[A-Z][A-Z_]{0,39}$'),
  add constraint payments_status check (status in ('PENDING', 'SUCCEEDED', 'FAILED', 'CANCELLED')),
  add constraint payments_refunded check (refunded between 0 and amount and (refunded = 0 or status = 'SUCCEEDED'));
alter table refunds
  add constraint refunds_branch foreign key (company_id, branch_id) references branches (company_id, id),
  add constraint refunds_payment foreign key (company_id, payment_id, currency) references payments (company_id, id, currency),
  add constraint refunds_amount check (amount between 1 and 1000000000000),
  add constraint refunds_status check (status in ('PENDING', 'SUCCEEDED', 'FAILED', 'CANCELLED'));

-- What lines come to ---------------------------------------------------------------------------------------------------
-- Twin of src/billing/{money,totals}.ts; a test compares them over thousands of invoices. All whole numbers: numeric division
-- rounds its quotient before it could be rounded rightly.

-- amount × numerator ÷ denominator, rounded half away from zero.
create function app.scaled(p_amount bigint, p_numerator bigint, p_denominator bigint) returns bigint language sql immutable strict parallel safe
  as $$ select sign(p_amount)::bigint * ((2 * abs(p_amount) * p_numerator + p_denominator) / (2 * p_denominator)) $$;

-- The amount in shares of these proportions that sum to it exactly: what is left goes, a unit each, to the largest remainders, of
-- equal ones to the first.
create function app.spread(p_amount bigint, p_weights bigint[]) returns bigint[] language sql immutable strict parallel safe set search_path = '' as $$
  select coalesce(array_agg(case when whole = 0 then 0 else sign(p_amount)::bigint * (share + (place <= spare)::int) end order by n), '{}') from (
    select n, whole, share, abs(p_amount) - sum(share) over () as spare, row_number() over (order by remainder desc, n) as place from (
      select n, whole, div(product, nullif(whole, 0))::bigint as share, mod(product, nullif(whole, 0)) as remainder from (
        select n, abs(p_amount)::numeric * w as product, sum(w) over () as whole from unnest(p_weights) with ordinality u (w, n)) products) shares) placed
$$;

-- Lines as they are stored, with what each comes to, and the sums. p_before are the lines of before: a line has the id of the one
-- in its place, or a new one. A line may say its currency, which must be p_currency. Refuses what src/billing/totals.ts refuses.
create function app.price_invoice(p_lines jsonb, p_before jsonb, p_discount bigint, p_inclusive boolean, p_currency text,
  out lines jsonb, out subtotal bigint, out discount_total bigint, out tax bigint, out total bigint)
language plpgsql volatile set search_path = '' as $$
declare
  k_most constant bigint := 1000000000000;
  v_line jsonb; v_quantity bigint; v_price bigint; v_off bigint; v_amount bigint; v_net bigint;
  v_amounts bigint[] := '{}'; v_shares bigint[]; v_rates bigint[]; v_taxes bigint[]; v_sum bigint;
begin
  perform app.refuse(jsonb_typeof(p_lines) is distinct from 'array' or jsonb_array_length(p_lines) not between 1 and 200, 'invalid_body',
    '{"pointer": "/lines", "detail": "An invoice has 1 to 200 lines."}');
  subtotal := 0; discount_total := p_discount; tax := 0; total := 0; lines := '[]';
  for i in 0 .. jsonb_array_length(p_lines) - 1 loop
    v_line := p_lines -> i;
    v_quantity := (v_line ->> 'quantity')::bigint;
    v_price := (v_line ->> 'unitPrice')::bigint;
    v_off := coalesce((v_line ->> 'discount')::bigint, 0);
    perform app.refuse(coalesce(char_length(v_line ->> 'description'), 0) not between 1 and 500, 'invalid_body', jsonb_build_object(
        'pointer', format('/lines/%s/description', i), 'detail', 'A line says what it is for, in at most 500 characters.')),
      app.refuse(coalesce(v_quantity, 0) not between 1 and 1000000, 'invalid_body', jsonb_build_object(
        'pointer', format('/lines/%s/quantity', i), 'detail', 'A quantity is 1 to 1000000.')),
      app.refuse(v_price is null or abs(v_price) > k_most, 'invalid_body', jsonb_build_object(
        'pointer', format('/lines/%s/unitPrice', i), 'detail', format('An amount is at most %s.', k_most))),
      app.refuse(v_line ->> 'currency' <> p_currency, 'invalid_body', jsonb_build_object(
        'pointer', format('/lines/%s/unitPrice/currency', i), 'detail', format('The invoice is in %s.', p_currency)));
    v_amount := v_quantity * v_price;
    perform app.refuse(abs(v_amount) > k_most, 'invalid_body', jsonb_build_object(
        'pointer', format('/lines/%s/unitPrice', i), 'detail', format('A line comes to at most %s.', k_most))),
      app.refuse(v_off not between 0 and greatest(v_amount, 0), 'invalid_body', jsonb_build_object(
        'pointer', format('/lines/%s/discount', i), 'detail', 'A discount is at most what the line comes to.'));
    v_amounts := v_amounts || v_amount - v_off;
    subtotal := subtotal + v_amount;
    discount_total := discount_total + v_off;
  end loop;
  v_sum := subtotal - discount_total + p_discount;
  perform app.refuse(abs(v_sum) > k_most, 'invalid_body', jsonb_build_object('pointer', '/lines', 'detail', format('An invoice comes to at most %s.', k_most))),
    app.refuse(p_discount not between 0 and greatest(v_sum, 0), 'invalid_body', '{"pointer": "/discount", "detail": "A discount is at most what the lines come to."}');
  -- Only what is sold carries the discount of the whole: a return would give some of it back.
  v_shares := app.spread(p_discount, (select array_agg(greatest(a, 0) order by n) from unnest(v_amounts) with ordinality u (a, n)));
  for i in 1 .. cardinality(v_amounts) loop
    v_line := p_lines -> (i - 1);
    v_amount := v_amounts[i] - v_shares[i];
    select coalesce(array_agg((t ->> 'rateBasisPoints')::bigint order by n), '{}') into v_rates
      from jsonb_array_elements(coalesce(v_line -> 'taxes', '[]')) with ordinality x (t, n);
    perform app.refuse(cardinality(v_rates) > 10 or exists (select from jsonb_array_elements(coalesce(v_line -> 'taxes', '[]')) t
        where coalesce((t ->> 'rateBasisPoints')::bigint, -1) not between 0 and 10000 or coalesce(char_length(t ->> 'name'), 0) not between 1 and 200),
      'invalid_body', jsonb_build_object('pointer', format('/lines/%s/taxes', i - 1), 'detail', 'A line has at most 10 taxes, each with a name and a rate of 0 to 10000.'));
    if p_inclusive then
      v_net := app.scaled(v_amount, 10000, 10000 + (select coalesce(sum(r), 0)::bigint from unnest(v_rates) r));
      v_taxes := app.spread(v_amount - v_net, v_rates);
    else
      v_net := v_amount;
      v_taxes := array(select app.scaled(v_amount, r, 10000) from unnest(v_rates) with ordinality u (r, n) order by n);
    end if;
    v_sum := (select coalesce(sum(t), 0)::bigint from unnest(v_taxes) t);
    tax := tax + v_sum;
    total := total + v_net + v_sum;
    lines := lines || jsonb_build_object('id', coalesce((p_before -> (i - 1) ->> 'id')::uuid, uuidv7()),
      'kind', coalesce(v_line ->> 'kind', case when coalesce(v_line ->> 'serviceId', v_line ->> 'appointmentId') is null then 'OTHER' else 'SERVICE' end),
      'description', v_line ->> 'description', 'quantity', (v_line ->> 'quantity')::bigint, 'unitPrice', (v_line ->> 'unitPrice')::bigint,
      'discount', coalesce((v_line ->> 'discount')::bigint, 0), 'staffId', (v_line ->> 'staffId')::uuid, 'serviceId', (v_line ->> 'serviceId')::uuid,
      'appointmentId', (v_line ->> 'appointmentId')::uuid, 'discountShare', v_shares[i], 'net', v_net, 'total', v_net + v_sum,
      'taxes', (select coalesce(jsonb_agg(jsonb_build_object('name', t ->> 'name', 'rateBasisPoints', (t ->> 'rateBasisPoints')::int, 'amount', v_taxes[n]) order by n), '[]')
        from jsonb_array_elements(coalesce(v_line -> 'taxes', '[]')) with ordinality x (t, n)));
  end loop;
  perform app.refuse(total < 0, 'negative_total', jsonb_build_object('detail', format('The total would be %s minor units.', total)));
end $$;

-- Invoices -------------------------------------------------------------------------------------------------------------

-- Lines without their texts, which alone may change later: when a person is erased.
create function app.wordless(p_lines jsonb) returns jsonb language sql immutable parallel safe set search_path = ''
  as $$ select coalesce(jsonb_agg(l - 'description' order by n), '[]') from jsonb_array_elements(p_lines) with ordinality x (l, n) $$;

-- The day at a branch; refuses one that is not there.
create function app.branch_day(p_company uuid, p_branch uuid, p_at timestamptz) returns date language plpgsql stable security definer set search_path = '' as $$
declare v_zone text;
begin
  select b.time_zone into v_zone from public.branches b where b.company_id = p_company and b.id = p_branch;
  perform app.refuse(v_zone is null, 'unknown_reference', '{"pointer": "/branchId", "detail": "There is no such branch."}');
  return (p_at at time zone v_zone)::date;
end $$;

-- The triggers of this file run as cp_definer, before the row's own policy is asked: so the application's logins get no further
-- than it would let them.
create function app.within(p_company uuid) returns void language plpgsql stable set search_path = '' as $$
begin
  if session_user in ('cp_app', 'cp_auth', 'cp_jobs') and p_company is distinct from app.company() then
    raise exception 'another company' using errcode = '42501';
  end if;
end $$;

-- Whether a client is the other one, or was merged into it.
create function app.became(p_company uuid, p_old uuid, p_new uuid) returns boolean language sql stable security definer set search_path = '' as $$
  select p_new is not distinct from p_old
    or exists (select from public.clients c where c.company_id = p_company and c.id = p_old and c.merged_into = p_new)
$$;

-- Everything that follows from something else is worked out here, whoever writes: prices of a draft, the number and day of what
-- is issued, what was paid. Before `touch`, by its name, which compares what comes of it.
create function app.derive_invoice() returns trigger language plpgsql security definer set search_path = '' as $$
declare
  -- Beside the texts of lines, all that may change once an invoice is issued; client and amounts by rules of their own.
  k_open constant text[] := '{status,client_id,external_id,lines,paid,refunded,balance,payment_status,version,created_at,updated_at}';
  v_allowed text[]; v_paid bigint; v_refunded bigint;
begin
  perform app.within(new.company_id);
  if tg_op = 'INSERT' then
    perform app.refuse(new.status not in ('DRAFT', 'OPEN'), 'illegal_transition',
        '{"detail": "An invoice begins as DRAFT or OPEN.", "allowed": ["DRAFT", "OPEN"]}'),
      app.refuse(new.number is not null and new.series <> 'IMPORTED', 'invalid_body', '{"pointer": "/number", "detail": "Numbers are given by the database."}'),
      app.refuse(new.paid <> 0 or new.refunded <> 0, 'invalid_body', '{"detail": "What was paid follows from payments."}');
    new.sequence := null;
    if new.currency is null or new.tax_inclusive is null then
      select coalesce(new.currency, c.currency), coalesce(new.tax_inclusive, c.prices_include_tax) into new.currency, new.tax_inclusive
        from public.companies c where c.id = new.company_id;
    end if;
  else
    v_allowed := case when old.status = 'DRAFT' then array['OPEN', 'VOID'] when old.status <> 'OPEN' then '{}'
      when old.paid = old.refunded then array['VOID', 'UNCOLLECTIBLE'] else array['UNCOLLECTIBLE'] end;
    perform app.refuse(new.status <> old.status and new.status <> all (v_allowed), 'illegal_transition', jsonb_build_object('allowed', v_allowed,
        'detail', format('The invoice is %s%s.', old.status, case when new.status = 'VOID' and old.paid > old.refunded then ', and money was paid on it' else '' end))),
      app.refuse((new.paid, new.refunded) <> (old.paid, old.refunded), 'conflict', '{"detail": "What was paid follows from payments."}');
  end if;
  if tg_op = 'INSERT' or old.status = 'DRAFT' then
    select p.* into new.lines, new.subtotal, new.discount_total, new.tax, new.total
      from app.price_invoice(new.lines, case when tg_op = 'UPDATE' then old.lines end, new.discount, new.tax_inclusive, new.currency) p;
    if new.status = 'OPEN' then
      new.issue_date := coalesce(new.issue_date, app.branch_day(new.company_id, new.branch_id, clock_timestamp()));
      if new.series <> 'IMPORTED' then
        insert into public.invoice_counters as c (company_id, branch_id, series, last) values (new.company_id, new.branch_id, new.series, 1)
          on conflict (company_id, branch_id, series) do update set last = c.last + 1 returning c.last into new.sequence;
        new.number := new.sequence::text;
      end if;
    end if;
  else
    perform app.refuse(to_jsonb(new) - k_open <> to_jsonb(old) - k_open, 'invoice_not_draft'),
      app.refuse(new.lines <> old.lines and (coalesce(current_setting('app.erasing', true), '') <> 'on' or app.wordless(new.lines) <> app.wordless(old.lines)), 'invoice_not_draft');
    perform app.refuse(not app.became(old.company_id, old.client_id, new.client_id), 'invoice_not_draft');
    select coalesce(sum(p.amount), 0), coalesce(sum(p.refunded), 0) into v_paid, v_refunded
      from public.payments p where p.company_id = new.company_id and p.invoice_id = new.id and p.status = 'SUCCEEDED';
    perform app.refuse(v_paid > old.paid and old.status <> 'OPEN', 'invoice_not_open', jsonb_build_object('detail', format('The invoice is %s.', old.status))),
      app.refuse(v_paid - v_refunded > new.total, 'exceeds_balance', jsonb_build_object('pointer', '/amount',
        'detail', format('The balance is %s minor units.', old.total - old.paid + old.refunded)));
    new.paid := v_paid;
    new.refunded := v_refunded;
  end if;
  if new.status = 'OPEN' and new.paid - new.refunded = new.total then new.status := 'PAID'; end if;
  return new;
end $$;
create trigger derive before insert or update on invoices for each row execute function app.derive_invoice();

-- Lines as rows. After the log's triggers of the same statement, by its name.
create function app.project_invoice() returns trigger language plpgsql security definer set search_path = '' as $$
begin
  if tg_op = 'UPDATE' then
    delete from public.invoice_lines l using new_rows n join old_rows o on o.company_id = n.company_id and o.id = n.id
      where l.company_id = n.company_id and l.invoice_id = n.id and app.wordless(n.lines) <> app.wordless(o.lines);
  end if;
  insert into public.invoice_lines (company_id, id, invoice_id, position, kind, staff_id, service_id, appointment_id, quantity, net, tax, total, taxes)
    select n.company_id, (l ->> 'id')::uuid, n.id, i::int, l ->> 'kind', (l ->> 'staffId')::uuid, (l ->> 'serviceId')::uuid, (l ->> 'appointmentId')::uuid,
      (l ->> 'quantity')::int, (l ->> 'net')::bigint, (l ->> 'total')::bigint - (l ->> 'net')::bigint, (l ->> 'total')::bigint, l -> 'taxes'
    from new_rows n, jsonb_array_elements(n.lines) with ordinality x (l, i)
    where tg_op = 'INSERT' or not exists (select from public.invoice_lines k where k.company_id = n.company_id and k.invoice_id = n.id);
  return null;
end $$;
create trigger project_insert after insert on invoices referencing new table as new_rows for each statement execute function app.project_invoice();
create trigger project_update after update on invoices referencing old table as old_rows new table as new_rows for each statement execute function app.project_invoice();

-- Payments and refunds -------------------------------------------------------------------------------------------------

create function app.refuse_money_status(p_old text, p_new text) returns boolean language sql volatile set search_path = '' as $$
  select app.refuse(p_new <> p_old and p_old <> 'PENDING', 'illegal_transition',
    jsonb_build_object('detail', format('It is %s.', p_old), 'allowed', '[]'::jsonb))
$$;

create function app.derive_payment() returns trigger language plpgsql security definer set search_path = '' as $$
declare
  k_open constant text[] := '{status,invoice_id,client_id,reference,external_id,refunded,version,created_at,updated_at}';
  v_invoice public.invoices; v_refunded bigint;
begin
  perform app.within(new.company_id);
  if new.invoice_id is not null and (tg_op = 'INSERT' or old.invoice_id is null) then
    select i.* into v_invoice from public.invoices i where i.company_id = new.company_id and i.id = new.invoice_id;
    perform app.refuse(not found, 'unknown_reference', '{"pointer": "/invoiceId", "detail": "There is no such invoice."}'),
      app.refuse(new.currency <> v_invoice.currency, 'invalid_body', jsonb_build_object('pointer', '/amount/currency', 'detail', format('The invoice is in %s.', v_invoice.currency))),
      app.refuse(v_invoice.status <> 'OPEN', 'invoice_not_open', jsonb_build_object('detail', format('The invoice is %s.', v_invoice.status)));
    new.client_id := coalesce(v_invoice.client_id, new.client_id);
  end if;
  if tg_op = 'INSERT' then
    new.branch_id := coalesce(new.branch_id, v_invoice.branch_id);
    new.currency := coalesce(new.currency, v_invoice.currency, (select c.currency from public.companies c where c.id = new.company_id));
    new.paid_at := coalesce(new.paid_at, clock_timestamp());
    new.business_date := coalesce(new.business_date, app.branch_day(new.company_id, new.branch_id, new.paid_at));
    new.refunded := 0;
    return new;
  end if;
  perform app.refuse(to_jsonb(new) - k_open <> to_jsonb(old) - k_open or (old.invoice_id is not null and new.invoice_id is distinct from old.invoice_id),
    'conflict', '{"detail": "What a payment says stays: refund it, and make another one."}'),
    app.refuse(old.invoice_id is not null and not app.became(old.company_id, old.client_id, new.client_id), 'conflict',
      '{"detail": "A payment is of the client of its invoice."}'),
    app.refuse_money_status(old.status, new.status);
  select coalesce(sum(r.amount), 0) into v_refunded from public.refunds r
    where r.company_id = new.company_id and r.payment_id = new.id and r.status = 'SUCCEEDED';
  perform app.refuse(v_refunded > case when new.status = 'SUCCEEDED' then new.amount else 0 end, 'exceeds_paid', jsonb_build_object('pointer', '/amount',
    'detail', format('%s minor units are left to refund.', case when new.status = 'SUCCEEDED' then new.amount - old.refunded else 0 end)));
  new.refunded := v_refunded;
  return new;
end $$;
create trigger derive before insert or update on payments for each row execute function app.derive_payment();

create function app.derive_refund() returns trigger language plpgsql security definer set search_path = '' as $$
declare
  k_open constant text[] := '{status,reason,external_id,version,created_at,updated_at}';
  v_payment public.payments;
begin
  perform app.within(new.company_id);
  if tg_op = 'UPDATE' then
    perform app.refuse(to_jsonb(new) - k_open <> to_jsonb(old) - k_open, 'conflict', '{"detail": "What a refund says stays."}'),
      app.refuse_money_status(old.status, new.status);
    return new;
  end if;
  select p.* into v_payment from public.payments p where p.company_id = new.company_id and p.id = new.payment_id;
  perform app.refuse(not found, 'unknown_reference', '{"pointer": "/paymentId", "detail": "There is no such payment."}'),
    app.refuse(new.currency <> v_payment.currency, 'invalid_body', jsonb_build_object('pointer', '/amount/currency', 'detail', format('The payment is in %s.', v_payment.currency))),
    app.refuse(v_payment.status <> 'SUCCEEDED', 'exceeds_paid', jsonb_build_object('detail', format('The payment is %s.', v_payment.status)));
  new.currency := v_payment.currency;
  new.branch_id := coalesce(new.branch_id, v_payment.branch_id);
  new.refunded_at := coalesce(new.refunded_at, clock_timestamp());
  new.business_date := coalesce(new.business_date, app.branch_day(new.company_id, new.branch_id, new.refunded_at));
  return new;
end $$;
create trigger derive before insert or update on refunds for each row execute function app.derive_refund();

-- A payment acts on its invoice by what it is, not by having come: whoever brings one to SUCCEEDED, or refunds it, has the
-- invoice count anew. After the log's triggers of the same statement, by its name; one revision for each invoice.
create function app.settle_invoices() returns trigger language plpgsql security definer set search_path = '' as $$
begin
  if tg_op = 'INSERT' then
    update public.invoices i set status = i.status from (
        select distinct n.company_id, n.invoice_id from new_rows n where n.invoice_id is not null and n.status = 'SUCCEEDED') n
      where i.company_id = n.company_id and i.id = n.invoice_id;
  else
    update public.invoices i set status = i.status from (
        select distinct n.company_id, n.invoice_id from new_rows n join old_rows o on o.company_id = n.company_id and o.id = n.id
        where n.invoice_id is not null and (n.status, n.refunded, n.invoice_id) is distinct from (o.status, o.refunded, o.invoice_id)) n
      where i.company_id = n.company_id and i.id = n.invoice_id;
  end if;
  return null;
end $$;
create trigger settle_insert after insert on payments referencing new table as new_rows for each statement execute function app.settle_invoices();
create trigger settle_update after update on payments referencing old table as old_rows new table as new_rows for each statement execute function app.settle_invoices();

create function app.settle_payments() returns trigger language plpgsql security definer set search_path = '' as $$
begin
  update public.payments p set status = p.status from (select distinct n.company_id, n.payment_id from new_rows n where n.status = 'SUCCEEDED') n
    where p.company_id = n.company_id and p.id = n.payment_id;
  return null;
end $$;
create trigger settle_insert after insert on refunds referencing new table as new_rows for each statement execute function app.settle_payments();
create trigger settle_update after update on refunds referencing new table as new_rows for each statement execute function app.settle_payments();

-- What is in the books stays in them: invoices that are issued, and all money.
create function app.keep_books() returns trigger language plpgsql set search_path = '' as $$
begin
  if tg_table_name = 'invoices' and to_jsonb(old) ->> 'status' = 'DRAFT' then return old; end if;
  raise exception 'the books are kept: void or refund it' using errcode = 'CP003';
end $$;
create trigger keep_books before delete on invoices for each row execute function app.keep_books();
create trigger keep_books before delete on payments for each row execute function app.keep_books();
create trigger keep_books before delete on refunds for each row execute function app.keep_books();

-- Clients that are merged and erased -----------------------------------------------------------------------------------

create function app.merge_books() returns trigger language plpgsql security definer set search_path = '' as $$
begin
  update public.invoices i set client_id = new.merged_into where i.company_id = new.company_id and i.client_id = new.id;
  update public.payments p set client_id = new.merged_into where p.company_id = new.company_id and p.client_id = new.id;
  return null;
end $$;
create trigger merge_books after update on clients for each row
  when (new.merged_into is not null and old.merged_into is distinct from new.merged_into) execute function app.merge_books();

-- A text without these words, where they stand alone.
create function app.text_without(p_text text, p_words text[]) returns text language plpgsql immutable set search_path = '' as $$
declare v_word text;
begin
  foreach v_word in array p_words loop
    p_text := regexp_replace(p_text, '(?<![[:alnum:]])' || regexp_replace(v_word, '([^[:alnum:][:space:]])', '\\\1', 'g') || '(?![[:alnum:]])', 'Erased', 'gi');
  end loop;
  return p_text;
end $$;

-- The image of an invoice, payment or refund without what names a person. The reason of a refund tells of somebody, and goes.
create function app.books_without(p_image jsonb, p_words text[]) returns jsonb language sql immutable set search_path = '' as $$
  select p_image
    || case when p_image ? 'lines' then jsonb_build_object('lines', (
        select jsonb_agg(l || jsonb_build_object('description', app.text_without(l ->> 'description', p_words)) order by n)
        from jsonb_array_elements(p_image -> 'lines') with ordinality x (l, n))) else '{}' end
    || case when p_image ? 'reference' then jsonb_build_object('reference', app.text_without(p_image ->> 'reference', p_words)) else '{}' end
    || case when p_image ? 'reason' then '{"reason": null}'::jsonb else '{}' end
$$;

-- The books outlive a person: amounts, days and numbers stay, and in texts every word that the person was known by goes, in the
-- tables and in the log. The client's own row is erased by app.erase_client, which changes it and then cleans its log.
create function app.erase_books() returns trigger language plpgsql security definer set search_path = '' as $$
declare v_words text[]; v_clients uuid[]; v_ids uuid[]; v_invoices uuid[]; v_payments uuid[];
begin
  with recursive holders as (
    select new.id, new.merged_into
    union select c.id, c.merged_into from public.clients c join holders h on c.id = h.merged_into where c.company_id = new.company_id)
  select array_agg(id) into v_clients from holders;
  select array_agg(i.id) into v_invoices from public.invoices i where i.company_id = new.company_id and i.client_id = any (v_clients);
  select array_agg(p.id) into v_payments from public.payments p where p.company_id = new.company_id
    and (p.client_id = any (v_clients) or p.invoice_id = any (v_invoices));
  if v_invoices is null and v_payments is null then return null; end if;
  select array_agg(word order by length(word) desc, word) into v_words from (
    select distinct e.value as word from (
      select to_jsonb(old) as image union all
      select i from public.changes l, lateral (values (l.before), (l.after)) x (i)
        where l.company_id = new.company_id and l.entity = 'client' and l.entity_id = new.id and i ->> 'erased_at' is null) images,
      jsonb_each_text(image) e
    where e.key in ('first_name', 'last_name', 'name', 'email', 'phone', 'external_id') and trim(e.value) <> '') words;
  v_words := coalesce(v_words, '{}');
  perform set_config('app.erasing', 'on', true);
  update public.invoices i set lines = app.books_without(jsonb_build_object('lines', i.lines), v_words) -> 'lines'
    where i.company_id = new.company_id and i.id = any (v_invoices);
  update public.payments p set reference = app.text_without(p.reference, v_words) where p.company_id = new.company_id and p.id = any (v_payments);
  update public.refunds r set reason = null where r.company_id = new.company_id and r.payment_id = any (v_payments);
  perform set_config('app.erasing', '', true);
  v_ids := coalesce(v_invoices, '{}') || coalesce(v_payments, '{}')
    || array(select r.id from public.refunds r where r.company_id = new.company_id and r.payment_id = any (v_payments));
  update public.changes l set before = app.books_without(l.before, v_words), after = app.books_without(l.after, v_words)
    where l.company_id = new.company_id and l.entity_id = any (v_ids) and l.entity in ('invoice', 'payment', 'refund')
      and (app.books_without(l.before, v_words), app.books_without(l.after, v_words)) is distinct from (l.before, l.after);
  return null;
end $$;
create trigger erase_books after update on clients for each row
  when (old.erased_at is null and new.erased_at is not null) execute function app.erase_books();

-- Rights ---------------------------------------------------------------------------------------------------------------

grant select on companies, branches to cp_definer;
grant select, update on invoices, payments, refunds to cp_definer;
grant select, insert, delete on invoice_lines to cp_definer;
grant select, insert, update on invoice_counters to cp_definer;
grant execute on function app.refuse(boolean, text, jsonb), app.scaled(bigint, bigint, bigint), app.spread(bigint, bigint[]),
  app.price_invoice(jsonb, jsonb, bigint, boolean, text), app.wordless(jsonb), app.refuse_money_status(text, text), app.within(uuid), app.text_without(text, text[]),
  app.books_without(jsonb, text[]) to cp_definer;
do $$
declare f regprocedure;
begin
  foreach f in array array['app.branch_day(uuid,uuid,timestamptz)', 'app.became(uuid,uuid,uuid)', 'app.derive_invoice()', 'app.project_invoice()', 'app.derive_payment()', 'app.derive_refund()',
    'app.settle_invoices()', 'app.settle_payments()', 'app.merge_books()', 'app.erase_books()']::regprocedure[] loop
    execute format('alter function %s owner to cp_definer', f);
    -- Whoever makes a trigger again must be allowed to execute its function.
    set local role cp_definer;
    execute format('grant execute on function %s to cp_owner', f);
    set local role cp_owner;
  end loop;
end $$;
