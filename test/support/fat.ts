import { parseId } from '../../src/core/id.ts';
import type { Stack } from './world.ts';

/**
 * Clients of 100 kB each, in one statement: fifty custom fields of 2,000 characters, as many as the API takes.
 * @param companyId as the API shows it, or a uuid
 * @param name what their external ids begin with, after `fat-`
 * @param spelled of control characters, which JSON spells out with six bytes each
 */
export async function addFatClients(
  world: Pick<Stack, 'sql'>,
  companyId: string,
  count: number,
  name: string = '',
  spelled: boolean = false,
): Promise<void> {
  const company = parseId('comp', companyId) ?? companyId;
  const value = spelled ? 'repeat(chr(1), 2000)' : `repeat(md5(random()::text || n), 62) || repeat('x', 16)`;
  await world.sql(
    `insert into clients (company_id, id, first_name, external_id, custom_fields)
     select $1, uuidv7(), 'Fat ' || n, 'fat-' || $3 || n,
       (select jsonb_object_agg('field' || k, ${value}) from generate_series(1, 50) k) from generate_series(1, $2::int) n`,
    [company, count, name],
    'cp_owner',
  );
}
