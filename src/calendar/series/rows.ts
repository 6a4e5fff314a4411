import { type SQL, sql } from 'drizzle-orm';
import type * as z from 'zod';
import { instantTexts, minuteOf } from '../../core/civil.ts';
import type { Row } from '../../data/log.ts';
import type { RowOf } from '../../resources/fields.ts';
import type { appointments } from '../appointments/table.ts';
import type { Planned } from './occurrences.ts';
import type { SeriesPatch } from './schema.ts';
import type { series } from './table.ts';

export type SeriesRow = RowOf<typeof series> & Row;

/** What a request to change a series asks for. */
export type Edit = z.output<ReturnType<typeof SeriesPatch>>;

/** An occurrence as it is booked; `localStart`: where the series has it, wherever it was moved since. */
export type Booked = Pick<
  RowOf<typeof appointments>,
  'id' | 'starts_at' | 'status' | 'services' | 'resources' | 'allow_overlap'
> & { localStart: string; localNow: string };

/** In the order of the series. */
export const occurrencesOf = (companyId: string, seriesId: string): SQL<{ row: Booked }> =>
  sql<{
    row: Booked;
  }>`select jsonb_build_object('id', a.id, 'starts_at', a.starts_at, 'status', a.status, 'services', a.services,
      'resources', a.resources, 'allow_overlap', a.allow_overlap, 'localStart', to_char(a.original_start, 'YYYY-MM-DD"T"HH24:MI'),
      'localNow', to_char(case when a.time_zone = s.time_zone then a.local_date + a.local_start else app.local_at(s.time_zone, a.starts_at) end, 'YYYY-MM-DD"T"HH24:MI')) as row
    from appointments a join series s on s.company_id = a.company_id and s.id = a.series_id
    where a.company_id = ${companyId}::uuid and a.series_id = ${seriesId}::uuid order by a.original_start`;

/** Those that stay where they are. */
export const standing = (targets: readonly Booked[]): Planned[] => {
  const instants = instantTexts(targets.map((each) => minuteOf(each.starts_at)));
  return targets.map(({ id, localNow }, i) => ({
    id,
    localStart: localNow,
    startsAt: instants[i] ?? null,
    verdict: 'OK',
  }));
};
