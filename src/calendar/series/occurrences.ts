import { sql } from 'drizzle-orm';
import { AppError } from '../../core/errors.ts';
import { formatId } from '../../core/id.ts';
import type { Offsets } from '../../core/offsets.ts';
import type { Look } from '../../resources/planned.ts';
import { maybe } from '../asked.ts';
import { type OccurrenceVerdict, occurrenceOf, type Placing } from '../series.ts';

/** What a request costs that may write as many rows as a bulk. */
export const WEIGHT = 5;

/** Of the branch, whose hours are kept, and of the zone in which the series keeps its time. */
export type Zones = { offsets: Offsets; told: Offsets };

/** An occurrence as it was planned, kept with an Idempotency-Key: nothing of it is personal. */
export type Planned = { id: string; localStart: string; startsAt: string | null; verdict: OccurrenceVerdict };

export const plannedOf = (placing: Placing): Planned => ({ id: placing.id, ...occurrenceOf(placing) });

/** As answers show them; `refused`: which of them the database found taken. `stored`: those that have an appointment. */
export const shownOccurrences = (
  planned: readonly Planned[],
  stored: (each: Planned) => boolean,
  refused: readonly number[] = [],
): Record<string, unknown>[] =>
  planned.map((each, i) => {
    const { id, localStart, startsAt } = each;
    const verdict = refused.includes(i) ? 'SLOT_TAKEN' : each.verdict;
    return {
      localStart,
      startsAt,
      verdict,
      ...(stored({ ...each, verdict }) && { appointmentId: formatId('appt', id) }),
    };
  });

export const isOk = ({ verdict }: Pick<Planned, 'verdict'>): boolean => verdict === 'OK';

/** @param occurrences as answers show them */
export function seriesConflict(occurrences: readonly Record<string, unknown>[]): AppError {
  const bad = occurrences.filter(({ verdict }) => verdict !== 'OK').length;
  return new AppError('series_conflict', `Nothing was stored: of ${occurrences.length} occurrences ${bad} cannot be.`, {
    extra: { occurrences },
  });
}

/** What a write would find out by itself. @throws AppError unknown_reference, erased */
export async function requireClient(look: Look, companyId: string, clientId: string | null | undefined): Promise<void> {
  const id = maybe('clnt', clientId);
  if (id === undefined) return;
  const { rows } = await look([
    sql<{
      erased: boolean;
    }>`select erased_at is not null as erased from clients where company_id = ${companyId}::uuid and id = ${id}::uuid`,
  ]);
  const [found] = rows[0];
  if (found?.erased === false) return;
  const code = found === undefined ? 'unknown_reference' : 'erased';
  const detail =
    found === undefined ? 'There is no such client.' : 'This client was erased: nothing new is kept of them.';
  throw new AppError(code, detail, { faults: [{ pointer: '/clientId', code, detail }] });
}
