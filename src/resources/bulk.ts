import { sql } from 'drizzle-orm';
import * as z from 'zod';
import { AppError, type Fault } from '../core/errors.ts';
import { formatId, newUuid } from '../core/id.ts';
import { lazy } from '../core/lazy.ts';
import { type RowFault, rowError } from '../data/postgres-errors.ts';
import { write } from '../data/write.ts';
import { validate, validateShell } from '../http/body.ts';
import { type AppContext, principalOf } from '../http/context.ts';
import { FaultRoom, MOST_FAULTS, omittedOf } from '../http/faults.ts';
import { PROBLEM_PAGE, problemOf } from '../http/problem.ts';
import type { Schema } from '../http/schemas.ts';
import { sendJson } from '../http/send.ts';
import { submitted } from './admitted.ts';
import { readBody, refuseOverLimit } from './change.ts';
import { claimOf } from './idempotency.ts';
import { turnToRead } from './reading.ts';
import type { Resource } from './resource.ts';
import { newRow } from './row-sql.ts';

/** A bulk costs what five requests do (contract-details A13). */
const WEIGHT = 5;
const MOST_ITEMS = 500;

const MODE = lazy(() =>
  z
    .enum(['atomic', 'partial'])
    .describe('`atomic`: all or nothing. `partial`: what can be stored is, the rest is reported.'),
);
const items = <S extends z.ZodType>(item: S) =>
  z.array(item).min(1, 'Must have at least one item.').max(MOST_ITEMS, `Must have at most ${MOST_ITEMS} items.`);

/** Items are validated one by one, so that one fault does not hide what is right with the others. */
const Envelope = lazy(() => z.strictObject({ mode: MODE(), items: items(z.unknown()) }));

/** The body as the OpenAPI document shows it. */
export const bulkBody = (item: Schema) => lazy(() => z.strictObject({ mode: MODE(), items: items(item()) }));

const ItemProblem = lazy(() =>
  z.object({
    type: z.string(),
    title: z.string(),
    status: z.int(),
    code: z.string(),
    detail: z.string(),
    errors: z.array(z.object({ pointer: z.string().optional(), code: z.string(), detail: z.string() })).optional(),
    errorsOmitted: z.int().optional().describe('How many more faults the item has.'),
  }),
);

export const BulkResult = lazy(() =>
  z
    .object({
      data: z.array(
        z.union([
          z.object({ index: z.int(), status: z.literal(201), id: z.string() }),
          z.object({
            index: z.int(),
            status: z.int().describe('As the item alone would have been answered.'),
            problem: ItemProblem(),
          }),
        ]),
      ),
    })
    .meta({
      id: 'BulkResult',
      examples: [
        {
          data: [
            { index: 0, status: 201, id: 'clnt_01h455vb4pex5vsknk084sn02q' },
            {
              index: 1,
              status: 409,
              problem: {
                type: `${PROBLEM_PAGE}external_id_taken`,
                title: 'The external id is taken',
                status: 409,
                code: 'external_id_taken',
                detail: 'Another client has this external id.',
                errors: [
                  {
                    pointer: '/items/1/externalId',
                    code: 'external_id_taken',
                    detail: 'Another client has this external id.',
                  },
                ],
              },
            },
          ],
        },
      ],
    }),
);

type Creatable = Resource & { readonly create: Schema<z.ZodObject> };

type Verdict = { index: number; id: string } | RowFault;

