import type { Grant } from '../core/ticket.ts';
import { eventOf } from '../data/event.ts';
import type { Change } from '../data/log.ts';
import { ERASED, type Registry } from '../data/registry.ts';
import type { Audience } from './hub/audience.ts';

/** What accounts know of those who listen. */
export type GrantRules = Pick<Audience, 'may' | 'grantAfter'>;

/** Everybody may know that much of their company. */
const anybody = (_: Grant): boolean => true;

/** What rooms know of the company's resources and people, from what these say of themselves. */
export function audienceOf(registry: Registry, { may, grantAfter }: GrantRules): Audience {
  const topics = new Map([...registry.values()].map(({ topic, permission }) => [topic, permission]));
  return {
    topics,
    may: (grant, permission) => (permission === topics.get('company') ? anybody(grant) : may(grant, permission)),
    grantAfter,
    purges: (change: Change) => registry.get(change.entity)?.tagsTouched(change).includes(ERASED) === true,
    render(change) {
      const event = eventOf(registry, null, change);
      const logged = registry.get(change.entity);
      if (event === null || logged === undefined) return null;
      const { topic, permission } = logged;
      return { revision: change.revision, topic, permission, text: JSON.stringify(event) };
    },
  };
}
