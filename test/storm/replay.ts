import type pg from 'pg';
import { type Change, type ChangeRow, readChange } from '../../src/data/log.ts';

const CHUNK = 2000;

/** Every change of a company in order, read in chunks. */
export async function replay(client: pg.Client, companyId: string, take: (change: Change) => void): Promise<void> {
  for (let at = 0; ; ) {
    const { rows } = await client.query<ChangeRow>(
      'select * from changes where company_id = $1 and revision > $2 order by revision limit $3',
      [companyId, at, CHUNK],
    );
    if (rows.length === 0) return;
    for (const change of rows.map(readChange)) {
      take(change);
      at = change.revision;
    }
  }
}
