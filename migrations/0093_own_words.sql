-- Each write stores its own words. Those put off until there are four megabytes of them are put away by whoever comes then: a write of
-- another company, which waits for all of them; and until then every search reads them one by one.
alter index clients_search set (fastupdate = off);
select gin_clean_pending_list('clients_search');
