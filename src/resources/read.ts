import type { SQL } from 'drizzle-orm';
import { shortHash } from '../core/hash.ts';
import { parseMinRevision } from '../core/revision.ts';
import { announceSnapshot } from '../data/announce.ts';
import type { Loaded, ReadAnswer, ReadDemand, ReadPlan } from '../data/answer.ts';
import type { Admission } from '../data/caller.ts';
import { behind } from '../data/ctx.ts';
import type { Snapshot } from '../data/log.ts';
import type { RowsOf } from '../data/query.ts';
import type { TagRow } from '../data/tags.ts';
import { shareOf, WeighedMap } from '../data/weighed.ts';
import { admissionOf } from '../http/admission.ts';
import type { Handler } from '../http/authenticate.ts';
import { type AppContext, claimantOf, type Principal } from '../http/context.ts';
import { send } from '../http/send.ts';
import { headOf, refuse } from './admitted.ts';
import { asksForFresh, fixedHeaders } from './cache-headers.ts';
import { type Charge, type Charged, type Computed, type Kind, paced } from './computing.ts';
import type { Look } from './planned.ts';
import { taken } from './taken.ts';

/** Server-side lifetimes of the brief, seconds. Revisions decide validity; these only bound what is kept. */
export const TTL = { list: 1800, detail: 3600, user: 900, analytics: 1800 } as const;

/** A query as a route understands it: `normalised` names everything in it that changes the answer. */
export type ParsedQuery = {
  normalised: string;
  /** Until when the same URL means the same, ms; absent: always. */
  until?: number;
};

/** What of a GET route says who may ask, and what the answer depends on. */
type CachedRoute<Q extends ParsedQuery> = {
  /** Name of the route in keys and logs. */
  name: string;
  /** Bumped when the answer's shape changes, so that a deploy never serves the old one. */
  version: number;
  permission: string | null;
  /** What of the caller changes the answer, such as a role; absent: all who may read see the same. */
  scope?: (principal: Principal) => string;
  /** Whether it does at this URL; absent: at every one. */
  isScoped?: (url: string) => boolean;
  ttl: number;
  /** How old an answer may be that writes have outdated, ms; absent: none is given (F2). */
  maxStale?: number;
  /** Units of the rate limit. */
  weight?: number;
  /** What it takes to compute one besides its bytes, KiB (computing.ts). */
  effort?: number;
  /** Whether one may be large of which nobody has seen any; absent: none is. */
  mayBeLarge?(query: Q): boolean;
  /** Whether it keeps a processor of the database busy; absent: it does not. */
  isHeavy?(query: Q): boolean;
  parse(params: URLSearchParams, principal: Principal, c: AppContext): Q;
  tags(query: Q, principal: Principal): readonly string[];
  /** Answers carry a Link, which a 304 repeats: then one is not given from the tags alone. */
  linked?: true;
};

/** How one GET route reads: what it needs, what it depends on, and how its answer is made from one snapshot. */
export type ReadRoute<Q extends ParsedQuery, S extends readonly SQL[]> = CachedRoute<Q> & {
  statements(query: Q, principal: Principal): S;
  /** Reads what one answer of Postgres did not hold, into the rows, as of the same revision. */
  complete?(work: Charged, query: Q, principal: Principal, taken: Snapshot<S>): Promise<void>;
  /** The body, serialised. @throws AppError not_found */
  answer(
    rows: RowsOf<S>,
    query: Q,
    principal: Principal,
    c: AppContext,
  ): { body: Loaded['body']; link?: string | null; validUntil?: number | null };
};

/** A body, and the moment of the company that it is of. */
export type Assembled = Omit<Loaded, 'link'>;

/** A route whose answer is put together from parts that outlive it. */
export type AssembledRoute<Q extends ParsedQuery> = CachedRoute<Q> & {
  /**
   * @param of `row`: a reading of the tags from before; `look`: null where Postgres is not to be asked
   * @returns null where it would have to be
   */
  assemble(of: {
    query: Q;
    companyId: string;
    row: TagRow | null;
    look: Look | null;
    c: AppContext;
  }): Promise<Assembled | null>;
};

type Prepared<Q> = { query: Q; plan: ReadPlan };

/** A parsed request beside its URL, which it holds in four forms (measured: bench/heap.ts). */
const PREPARED_BYTES = 1500;
/** Parsed requests by URL and scope, so that a repeated URL is neither parsed nor hashed again. Plain data, bounded. */
const remembered = new WeighedMap<Prepared<ParsedQuery>>(shareOf('requests'));

/** How a route computes what the cache does not have. */
type Computing<Q> = (c: AppContext, query: Q, { min, bypass }: ReadDemand, admission: Admission) => Computed;

/** The handler of a cached GET. */
export function read<Q extends ParsedQuery, const S extends readonly SQL[]>(route: ReadRoute<Q, S>): Handler {
  return cached(route, (c, query, { min }, admission) => ({
    load: (unsure, _row, charge) => load(c, route, { query, min, unsure: unsure ? admission : null, charge }),
  }));
}

/** The same of one that is put together. */
export function readAssembled<Q extends ParsedQuery>(route: AssembledRoute<Q>): Handler {
  return cached(route, (c, query, { min, bypass }, admission) => {
    const { companyId } = claimantOf(c);
    const assemble = async (row: TagRow | null, look: Look | null): Promise<Loaded | null> => {
      const assembled = await route.assemble({ query, companyId, row, look, c });
      return assembled === null ? null : { ...assembled, link: null };
    };
    return {
      compose: (row) => assemble(row, null),
      async load(unsure, row) {
        const look: Look = (queries) => taken(c, route.name, queries, { min, unsure: unsure ? admission : null });
        // Who asks for nothing that was computed before is given nothing that was kept.
        const loaded = await assemble(bypass ? null : row, look);
        if (loaded === null) throw new Error(`${route.name} was not assembled`);
        return loaded;
      },
    };
  });
}

