import * as z from 'zod';
import { lazy } from '../core/lazy.ts';
import { PROBLEM_PAGE } from '../http/problem.ts';
import { moreMembers } from '../http/problem-members.ts';
import type { Schema } from '../http/schemas.ts';

const MOST_ITEMS = 500;

const MODE = lazy(() =>
  z
    .enum(['atomic', 'partial'])
    .describe('`atomic`: all or nothing. `partial`: what can be stored is, the rest is reported.'),
);
const items = <S extends z.ZodType>(item: S) =>
  z.array(item).min(1, 'Must have at least one item.').max(MOST_ITEMS, `Must have at most ${MOST_ITEMS} items.`);

/** Items are validated one by one, so that one fault does not hide what is right with the others. */
export const BulkEnvelope = lazy(() => z.strictObject({ mode: MODE(), items: items(z.unknown()) }));

/** The body as the OpenAPI document shows it. */
export const bulkBody = (item: Schema) => lazy(() => z.strictObject({ mode: MODE(), items: items(item()) }));

const ItemProblem = lazy(() =>
  z.object({
    type: z.string().optional(),
    title: z.string().optional(),
    status: z.int(),
    code: z.string(),
    detail: z.string().optional(),
    errors: z.array(z.object({ pointer: z.string().optional(), code: z.string(), detail: z.string() })).optional(),
    errorsOmitted: z.int().optional().describe('How many more faults the item has.'),
    ...moreMembers(),
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
            problem: ItemProblem().describe(
              'All problems together have 64 KB: where that is used up, further ones are their status, their code and the number of their faults.',
            ),
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
