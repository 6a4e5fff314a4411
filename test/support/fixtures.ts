import { accountFixtures } from './fixtures/account.ts';
import { billingFixtures } from './fixtures/billing.ts';
import { calendarFixtures } from './fixtures/calendar.ts';
import { catalogFixtures } from './fixtures/catalog.ts';
import type { Fixture } from './fixtures/fixture.ts';
import { peopleAndLogFixtures } from './fixtures/people-and-log.ts';

export { type Fixture, type Kit, type Refusal, unique } from './fixtures/fixture.ts';

/** ONE place for all resources, by topic: the first part of their paths. A route without a fixture fails the suite. */
export const fixtures: Record<string, Fixture> = {
  ...accountFixtures,
  ...catalogFixtures,
  ...peopleAndLogFixtures,
  ...billingFixtures,
  ...calendarFixtures,
};
