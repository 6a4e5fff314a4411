-- Files are taken by app.take_appointments and app.take_invoices (0063, 0066): nobody calls these any more.
drop function app.import_appointments(jsonb);
drop function app.import_invoices(jsonb);
drop function app.judge_imported(jsonb);
