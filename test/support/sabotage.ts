import type { World } from './world.ts';

/** A function the application calls, as Postgres writes its heading. */
type Heading = { name: string; takes: string; gives: string };

/**
 * Puts a stand-in in the place of every function the application calls, each refusing with this SQLSTATE, and answers how
 * to put the real ones back. It is how the database says "deadlock", "too busy" or something nobody thought of.
 */
export async function sabotage(world: World, state: string): Promise<() => Promise<unknown>> {
  const headings = await world.sql<Heading>(
    `select p.proname as name, pg_get_function_arguments(p.oid) as takes, pg_get_function_result(p.oid) as gives
      from pg_proc p where p.pronamespace = 'app'::regnamespace and p.prokind = 'f' and p.prorettype <> 'trigger'::regtype`,
  );
  const stand = headings.map(
    ({ name, takes, gives }) =>
      `create function app."${name}"(${takes}) returns ${gives} language plpgsql as $$ begin raise exception using errcode = '${state}'; end $$;`,
  );
  await world.sql(
    `begin; alter schema app rename to app_away; create schema app; grant usage on schema app to public; ${stand.join('\n')} commit;`,
  );
  return () => world.sql('begin; drop schema app cascade; alter schema app_away rename to app; commit;');
}