/** POST /<resource>/bulk: creates up to 500 objects in one transaction (contract-details C). */
export function bulk(resource: Creatable): (c: AppContext) => Promise<Response> {
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
          // 429 before the wait for a turn, as everywhere.
          refuseOverLimit(c);
          await turnToRead(c.env, companyId, WEIGHT);
          const value = await readBody(c);
          return { value, claim: claimOf(c, {}, value) };
        },
        judge: ({ value }) => check(resource, value),
      },
    );
    const { atomic, rows, refused } = body;
    const order = {
      companyId,
      writer: principal.writer(resource.writePermission),
      name,
      claim: raw.claim,
      // Indexes, ids and names of constraints: nothing personal is kept.
      kept: { status: 200, entityId: null, result: sql`select current_setting('app.result')::jsonb` },
      admission,
      units: WEIGHT,
    };
    const committed = await write(c.env, order, [
      sql`select app.bulk_insert(${resource.tableName}, ${JSON.stringify(rows)}::jsonb, ${atomic}::boolean)`,
      sql<{ verdicts: Verdict[] }>`select current_setting('app.result')::jsonb as verdicts`,
    ]);
    const { replay } = committed;
    const verdicts = replay === null ? (committed.rows[1][0]?.verdicts ?? []) : (replay.result as Verdict[]);
    const stored = verdicts.map((verdict) =>
      'id' in verdict ? verdict : { index: verdict.index, error: rowError(verdict, deps.constraints) },
    );
    const room = new FaultRoom();
    const data = [...stored, ...refused]
      .sort((a, b) => a.index - b.index)
      .map((verdict) =>
        'id' in verdict
          ? { index: verdict.index, status: 201, id: formatId(resource.prefix, verdict.id) }
          : reported(verdict, room),
      );
    const headers: Record<string, string> = { 'Cache-Control': 'no-store' };
    if (replay !== null) headers['Idempotency-Replayed'] = 'true';
    return sendJson(c, 200, { data }, { revision: committed.head, headers });
  };
}

/** An item that is not stored, and why. */
type Refused = { index: number; error: AppError };

/** Members of items that are checked without a pause. */
const SLICE = 500;

/** A pause in which the isolate serves others: five hundred items are half a second of work, when somebody wants them to be. */
const pause = (): Promise<void> => new Promise((resolve) => setTimeout(resolve, 0));

const membersOf = (item: unknown): number => (typeof item === 'object' && item !== null ? Object.keys(item).length : 1);

/** The rows to insert, and the items that are none. @throws AppError empty_body, invalid_body */
async function check(resource: Creatable, value: unknown) {
  if (value === undefined) throw new AppError('empty_body', 'This needs a JSON body.');
  const { mode, items } = validateShell(Envelope(), value);
  const rows: { index: number; row: Readonly<Record<string, unknown>> }[] = [];
  const refused: Refused[] = [];
  let checked = 0;
  for (const [index, item] of items.entries()) {
    if (checked >= SLICE) {
      await pause();
      checked = 0;
    }
    checked += membersOf(item);
    try {
      rows.push({ index, row: newRow(resource, newUuid(), validate(resource.create(), item ?? null)) });
    } catch (error) {
      if (!(error instanceof AppError)) throw error;
      refused.push({ index, error });
    }
  }
  if (mode === 'atomic' && refused.length > 0) throw together(refused);
  return { atomic: mode === 'atomic', rows, refused };
}

/** The refusal of an atomic bulk: the first faults of all its items, and how many more there are. */
function together(refused: readonly Refused[]): AppError {
  const faults: Fault[] = [];
  let errorsOmitted = 0;
  for (const each of refused) {
    const own = faultsOf(each).slice(0, MOST_FAULTS - faults.length);
    faults.push(...own);
    errorsOmitted += each.error.faults.length - own.length + omittedOf(each.error);
  }
  return new AppError('invalid_body', 'Nothing was stored; see errors.', { faults, extra: { errorsOmitted } });
}

const faultsOf = ({ index, error }: Refused): Fault[] =>
  error.faults.map((fault) => ({ ...fault, pointer: `/items/${index}${fault.pointer ?? ''}` }));

function reported(refused: Refused, room: FaultRoom) {
  const { index, error } = refused;
  const placed = new AppError(error.code, error.message, { faults: faultsOf(refused), extra: { ...error.extra } });
  const problem = problemOf(placed, room);
  return { index, status: problem.status, problem };
}
