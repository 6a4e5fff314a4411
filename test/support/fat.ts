import { parseId } from '../../src/core/id.ts';
import type { Database } from './world.ts';

/** Custom fields as large as the API takes them: fifty of 2,000 characters. An expression of SQL. */
export const FAT_FIELDS = `(select jsonb_object_agg('field' || k, repeat(md5(random()::text || n), 62) || repeat('x', 16)) from generate_series(1, 50) k)`;

/** Clients of 100 kB each, in one statement; `companyId` as the API shows it, or a uuid. */
export async function addFatClients(world: Pick<Database, 'sql'>, companyId: string, count: number): Promise<void> {
  const company = parseId('comp', companyId) ?? companyId;
  await world.sql(
    `insert into clients (company_id, id, first_name, external_id, custom_fields)
     select $1, uuidv7(), 'Fat ' || n, 'fat-' || n, ${FAT_FIELDS} from generate_series(1, $2::int) n`,
    [company, count],
    'cp_owner',
  );
}
