import { type SQL, sql } from 'drizzle-orm';
import * as z from 'zod';
import { NOBODY, newUuid, uuidOf } from '../core/id.ts';
import { lazy } from '../core/lazy.ts';
import { parseIfMatch } from '../core/revision.ts';
import { admit } from '../data/admit.ts';
import { type Committed, type Kept, type Row, snapshot } from '../data/log.ts';
import { mayBeStored } from '../data/outcome.ts';
import { forgetEntries, renewIncarnation } from '../data/purge.ts';
import { last } from '../data/query.ts';
import { write } from '../data/write.ts';
import { validate } from '../http/body.ts';
import { type AppContext, principalOf, require } from '../http/context.ts';
import type { Schema } from '../http/schemas.ts';
import { send, sendJson } from '../http/send.ts';
import { bodyValidator } from '../http/validated.ts';
import { submitted } from './admitted.ts';
import { claimOf, isAnswered } from './idempotency.ts';
import { notFound } from './list.ts';
import { narrowedTo, type Parent, paramOf } from './parent.ts';
import { carryOut, type Look, lookOf, type Plan, type Told } from './planned.ts';
import { readBody } from './read-body.ts';
import type { Resource } from './resource.ts';
import { expectVersion, ownRows, rowOf, type WriteInput } from './row-sql.ts';
import { namingUnknown } from './unknown-references.ts';

/** The body of a verb that takes none: absent or empty. */
const Nothing = lazy(() => z.strictObject({}));

/** @throws AppError invalid_body for anything else than no body or an empty object */
export const validateNothing = (value: unknown): Record<string, never> =>
  validate(Nothing(), value === undefined ? {} : value);

/** One verb of a resource: a POST that creates, a PATCH, a DELETE or an action. */
export type WriteRoute<S extends z.ZodType> = {
  resource: Resource;
  /** Name in routes, logs and idempotency scopes: `clients.create`. */
  name: string;
  permission?: string;
  /** What a body needs besides: asked of the caller, and again within the transaction. */
  alsoNeeds?(body: z.output<S>): string | null;
  /** What a body that takes something over from elsewhere asks its sender to be able to read. */
  alsoReads?(body: z.output<S>): string | null;
  weight?: number;
  /** Absent: the verb takes no body, and ignores an empty one. */
  body?: Schema<S>;
  /** An absent body is an empty object. */
  optionalBody?: true;
  /** The id of the object: of the path, a new one, or the caller's company. */
  target: 'path' | 'new' | 'own';
  /** Whose the new object is: the path names one of these. */
  parent?: Resource;
  /** The same where it has its place below that one. */
  within?: Parent;
  /** 204: it is gone, and there is nothing to show. */
  status: 200 | 201 | 204;
  needsKey?: boolean;
  /** The answer holds a secret that is shown once: it is not kept, so an Idempotency-Key is ignored. */
  secret?: boolean;
  /** Work before the transaction, for callers who may: hashing a password, or rules of scope. @throws AppError */
  prepare?(input: WriteInput<z.output<S>>): Promise<void> | void;
  statements?(input: WriteInput<z.output<S>>): readonly SQL[];
  /** In the place of `statements`: what is to be written follows from what is read first, and holds while that does. */
  plan?(input: WriteInput<z.output<S>>, look: Look, c: AppContext): Promise<Plan>;
  /** Of what bodies that is so; absent: of all. */
  needsPlan?(body: z.output<S>): boolean;
  /** jsonb that the answer needs besides the object, kept with an Idempotency-Key; nothing personal. */
  extra?(input: WriteInput<z.output<S>>): SQL;
  /** How that jsonb is shown. */
  present?(extra: Record<string, unknown>): Record<string, unknown>;
  /** What was cached before may not be served any more, not even as stale, nor kept until its time is over. */
  purges?: boolean;
  /** The answer is that alone, without the object. */
  alone?: boolean;
};

/**
 * The handler of a write. The answer is the object as the log has it after this revision, so that an immediate answer
 * and a replay of it are one.
 */
