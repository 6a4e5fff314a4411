import { expect } from 'vitest';
import type { Api, Json, Reply } from '../../support/api.ts';
import { openSalon } from '../../support/calendar-refusals.ts';
import { maker } from '../../support/made.ts';

export type Occurrence = { localStart: string; startsAt: string | null; verdict: string; appointmentId?: string };

export const occurrencesOf = (reply: Reply): Occurrence[] => {
  expect(reply.json.occurrences, reply.text).toBeDefined();
  return reply.json.occurrences as Occurrence[];
};
export const verdicts = (reply: Reply): string[] => occurrencesOf(reply).map(({ verdict }) => verdict);

/** A salon that books series. */
export async function openSeries(api: Api) {
  const salon = await openSalon(api);
  const work = { branchId: salon.branchId, services: [{ serviceId: salon.serviceId }] };
  const made = maker(api);
  return {
    salon,
    work,
    made,
    /** Somebody whose calendar is empty. */
    somebody: (more: Json = {}): Promise<string> =>
      made('/staff', { firstName: 'Sue', branchIds: [salon.branchId], serviceIds: [salon.serviceId], ...more }),
    series: (body: Json): Promise<Reply> => api.post('/appointments/series', { ...work, ...body }),
    async stored(reply: Reply): Promise<Json[]> {
      const list = await api.get(
        `/appointments?seriesId=${reply.json.id}&status=PENDING,CANCELLED,COMPLETED&sort=startsAt&limit=100`,
      );
      return list.json.data as Json[];
    },
  };
}
