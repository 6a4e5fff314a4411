import * as z from 'zod';
import { parseInstant } from '../../core/instant.ts';
import { lazy } from '../../core/lazy.ts';
import { externalId, instant, publicObject, text } from '../../http/schemas.ts';

const EXAMPLE = { startsAt: '2026-07-06T22:00:00.000Z', endsAt: '2026-07-20T22:00:00.000Z', reason: 'Holiday' };

/** As UTC text. */
const anInstant = () =>
  z.string().transform((value, ctx) => {
    const parsed = parseInstant(value);
    if (parsed !== null) return parsed;
    ctx.addIssue({
      code: 'custom',
      message: 'Must be an RFC 3339 instant with offset, such as 2026-01-31T09:00:00Z.',
      params: { code: 'invalid_instant' },
    });
    return z.NEVER;
  });

export const TimeOffCreate = lazy(() =>
  z
    .strictObject({
      startsAt: anInstant().describe('From when on.'),
      endsAt: anInstant().describe('Until when, that moment not included.'),
      reason: text().nullable().optional().describe('As colleagues see it.'),
      externalId: externalId().nullable().optional(),
    })
    .refine(({ startsAt, endsAt }) => startsAt < endsAt, {
      path: ['endsAt'],
      message: 'Must be after startsAt.',
      params: { code: 'out_of_range' },
    })
    .meta({ id: 'TimeOffCreate', examples: [EXAMPLE] }),
);

const ID = '01h455vb4pex5vsknk084sn02q';

export const TimeOffView = publicObject(
  'TimeOff',
  { id: `toff_${ID}`, staffId: `stf_${ID}`, resourceId: null, ...EXAMPLE, source: 'MANUAL' },
  () => ({
    staffId: z.string().nullable().describe('Who is away; null: a resource is out of use.'),
    resourceId: z.string().nullable().describe('What is out of use; null: a staff member is away.'),
    startsAt: instant('From when on.'),
    endsAt: instant('Until when, that moment not included.'),
    reason: z.string().nullable().describe('As colleagues see it.'),
    source: z.string().describe('Where it came from: MANUAL, and more in time.'),
  }),
);