export function change<S extends z.ZodType>(route: WriteRoute<S>): (c: AppContext) => Promise<Response> {
  const { resource, permission = resource.writePermission, weight = 1, optionalBody: optional = false, within } = route;
  const validateBody = route.body === undefined ? null : bodyValidator(route.body);
  return async function changeThroughLog(c) {
    const principal = principalOf(c);
    const { companyId } = principal;
    const [parent, parentId] = [within?.of ?? route.parent, ownerIn(c, route)];
    const param = within === undefined ? 'id' : paramOf(resource);
    const pathId = route.target === 'path' ? uuidOf(resource.prefix, c.req.param(param) ?? '') : null;
    const seen = within === undefined ? resource : narrowedTo(resource, within, parentId);
    const [named, namedId] = pathId === null ? [parent, parentId] : [seen, pathId];
    const exists = named === undefined ? undefined : () => mustExist(c, named, namedId);
    const { raw, body, admission } = await submitted(
      c,
      { permission, weight },
      {
        async read() {
          const value = await readBody(c);
          return { value, claim: claimOf(c, route, value) };
        },
        exists,
        judge: ({ value }) =>
          validateBody === null
            ? validateNothing(value)
            : validateBody(c, optional && value === undefined ? {} : value),
      },
    );
    const input: WriteInput<z.output<S>> = {
      companyId,
      principal,
      id: pathId ?? (route.target === 'own' ? companyId : newUuid()),
      parentId,
      body: body as z.output<S>,
      expected: parseIfMatch(c.req.header('If-Match')),
    };
    const needed = body === undefined ? null : (route.alsoNeeds?.(input.body) ?? null);
    const read = body === undefined ? null : (route.alsoReads?.(input.body) ?? null);
    const isHidden = read !== null && !principal.may(read);
    if (route.prepare !== undefined || route.purges === true || needed !== null || isHidden) {
      await admit(c.env, admission);
      if (isHidden) require(principal, read);
      if (needed !== null) require(principal, needed);
      await route.prepare?.(input);
      if (route.purges === true) await renewIncarnation(c.env, companyId);
    }
    const forget = (): void => {
      if (route.purges === true) forgetEntries(c.env, companyId);
    };
    const { claim } = raw;
    const writer = principal.writer(needed ?? permission);
    const order = { companyId, writer, name: route.name, claim, admission, units: route.weight };
    const perform = async ({ statements, guard, told, extra, contested }: Plan): Promise<Written | Told> => {
      if (told !== undefined) return told;
      const result = extra ?? route.extra?.(input);
      const kept: Kept = { status: route.status, entityId: input.id, ...(result !== undefined && { result }) };
      const present = sql<Present>`select ${resource.row} as row, (${result ?? sql`null::jsonb`}) as extra from ${resource.table} where ${ownRows(resource, principal)} and ${resource.id} = ${input.id}::uuid`;
      return write(c.env, { ...order, kept, guard, takes: contested?.marks }, [...statements, present]);
    };
    const committed = await carried(perform).catch(async (error: unknown) => {
      if (mayBeStored(error)) forget();
      throw await namingUnknown(c.env, companyId, body, error);
    });
    forget();
    if ('told' in committed) {
      const { told, revision } = committed;
      return sendJson(c, 200, told, { revision, headers: KEPT_BY_NOBODY });
    }
    return answer(c, route, committed);

    async function carried(own: (plan: Plan) => Promise<Written | Told>): Promise<Written | Told> {
      const { plan } = route;
      if (plan === undefined || route.needsPlan?.(input.body) === false)
        return own({ statements: route.statements?.(input) ?? [] });
      const look = await lookOf(c, admission, route.name);
      const expects = input.expected === null ? [] : [expectVersion(resource, input)];
      const answered = claim === undefined ? null : isAnswered(companyId, writer.actor, claim);
      return carryOut({
        ...{ work: c.env, companyId, look: async () => look, write: own },
        make: () => plan(input, look, c),
        first: { answered, expects },
      });
    }
  };
}

/** The object after its write, and what the answer needs besides. */
type Present = { row: Row; extra: Record<string, unknown> | null };
type Written = Committed<readonly [...SQL[], SQL<Present>]>;

const KEPT_BY_NOBODY = { 'Cache-Control': 'no-store' };

function answer<S extends z.ZodType>(c: AppContext, route: WriteRoute<S>, committed: Written): Response {
  const { resource } = route;
  const { replay } = committed;
  if (route.status === 204)
    return send(c, { status: 204, body: null, revision: committed.head, headers: KEPT_BY_NOBODY });
  const [present] = last(committed.rows);
  const row = replay === null ? present?.row : replay.image?.row;
  if (row === undefined) throw notFound(resource);
  const extra = (replay === null ? present?.extra : replay.result) as Present['extra'] | undefined;
  const view = resource.view(row, replay?.image?.schemaVersion ?? resource.version);
  const status = replay?.status ?? route.status;
  const headers: Record<string, string> = { ...KEPT_BY_NOBODY };
  if (status === 201) headers.Location = `${collectionOf(c, route)}/${view.id}`;
  if (replay !== null) headers['Idempotency-Replayed'] = 'true';
  c.env.ctx.note('entity', String(view.id));
  const shown = extra == null ? {} : route.present?.(extra);
  return sendJson(c, status, route.alone === true ? shown : { ...view, ...shown }, {
    revision: committed.head,
    headers,
  });
}

/** The id of the one whose the object is; nobody's where the path names none. */
const ownerIn = (c: AppContext, { parent, within }: Pick<WriteRoute<z.ZodType>, 'parent' | 'within'>): string => {
  const owner = within?.of ?? parent;
  return owner === undefined ? NOBODY : uuidOf(owner.prefix, c.req.param('id') ?? '');
};

/** Where a new object is read. */
function collectionOf<S extends z.ZodType>(c: AppContext, { resource, parent }: WriteRoute<S>): string {
  const { path } = c.req;
  return parent === undefined ? path : `${path.slice(0, path.indexOf(`/${parent.topic}/`))}/${resource.topic}`;
}

/** 404 before 422: whether the body of a write to nothing is right does not matter. */
export async function mustExist(c: AppContext, resource: Resource, id: string): Promise<void> {
  const { ctx, deps } = c.env;
  const principal = principalOf(c);
  const { companyId } = principal;
  const { rows } = await snapshot(ctx, { database: deps.read, companyId, name: 'exists' }, [
    sql`select 1 from ${resource.table} where ${rowOf(resource, { principal, id })}`,
  ]);
  if (rows[0].length === 0) throw notFound(resource);
}
