import { NOBODY, parseId } from '../core/id.ts';
import type { Grant, Listener } from '../core/ticket.ts';
import { eventOf } from '../data/event.ts';
import type { FindList } from '../data/live-list.ts';
import type { Change } from '../data/log.ts';
import { ERASED, type Registry, type Viewer } from '../data/registry.ts';
import type { Audience } from './hub/audience.ts';

/** What accounts know of those who listen. */
export type GrantRules = Pick<Audience, 'may' | 'grantAfter'>;

/** Everybody may know that much of their company. */
const anybody = (_: Grant): boolean => true;

/** What rooms know of the company's resources and people, from what these say of themselves. */
export function audienceOf(registry: Registry, { may, grantAfter }: GrantRules, find: FindList): Audience {
  const topics = new Map([...registry.values()].map(({ topic, permission }) => [topic, permission]));
  const partial = [...registry.values()].flatMap(({ visibility }) => visibility ?? []);
  const tags = (change: Change): readonly string[] => registry.get(change.entity)?.tagsTouched(change) ?? [];
  return {
    topics,
    may: (grant, permission) => (permission === topics.get('company') ? anybody(grant) : may(grant, permission)),
    grantAfter,
    tags,
    list: (listener, path) => find(path, viewerOf(listener, may)),
    scope: (listener) => JSON.stringify([listener.grant, partial.map(({ scope }) => scope(viewerOf(listener, may)))]),
    purges: (change) => tags(change).includes(ERASED),
    render(change) {
      const event = eventOf(registry, null, change);
      const logged = registry.get(change.entity);
      if (event === null || logged === undefined) return null;
      const { topic, permission } = logged;
      return { revision: change.revision, topic, permission, text: JSON.stringify(event) };
    },
  };
}

/** Whoever listens, as a request of theirs would read. */
function viewerOf({ company, actor, grant }: Listener, may: GrantRules['may']): Viewer {
  const [kind, id = ''] = actor.split(':', 2);
  return {
    companyId: parseId('comp', company) ?? NOBODY,
    userId: kind === 'USER' ? id : null,
    role: 'role' in grant ? grant.role : null,
    may: (permission) => may(grant, permission),
  };
}
