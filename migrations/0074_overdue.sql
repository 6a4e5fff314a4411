-- As 0067: the index that finds what is overdue holds what its list sorts and is asked by, so that no row is looked at for that.
-- It has the open invoices alone.
drop index invoices_overdue;
create index invoices_overdue on invoices (company_id, due_date, id)
  include (status, balance, branch_id, client_id, payment_status, issue_date, created_at, updated_at) where status = 'OPEN' and balance > 0;
