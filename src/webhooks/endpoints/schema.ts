import * as z from 'zod';
import { callbackFault } from '../../core/callback-url.ts';
import { lazy } from '../../core/lazy.ts';
import { exampleOf, externalId, instant, publicObject, type Schema, text } from '../../http/schemas.ts';

/** What may happen to an entity, in the words of its event types. */
export type Happening = { entity: string; actions: readonly string[] };

/** An address that is called. */
export const callback = () =>
  z
    .string()
    .trim()
    .max(2000, 'Must have at most 2000 characters.')
    .superRefine((value, context) => {
      // Whether this very machine may be called, only a deployment knows: it is asked again there.
      const message = callbackFault(value, { loopback: true });
      if (message !== null) context.addIssue({ code: 'custom', message, params: { code: 'forbidden_url' } });
    });

const url = () =>
  callback().describe(
    'Where events are posted: `https://`, a public name, one of the ports 443, 2053, 2083, 2087, 2096, 8443. Redirects are not followed.',
  );

/** The members of a body; `type` is what one of its event types may be. */
const members = (type: z.ZodType<string>) => ({
  url: url(),
  types: z
    .array(type)
    .min(1, 'Must name at least one type.')
    .max(500, 'Must name at most 500 types.')
    .transform((types) => [...new Set(types)])
    .nullable()
    .optional()
    .describe('Only events of these types; null or absent: all.'),
  description: text().nullable().optional().describe('What it is for.'),
  externalId: externalId().nullable().optional(),
});

/** What a patch may say besides. */
const patched = (type: z.ZodType<string>) => ({
  ...members(type),
  isActive: z
    .boolean()
    .optional()
    .describe('False: nothing is sent until it is true again, which goes on where it stopped, as `restore` does.'),
});

/** The bodies as the resource knows them: of any types. */
export const anyWebhook: Schema<z.ZodObject> = lazy(() => z.strictObject(members(z.string())));
export const anyWebhookPatch: Schema<z.ZodObject> = lazy(() => z.strictObject(patched(z.string())).partial());

const EXAMPLE = { url: 'https://hooks.example.com/clientsplus', types: ['appointment.created', 'appointment.updated'] };

/** The same as callers send them: of the types there are. */
export function webhookBodies(happenings: readonly Happening[]) {
  const type = lazy(() => z.enum(happenings.flatMap(({ entity, actions }) => actions.map((a) => `${entity}.${a}`))));
  return {
    create: lazy(() => z.strictObject(members(type())).meta({ id: 'WebhookCreate', examples: [EXAMPLE] })),
    patch: lazy(() =>
      z
        .strictObject(patched(type()))
        .partial()
        .meta({ id: 'WebhookPatch', examples: [{ types: null }, { isActive: false }] }),
    ),
  };
}

const example = {
  id: 'whk_01h455vb4pex5vsknk084sn02q',
  ...EXAMPLE,
  description: null,
  isActive: true,
  disabledReason: null,
  disabledAt: null,
};

export const WebhookView = publicObject('Webhook', example, () => ({
  url: z.string().describe('Where events are posted.'),
  types: z.array(z.string()).nullable().describe('Only events of these types; null: all.'),
  description: z.string().nullable().describe('What it is for.'),
  isActive: z.boolean().describe('False: archived, by somebody or by itself; nothing is sent.'),
  disabledReason: z
    .enum(['GONE', 'FAILING'])
    .nullable()
    .describe('Why it was archived by itself: its receiver answered 410, or took nothing for three days.'),
  disabledAt: instant('When it was.').nullable(),
}));

export const WebhookWithSecret = lazy(() =>
  WebhookView()
    .extend({ secret: z.string().describe('Shown this once: what its messages are signed with.') })
    .meta({ id: 'WebhookWithSecret', examples: [{ ...exampleOf(example), secret: 'whsec_…' }] }),
);
