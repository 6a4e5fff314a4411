import { type SQL, sql } from 'drizzle-orm';
import type * as z from 'zod';
import { AppError } from '../core/errors.ts';
import type { Committed, Guard } from '../data/log.ts';
import { last } from '../data/query.ts';
import { write } from '../data/write.ts';
import { type AppContext, principalOf } from '../http/context.ts';
import type { Schema } from '../http/schemas.ts';
import { sendJson } from '../http/send.ts';
import { submitted } from './admitted.ts';
import { type BulkItem, readItems } from './bulk-items.ts';
import { type Refused, shownVerdicts, together, told, type Verdict } from './bulk-verdicts.ts';
import { claimOf, isAnswered } from './idempotency.ts';
import { carryOut, type Look, lookOf, type Plan } from './planned.ts';
import { readBody } from './read-body.ts';
import type { Resource } from './resource.ts';
import { newRow } from './row-sql.ts';

/** A bulk costs what five requests do (contract-details A13). */
const WEIGHT = 5;

type Creatable<S extends z.ZodObject> = Resource & { readonly create: Schema<S> };

export type BulkRow = { index: number; row: Readonly<Record<string, unknown>> };
/** What is to be stored, each batch behind statements of its own; and what of the items cannot be. */
export type BulkPlan = {
  batches: readonly { before?: readonly SQL[]; rows: readonly BulkRow[] }[];
  refused: readonly Refused[];
  guard?: Guard | undefined;
};

/** Of a resource whose rows follow from what is read first, for all items at once. */
type BulkPlanning<B> = {
  plan?(items: readonly BulkItem<B>[], look: Look, c: AppContext): Promise<BulkPlan>;
  /** Refuses what would be written for too long while others wait. @throws AppError */
  bound?(items: readonly BulkItem<B>[]): void;
  /** What an item needs besides the permission of the route. */
  alsoNeeds?(body: B): string | null;
  /** What its sender must be able to read, as something is taken over from there. */
  alsoReads?(body: B): string | null;
};

/** POST /<resource>/bulk: creates up to 500 objects in one transaction (contract-details C). */
export function bulk<S extends z.ZodObject>(
  resource: Creatable<S>,
  planning?: BulkPlanning<z.output<S>>,
): (c: AppContext) => Promise<Response> {
  const name = `${resource.topic}.bulk`;
  return async function createMany(c) {
    const { deps } = c.env;
    const principal = principalOf(c);
    const { companyId } = principal;
    const { raw, body, admission } = await submitted(
      c,
      { permission: resource.writePermission, weight: WEIGHT },
      {
        async read() {
          const value = await readBody(c, WEIGHT);
          return { value, claim: claimOf(c, {}, value) };
        },
        judge: ({ value }) => readItems(resource, value),
      },
    );
    const { isAtomic, refused } = body;
    const { claim } = raw;
    const [items, forbidden, needed] = allowed(body.items, planning, (permission) => principal.may(permission));
    const writer = principal.writer(needed ?? resource.writePermission);
    const order = { companyId, writer, name, claim, admission, units: WEIGHT };
    let looking: Promise<Look> | undefined;
    const look = (): Promise<Look> => {
      looking ??= lookOf(c, admission, name);
      return looking;
    };
    const committed = await carryOut({
      ...{ work: c.env, companyId, look },
      async make(): Promise<Plan> {
        if (isAtomic && forbidden.length > 0) throw together(forbidden);
        planning?.bound?.(items);
        const plan =
          planning?.plan === undefined ? plainly(resource, items) : await planning.plan(items, await look(), c);
        const unplanned = [...forbidden, ...plan.refused];
        if (isAtomic && unplanned.length > 0) throw together(unplanned);
        return {
          statements: plan.batches.flatMap(({ before = [], rows }) => [
            ...before,
            sql`select app.bulk_insert(${resource.tableName}, ${JSON.stringify(rows)}::jsonb, ${isAtomic}::boolean)`,
            KEEP,
          ]),
          guard: plan.guard,
          // Indexes, ids, codes and names of constraints: nothing personal is kept.
          extra: sql`select current_setting('app.results')::jsonb || ${JSON.stringify(unplanned.map(told))}::jsonb`,
        };
      },
      write: ({ statements, guard, extra = sql`select '[]'::jsonb` }): Promise<Written> =>
        write(c.env, { ...order, guard, kept: { status: 200, entityId: null, result: extra } }, [
          ...statements,
          sql<{ verdicts: Verdict[] }>`select (${extra}) as verdicts`,
        ]),
      first: { answered: claim === undefined ? null : isAnswered(companyId, writer.actor, claim), expects: [] },
    });
    const { replay } = committed;
    const verdicts = replay === null ? (last(committed.rows)[0]?.verdicts ?? []) : (replay.result as Verdict[]);
    const data = shownVerdicts(resource, verdicts, refused, deps.constraints);
    const headers: Record<string, string> = { 'Cache-Control': 'no-store' };
    if (replay !== null) headers['Idempotency-Replayed'] = 'true';
    return sendJson(c, 200, { data }, { revision: committed.head, headers });
  };
}

type Written = Committed<readonly [...SQL[], SQL<{ verdicts: Verdict[] }>]>;

const plainly = <B extends Readonly<Record<string, unknown>>>(
  resource: Resource,
  items: readonly BulkItem<B>[],
): BulkPlan => ({
  batches: [{ rows: items.map(({ index, id, body }) => ({ index, row: newRow(resource, id, body) })) }],
  refused: [],
});

/** What was said of all batches so far. */
const KEEP = sql`select set_config('app.results',
  (coalesce(nullif(current_setting('app.results', true), ''), '[]')::jsonb || current_setting('app.result')::jsonb)::text, true)`;

/** The items that their sender may have stored, those that are not for them, and what the others need. */
function allowed<B>(
  items: readonly BulkItem<B>[],
  planning: BulkPlanning<B> | undefined,
  may: (permission: string) => boolean,
): [items: readonly BulkItem<B>[], forbidden: Refused[], needed: string | null] {
  const needs = items.map(({ body }) => planning?.alsoNeeds?.(body) ?? null);
  const needed = needs.find((each) => each !== null) ?? null;
  const lacking = items.map(({ body }, i) =>
    [needs[i], planning?.alsoReads?.(body)].find((each) => each != null && !may(each)),
  );
  const refused = items.flatMap(({ index }, i) => {
    const permission = lacking[i];
    return permission == null
      ? []
      : [{ index, error: new AppError('forbidden', `This needs the permission ${permission}.`) }];
  });
  if (refused.length === 0) return [items, [], needed];
  return [items.filter((_, i) => lacking[i] == null), refused, needed !== null && may(needed) ? needed : null];
}
