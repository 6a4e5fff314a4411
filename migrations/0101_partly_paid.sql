-- Invoices of one payment status by what is due: those paid in part are due last, behind all that are paid, and a walk along
-- invoices_due passed seventy-five thousand entries of a hundred thousand to come to them.
create index invoices_due_paid on invoices (company_id, status, payment_status, due_date, id)
  include (created_at, updated_at, issue_date, branch_id, client_id, number, balance);
