import { apiKey } from './account/api-keys/resource.ts';
import { company } from './account/company/resource.ts';
import { user } from './account/users/resource.ts';
import { invoice } from './billing/invoices/resource.ts';
import { payment, refund } from './billing/payments/resource.ts';
import { appointment } from './calendar/appointments/resource.ts';
import { calendar } from './calendar/feeds/resource.ts';
import { hold } from './calendar/holds/resource.ts';
import { series } from './calendar/series/resource.ts';
import { branch } from './catalog/branches/resource.ts';
import { bookableResource } from './catalog/resources/resource.ts';
import { service } from './catalog/services/resource.ts';
import { staffMember } from './catalog/staff/resource.ts';
import { timeOff } from './catalog/time-off/resource.ts';
import { lazy } from './core/lazy.ts';
import type { ConstraintMeaning } from './data/postgres-errors.ts';
import { makeRegistry, PLAIN_ACTIONS, type Registry } from './data/registry.ts';
import type { Logged } from './insight/events/schema.ts';
import { client } from './people/clients/resource.ts';
import { type Importers, makeImporters } from './resources/importer.ts';
import type { Resource } from './resources/resource.ts';
import { alert } from './webhooks/alerts/resource.ts';
import { webhook } from './webhooks/endpoints/resource.ts';

/** Every logged resource. A new one adds its line. */
export const resources: readonly Resource[] = [
  ...[company, user, apiKey, branch, staffMember, service, bookableResource, timeOff, client],
  ...[appointment, series, hold, calendar, invoice, payment, refund, webhook, alert],
];

/** What relay, rooms, events and cache know of them. */
export const registry: Registry = makeRegistry(resources);

/** The same as the OpenAPI document shows their events. */
export const logged = lazy((): readonly Logged[] =>
  resources.map(({ entity, topic, shown, actions = [] }) => ({
    ...{ entity, topic, view: shown },
    actions: [...PLAIN_ACTIONS, ...actions],
  })),
);

/** Those whose rows can be imported. */
export const importers = lazy((): Importers => makeImporters(resources.flatMap(({ importer }) => importer ?? [])));

/** What a violated constraint means to a caller. */
export const constraints = lazy(
  (): Readonly<Record<string, ConstraintMeaning>> =>
    Object.assign({}, ...resources.map((resource) => resource.constraints)),
);
