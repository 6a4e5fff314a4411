-- As 0028, for the resources that came since: the index of a sort holds what the other sorts and the filters of its list ask for,
-- and so does an index that finds the rows of a client, a branch, a day. Two sorts had no index.
drop index staff_created;
drop index staff_updated;
drop index staff_name;
drop index staff_last_name;
drop index services_created;
drop index services_updated;
drop index services_name;
drop index resources_created;
drop index resources_updated;
drop index resources_name;
drop index time_off_staff_starts;
drop index time_off_staff_created;
drop index time_off_resource_starts;
drop index time_off_resource_created;
drop index appointments_branch_day;
drop index appointments_day;
drop index appointments_client_created;
drop index appointments_created;
drop index appointments_updated;
drop index appointments_starts;
drop index series_created;
drop index series_updated;
drop index invoices_created;
drop index invoices_updated;
drop index invoices_issued;
drop index invoices_due;
drop index invoices_client;
drop index invoices_branch;
drop index invoices_payment_status;
drop index payments_created;
drop index payments_updated;
drop index payments_paid;
drop index payments_client;
drop index payments_branch;
drop index refunds_created;
drop index refunds_branch;
drop index webhooks_created;
drop index webhooks_updated;
create index staff_created on staff (company_id, is_active, created_at, id) include (updated_at, name, last_name, user_id);
create index staff_updated on staff (company_id, is_active, updated_at, id) include (created_at, name, last_name, user_id);
create index staff_name on staff (company_id, is_active, name, id) include (last_name, user_id, created_at, updated_at);
create index staff_last_name on staff (company_id, is_active, last_name, id) include (name, user_id, created_at, updated_at);
create index services_created on services (company_id, is_active, created_at, id) include (updated_at, name, category);
create index services_updated on services (company_id, is_active, updated_at, id) include (created_at, name, category);
create index services_name on services (company_id, is_active, name, id) include (category, created_at, updated_at);
create index resources_created on resources (company_id, is_active, created_at, id) include (updated_at, name, kind, branch_id);
create index resources_updated on resources (company_id, is_active, updated_at, id) include (created_at, name, kind, branch_id);
create index resources_name on resources (company_id, is_active, name, id) include (kind, branch_id, created_at, updated_at);
create index time_off_staff_starts on time_off (company_id, staff_id, starts_at, id) include (created_at, updated_at);
create index time_off_staff_created on time_off (company_id, staff_id, created_at, id) include (starts_at, updated_at);
create index time_off_staff_updated on time_off (company_id, staff_id, updated_at, id) include (starts_at, created_at);
create index time_off_resource_starts on time_off (company_id, resource_id, starts_at, id) include (created_at, updated_at);
create index time_off_resource_created on time_off (company_id, resource_id, created_at, id) include (starts_at, updated_at);
create index time_off_resource_updated on time_off (company_id, resource_id, updated_at, id) include (starts_at, created_at);
create index appointments_branch_day on appointments (company_id, branch_id, local_date, status)
  include (id, starts_at, created_at, updated_at, client_id, series_id);
create index appointments_day on appointments (company_id, local_date, status, branch_id)
  include (id, starts_at, created_at, updated_at, client_id, series_id);
create index appointments_client_created on appointments (company_id, client_id, created_at, id)
  include (status, starts_at, updated_at, branch_id, series_id, local_date);
create index appointments_created on appointments (company_id, status, created_at, id)
  include (updated_at, starts_at, branch_id, client_id, series_id, local_date);
create index appointments_updated on appointments (company_id, status, updated_at, id)
  include (created_at, starts_at, branch_id, client_id, series_id, local_date);
create index appointments_starts on appointments (company_id, status, starts_at, id)
  include (created_at, updated_at, branch_id, client_id, series_id, local_date);
-- Who does some of an appointment, and whose appointments are whose, without a look at the parts.
alter table appointment_parts drop constraint appointment_parts_company_id_appointment_id_position_pk;
alter table appointment_parts add constraint appointment_parts_company_id_appointment_id_position_pk
  primary key (company_id, appointment_id, position) include (staff_id);
drop index appointment_parts_staff_day;
create index appointment_parts_staff_day on appointment_parts (company_id, staff_id, local_date, local_start) include (appointment_id);
create index series_created on series (company_id, created_at, id) include (updated_at, client_id);
create index series_updated on series (company_id, updated_at, id) include (created_at, client_id);
create index invoices_created on invoices (company_id, status, created_at, id)
  include (updated_at, issue_date, due_date, payment_status, branch_id, client_id, number, balance);
create index invoices_updated on invoices (company_id, status, updated_at, id)
  include (created_at, issue_date, due_date, payment_status, branch_id, client_id, number, balance);
create index invoices_issued on invoices (company_id, status, issue_date, id)
  include (created_at, updated_at, due_date, payment_status, branch_id, client_id, number, balance);
create index invoices_due on invoices (company_id, status, due_date, id)
  include (created_at, updated_at, issue_date, payment_status, branch_id, client_id, number, balance);
create index invoices_client on invoices (company_id, client_id, created_at, id)
  include (status, updated_at, issue_date, due_date, payment_status, branch_id, number, balance);
create index invoices_branch on invoices (company_id, branch_id, issue_date, id)
  include (status, created_at, updated_at, due_date, payment_status, client_id, number, balance);
create index invoices_payment_status on invoices (company_id, payment_status, created_at, id)
  include (status, updated_at, issue_date, due_date, branch_id, client_id, number, balance);
create index payments_created on payments (company_id, created_at, id)
  include (updated_at, paid_at, status, branch_id, client_id, invoice_id, business_date);
create index payments_updated on payments (company_id, updated_at, id)
  include (created_at, paid_at, status, branch_id, client_id, invoice_id, business_date);
create index payments_paid on payments (company_id, paid_at, id)
  include (created_at, updated_at, status, branch_id, client_id, invoice_id, business_date);
create index payments_client on payments (company_id, client_id, created_at, id)
  include (updated_at, paid_at, status, branch_id, invoice_id, business_date);
create index payments_branch on payments (company_id, branch_id, business_date, id)
  include (created_at, updated_at, paid_at, status, client_id, invoice_id);
create index refunds_created on refunds (company_id, created_at, id) include (updated_at, status, branch_id, payment_id, business_date);
create index refunds_updated on refunds (company_id, updated_at, id) include (created_at, status, branch_id, payment_id, business_date);
create index refunds_branch on refunds (company_id, branch_id, business_date, id) include (created_at, updated_at, status, payment_id);
create index webhooks_created on webhooks (company_id, is_active, created_at, id) include (updated_at);
create index webhooks_updated on webhooks (company_id, is_active, updated_at, id) include (created_at);
