-- Reports read the days they are about from an index alone: it holds what appointments are grouped by and whose clock told them, and
-- what invoices come to.
drop index appointments_branch_day;
drop index appointments_day;
drop index invoices_issued;
create index appointments_branch_day on appointments (company_id, branch_id, local_date, status)
  include (id, starts_at, created_at, updated_at, client_id, series_id, staff_id);
create index appointments_day on appointments (company_id, local_date, status, branch_id)
  include (id, starts_at, created_at, updated_at, client_id, series_id, staff_id, time_zone);
create index invoices_issued on invoices (company_id, status, issue_date, id)
  include (created_at, updated_at, due_date, payment_status, branch_id, client_id, number, balance, tax, total);
