import { inject } from 'vitest';
import { operationOf } from './operations.ts';
import { answersSecret, CHILD, cached, mutations, ofChildren, pathTo, type Route, routes, takesId } from './routes.ts';

// Which paths are read, of all there are.

/** Queries of a list besides the plain one. */
export const queriesOf = (route: Route): string[] =>
  (ofChildren(route) ? route.fixture.childQueries : route.fixture.queries) ?? [];

/**
 * Paths of every cached GET: the plain one, its queries, and details with `fields`. `ids` names an object per topic; what belongs to
 * another object is read in a suite of its own.
 */
export function cachedPaths(ids: Record<string, string>): string[] {
  const plain = cached.filter(
    ({ spec, fixture, name }) => fixture.asks?.[name] === undefined && !CHILD.test(spec.path),
  );
  return plain.flatMap((route) => {
    const { spec, topic } = route;
    const id = ids[topic];
    if (takesId(route) && id === undefined) throw new Error(`no object of ${topic}`);
    const path = id === undefined ? spec.path : pathTo(route, id);
    const field = spec.detail?.fields.find((name) => name !== 'id');
    const more = spec.list === undefined ? (field === undefined ? [] : [`?fields=${field}`]) : queriesOf(route);
    return ['', ...more].map((query) => path + query);
  });
}

/** A share of them, another one at each of so many turns; in `npm run test:long` all of them. */
export const shareOf = <T>(all: readonly T[], turn: number, turns: number): T[] =>
  all.filter((_, index) => inject('thorough') || (index + turn) % turns === 0);

/** Of each topic a share of its routes, and one at least: where one topic is met by its first, the next one is by its second. */
export function shareOfEach(all: readonly Route[], turns: number): Route[] {
  const groups = Object.values(Object.groupBy(all, ({ topic }) => topic)) as Route[][];
  return groups.flatMap((group, turn) => {
    const share = shareOf(group, turn, turns);
    return share.length > 0 ? share : group.slice(turn % group.length).slice(0, 1);
  });
}

/** Routes of which registry-errors spells each fault in several ways; those of the others are brought about once, elsewhere. */
export const faulted: readonly Route[] = shareOfEach(routes, 3);

/** Those at which conventions has many ask at once under one Idempotency-Key. */
export const repeated: readonly Route[] = shareOfEach(
  mutations.filter((route) => route.method === 'POST' && !answersSecret(route)),
  3,
);

/** Of the queries of its own topic a write looks at so many parts. */
const PARTS = 5;

const topics = [...new Set(mutations.map((route) => route.topic))];
/** Of the others' paths so many parts, of which the writes to one topic look at one, those to the next at the next. */
const TOPICS = 3;

/**
 * What is read after the write of this turn to a topic: its own paths with a share of their queries, and of the others' plain
 * paths a share that comes round once with all writes to so many topics.
 */
export function pathsAt(topic: string, turn: number, turns: number, paths: readonly string[]) {
  const topicOf = (path: string) => operationOf('GET', path.split('?')[0] ?? '')?.topic;
  const plain = paths.filter((path) => !path.includes('?'));
  const isOwn = (path: string): boolean => topicOf(path) === topic;
  const queries = paths.filter((path) => path.includes('?') && isOwn(path));
  const others = plain.filter((path) => !isOwn(path));
  return {
    own: [...plain.filter(isOwn), ...shareOf(queries, turn, Math.min(turns, PARTS))],
    others: shareOf(others, turn + turns * (topics.indexOf(topic) % TOPICS), turns * TOPICS),
  };
}

/** The same, after each of the product's writes. */
export function pathsAfter({ topic, name }: Route, paths: readonly string[]) {
  const writes = mutations.filter((each) => each.topic === topic);
  return pathsAt(
    topic,
    writes.findIndex((each) => each.name === name),
    writes.length,
    paths,
  );
}
