import { DAY_MINUTES } from '../core/civil.ts';
import { busyTags } from './busy-days.ts';
import type { Wanted } from './load-catalogue.ts';

/** What is asked of a company's catalogue and calendar: whole days of UTC, and the tags that the answer rests on. */
export type Question = {
  wanted: Omit<Wanted, 'companyId' | 'busy'>;
  firstDay: number;
  days: number;
  /** Those of the catalogue, then those of each day. */
  tags: readonly string[];
  catalogueTags: number;
  /** Names the part of it that is no day's. */
  key: string;
};

type Asked = Pick<Wanted, 'branchId' | 'serviceIds' | 'staffIds' | 'kinds' | 'first' | 'last'>;

export function questionOf({ branchId, serviceIds, staffIds, kinds = [], first, last }: Asked): Question {
  const firstDay = Math.floor(first / DAY_MINUTES);
  const days = Math.ceil(last / DAY_MINUTES) - firstDay;
  const whom = staffIds === null ? null : [...new Set(staffIds)].sort();
  const services = [...new Set(serviceIds)].sort();
  const catalogue = [
    `branches/${branchId}`,
    ...services.map((id) => `services/${id}`),
    ...(whom === null ? ['staff'] : whom.map((id) => `staff/${id}`)),
    ...['resources', 'time-off'],
  ];
  const span = { first: firstDay * DAY_MINUTES, last: (firstDay + days) * DAY_MINUTES };
  const tags = catalogue.slice();
  for (let day = firstDay; day < firstDay + days; day += 1) tags.push(...busyTags(day, whom));
  return {
    wanted: { branchId, serviceIds: services, staffIds: whom, kinds, ...span },
    ...{ firstDay, days, tags, catalogueTags: catalogue.length },
    key: [branchId, services, whom ?? '*', [...new Set(kinds)].sort().map(encodeURIComponent), firstDay, days].join(
      ' ',
    ),
  };
}

/** Where among the tags of a day that one stands which a subject's bookings touch. */
export function tagWithinDay({ wanted: { staffIds } }: Question, subject: string): number {
  if (staffIds === null) return 0;
  const whose = staffIds.indexOf(subject);
  return whose < 0 ? staffIds.length : whose;
}

/** How many tags each day has. */
export const tagsOfDay = ({ wanted: { staffIds } }: Question): number => (staffIds === null ? 1 : staffIds.length + 1);
