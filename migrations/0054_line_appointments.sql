-- A line may name the appointment it is for.
alter table invoice_lines
  add constraint invoice_lines_appointment foreign key (company_id, appointment_id) references appointments (company_id, id);