function cached<Q extends ParsedQuery>(route: CachedRoute<Q>, computing: Computing<Q>): Handler {
  return function readThroughCache(c) {
    const principal = claimantOf(c);
    const { url } = c.req;
    // What the answer's scope depends on must be known before its place in the cache is.
    const scoping = route.isScoped?.(url) === false ? undefined : route.scope;
    const answer = (): ReturnType<Handler> => answerOf(c, url, scoping?.(principal) ?? '');
    const proof = scoping !== undefined && !principal.proven ? principal.prove?.() : undefined;
    return proof === undefined ? answer() : proof.then(answer);
  };

  function answerOf(c: AppContext, url: string, scope: string): ReturnType<Handler> {
    const { ctx, deps } = c.env;
    const { headers } = c.req.raw;
    const { permission, weight = 1 } = route;
    let min: number;
    let prepared: Prepared<Q>;
    try {
      min = parseMinRevision(headers.get('Min-Revision'));
      prepared = preparedOf(c, url, route, scope);
    } catch (error) {
      return refuse(c, weight, error);
    }
    const admission = admissionOf(c, { permission, weight }, 'read');
    const { query, plan } = prepared;
    // `fetch` adds no-cache by itself to a request with If-None-Match (Fetch standard), which asks for the opposite.
    const ifNoneMatch = headers.get('If-None-Match');
    // `*` matches whatever is there (RFC 9110, 13.1.2), so whether anything is must be known first.
    const anything = ifNoneMatch?.trim() === '*';
    const demand = {
      min,
      ifNoneMatch: anything ? null : ifNoneMatch,
      bypass: ifNoneMatch === null && asksForFresh(headers.get('Cache-Control')),
    };
    const answer = deps.cache.read({
      ctx,
      plan,
      demand,
      admission,
      origin: () => ({
        ...paced(c.env, kindOf(route, prepared), computing(c, query, demand, admission)),
        confirm: (unsure) => headOf(c, unsure ? admission : null),
        heal: (head) => announceSnapshot({ ctx: behind(ctx), deps }, plan.companyId, head),
      }),
    });
    return answer instanceof Promise ? answer.then((found) => told(c, found, anything)) : told(c, answer, anything);
  }
}

const kindOf = <Q extends ParsedQuery>(
  { name, effort, mayBeLarge, isHeavy }: CachedRoute<Q>,
  { query, plan }: Prepared<Q>,
): Kind => ({
  companyId: plan.companyId,
  name,
  effort,
  mayBeLarge: mayBeLarge?.(query) === true,
  isHeavy: isHeavy?.(query) === true,
});

function told(c: AppContext, answer: ReadAnswer, anything: boolean): Response {
  const { ctx, deps } = c.env;
  deps.tally.read(ctx, answer.outcome, answer.tier);
  const unchanged = anything || answer.status === 304;
  return send(c, {
    status: unchanged ? 304 : 200,
    body: unchanged ? null : answer.body,
    revision: answer.revision,
    fixed: fixedHeaders(answer, 'application/json'),
    headers: answer.link === null ? { etag: answer.etag } : { etag: answer.etag, link: answer.link },
  });
}

function preparedOf<Q extends ParsedQuery>(
  c: AppContext,
  url: string,
  route: CachedRoute<Q>,
  scope: string,
): Prepared<Q> {
  const { deps } = c.env;
  const principal = claimantOf(c);
  const path = url.slice(url.indexOf('/', 8));
  const memo = `${principal.companyId} ${scope} ${route.name} ${path}`;
  // The memo's key names the route, so what comes back was put in by this very route.
  const known = remembered.get(memo) as Prepared<Q> | undefined;
  const until = known?.query.until;
  if (known !== undefined && (until === undefined || c.env.ctx.now() < until)) return known;
  const start = path.indexOf('?');
  const query = route.parse(new URLSearchParams(start < 0 ? '' : path.slice(start)), principal, c);
  const representation = shortHash(
    `${route.name}\n${route.version}\n${principal.companyId}\n${scope}\n${query.normalised}`,
  );
  const plan: ReadPlan = {
    companyId: principal.companyId,
    key: deps.redis.key(principal.companyId, route.version, scope, route.name, representation),
    representation,
    tags: route.tags(query, principal),
    ttl: route.ttl,
    linked: route.linked === true,
    ...(route.maxStale !== undefined && { maxStale: route.maxStale }),
  };
  const made = { query, plan };
  remembered.set(memo, made, 3 * path.length + PREPARED_BYTES);
  return made;
}

async function load<Q extends ParsedQuery, S extends readonly SQL[]>(
  c: AppContext,
  route: ReadRoute<Q, S>,
  { query, min, unsure, charge }: { query: Q; min: number; unsure: Admission | null; charge: Charge },
): Promise<Loaded> {
  const principal = claimantOf(c);
  const isHeavy = route.isHeavy?.(query) === true;
  const found = await taken(c, route.name, route.statements(query, principal), { min, unsure, isHeavy });
  await route.complete?.({ ...c.env, charge }, query, principal, found);
  const { body, link = null, validUntil = null } = route.answer(found.rows, query, principal, c);
  return { epoch: found.epoch, revision: found.revision, body, link, validUntil };
}
