import * as z from 'zod';
import { lazy } from '../../core/lazy.ts';
import { moneyView } from '../../http/money.ts';
import {
  bodyOf,
  email,
  exampleOf,
  externalId,
  instant,
  notes,
  nullish,
  phone,
  publicObject,
  text,
  verbatim,
} from '../../http/schemas.ts';
import { CLIENT_STATUSES } from './table.ts';

/** Tags are short labels; a repeat says nothing more. */
const tags = () =>
  z
    .array(text(50))
    .max(50, 'Must have at most 50 tags.')
    .transform((list) => [...new Set(list)]);

// Kept as sent: neither trimmed nor normalised. What a double cannot hold would come back as another number.
const whole = {
  message: 'Must be within ±9007199254740991; send larger ones as text.',
  params: { code: 'out_of_range' },
};
const exact = (value: number): boolean => !Number.isInteger(value) || Number.isSafeInteger(value);
const scalar = lazy(() => z.union([verbatim(2000), z.number().refine(exact, whole), z.boolean()]));
const KEYS = { message: 'Must have at most 50 keys.', params: { code: 'too_big' } };
const fewKeys = (value: object): boolean => Object.keys(value).length <= 50;
const fieldName = () => verbatim(100).min(1, 'Must not be empty.');
const customFields = () => z.record(fieldName(), scalar().nullable()).refine(fewKeys, KEYS);
/** What a new client is merged into has no members yet (RFC 7396): null says nothing. */
const given = (fields: z.output<ReturnType<typeof customFields>>) =>
  Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== null));

const fields = () => ({
  firstName: text(),
  lastName: text(),
  email: email(),
  phone: phone(),
  notes: notes(),
  externalId: externalId(),
});

const IDENTITY = ['firstName', 'lastName', 'externalId', 'email', 'phone'] as const;

export const ClientCreate = lazy(() =>
  z
    .strictObject({
      ...nullish(fields()),
      status: z.enum(CLIENT_STATUSES).exclude(['ARCHIVED']).optional(),
      tags: tags().optional(),
      customFields: customFields().transform(given).optional(),
    })
    .refine((client) => IDENTITY.some((field) => typeof client[field] === 'string'), {
      message: `At least one of ${IDENTITY.join(', ')} is required.`,
      params: { code: 'required' },
    })
    .meta({
      id: 'ClientCreate',
      examples: [{ firstName: 'Anna', lastName: 'Müller', email: 'anna@example.com', customFields: { shoe: 38 } }],
    }),
);

/** JSON Merge Patch (RFC 7396): absent leaves, null clears; custom fields are merged key by key. */
export const ClientPatch = bodyOf(
  'ClientPatch',
  { phone: '+4366412345678', notes: null, customFields: { shoe: 39 } },
  () => ({
    ...nullish(fields()),
    status: z.enum(CLIENT_STATUSES).optional(),
    tags: tags().nullable().optional(),
    customFields: customFields().nullable().optional(),
  }),
);

export const ClientMerge = bodyOf('ClientMerge', { sourceId: 'clnt_01h455vb4pex5vsknk084sn02r' }, () => ({
  sourceId: z.string().describe('The client that is merged into this one, and archived.'),
}));

const stats = lazy(() =>
  z.object({
    visits: z.int().describe('Appointments that were completed.'),
    noShows: z.int().describe('Appointments they did not come to.'),
    spent: moneyView('Payments less refunds; absent for whoever may not read payments.').optional(),
    lastVisitAt: instant('When they came last.').nullable(),
  }),
);

const clientExample = {
  id: 'clnt_01h455vb4pex5vsknk084sn02q',
  externalId: 'crm-1042',
  firstName: 'Anna',
  lastName: 'Müller',
  name: 'Anna Müller',
  email: 'anna@example.com',
  phone: '+4366412345678',
  status: 'ACTIVE',
  tags: ['vip'],
  notes: null,
  customFields: { shoe: 38 },
  mergedInto: null,
};

export const ClientView = publicObject('Client', clientExample, () => ({
  firstName: z.string().nullable().describe('Given name.'),
  lastName: z.string().nullable().describe('Family name.'),
  name: z.string().nullable().describe('Computed: first and last name, else externalId, email or phone.'),
  email: z.string().nullable().describe('E-mail address.'),
  phone: z.string().nullable().describe('E.164.'),
  status: z.enum(CLIENT_STATUSES).describe('Archived clients are out of sight in lists.'),
  tags: z.array(z.string()).describe('Short labels.'),
  notes: z.string().nullable().describe('Free text.'),
  customFields: z
    .record(z.string(), z.union([z.string(), z.number(), z.boolean()]))
    .describe('Kept as they were sent: texts letter by letter, numbers by value. The order of keys is not.'),
  mergedInto: z.string().nullable().describe('The client that this one was merged into.'),
}));

/** A client as lists and details answer it, with what `include=` embeds. */
export const ClientWithIncludes = lazy(() =>
  ClientView()
    .extend({
      duplicates: z
        .array(z.string())
        .optional()
        .describe('include=duplicates: others with the same address or number.'),
      stats: stats().optional().describe('include=stats'),
    })
    .meta({ id: 'ClientRead', examples: [exampleOf(clientExample)] }),
);

/** What creating a client answers: the client, and who else has its e-mail or phone. */
export const ClientCreated = lazy(() =>
  ClientView()
    .extend({
      duplicates: z.array(z.string()).describe('Other clients with the same e-mail address or phone number.'),
    })
    .meta({ id: 'ClientCreated', examples: [{ ...exampleOf(clientExample), duplicates: [] }] }),
);
