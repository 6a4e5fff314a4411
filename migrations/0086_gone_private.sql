-- The functions of 0084 are their owners' and the tables' alone, as all others are.
set local role cp_definer;
revoke all on function app.follow_client(), app.refuse_words(), app.keep_merged() from public;
set local role cp_owner;
