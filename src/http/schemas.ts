import * as z from 'zod';
import { isCurrency } from '../core/currency.ts';
import { ERROR_CODES } from '../core/errors.ts';
import { BEYOND, isDate, isNear, parseInstant } from '../core/instant.ts';
import { lazy } from '../core/lazy.ts';
import { isTimeZone } from '../core/zones.ts';
import { moreMembers } from './problem-members.ts';

/** A schema that is built when it is first asked for: a start builds none. */
export type Schema<S extends z.ZodType = z.ZodType> = () => S;
/** What it makes of what it takes. */
export type Output<S extends Schema> = z.output<ReturnType<S>>;

/** Limits of contract-details A11. */
const TEXT = 200;
const NOTES = 10_000;

// Postgres holds no NUL, and half a surrogate pair would come back as another character.
const storable = (text: string): boolean => !text.includes('\0') && text.isWellFormed();
const STORABLE = { message: 'Must be well-formed text without NUL.', params: { code: 'invalid_text' } };

/** Ends of lines, and what turns the direction of what follows: both make a line show something else than it says. */
const oneLine = (text: string): boolean =>
  !/[\n-\r\x85\u2028\u2029\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]/.test(text);
const ONE_LINE = {
  message: 'Must be one line, without characters that turn its direction.',
  params: { code: 'invalid_text' },
};

/** A line of text, trimmed, NFC, 1 to `most` characters. */
export const text = (most: number = TEXT) =>
  z
    .string()
    .trim()
    .normalize('NFC')
    .min(1, 'Must not be empty.')
    .max(most, `Must have at most ${most} characters.`)
    .refine(storable, STORABLE)
    .refine(oneLine, ONE_LINE);

/** Text that is kept as it was sent: spaces, line ends and its Unicode form included. */
export const verbatim = (most: number) =>
  z.string().max(most, `Must have at most ${most} characters.`).refine(storable, STORABLE);

/** Free text of several lines. */
export const notes = () => verbatim(NOTES);

export const email = () =>
  z
    .string()
    .trim()
    .max(254, 'Must have at most 254 characters.')
    .pipe(z.email({ message: 'Must be an e-mail address.' }));

/** E.164 (ITU-T): a plus, a country code, at most 15 digits. */
export const phone = () =>
  z
    .string()
    .trim()
    .regex(/^\+[1-9][0-9]{5,14}$/, 'Must be an E.164 number such as +4312345678.');

export const timeZone = () =>
  z.string().refine(isTimeZone, {
    message: 'Must be a canonical IANA time zone such as Europe/Vienna.',
    params: { code: 'invalid_time_zone' },
  });

export const currency = () =>
  z.string().refine(isCurrency, {
    message: 'Must be an active ISO 4217 code such as EUR.',
    params: { code: 'invalid_currency' },
  });

export const password = () =>
  z.string().refine((value) => storable(value) && [...value].length >= 10 && [...value].length <= 128, {
    message: 'Must have 10 to 128 characters.',
    params: { code: 'invalid_password' },
  });

export const externalId = () => text().describe("Your system's own id, unique per company.");

/** The public id of another object in a body: any text, since a malformed id is told from an absent one by nothing. */
export const reference = () => z.string().max(100, 'Must be an id.');

const NEAR = { message: BEYOND, params: { code: 'out_of_range' } };

/** A day of the calendar. */
export const date = () =>
  z
    .string()
    .refine(isDate, { message: 'Must be a date such as 2026-12-24.', params: { code: 'invalid_format' }, abort: true })
    .refine(isNear, NEAR)
    .meta({ format: 'date' });

/** An instant as answers show it. */
export const instant = (description: string) => z.iso.datetime().meta({ description });

/** An instant as bodies give it, with an offset; kept as UTC text. */
export const givenInstant = () =>
  z
    .string()
    .refine((value) => parseInstant(value) !== null, {
      message: 'Must be an RFC 3339 instant with offset, such as 2026-01-31T09:00:00Z.',
      params: { code: 'invalid_instant' },
      abort: true,
    })
    .transform((value) => parseInstant(value) ?? value)
    .refine(isNear, NEAR);

/** What every resource answers besides its own fields. */
export const documentFields = () => ({
  version: z.int().describe('Grows with every change; send it in quotes as If-Match.'),
  createdAt: instant('When it was made.'),
  updatedAt: instant('When it last changed.'),
});

/** What every resource answers before its own fields. */
export const identityFields = () => ({
  id: z.string().describe('Its public id.'),
  externalId: z.string().nullable().describe("Your system's own id."),
});

/** Members that a body may leave out, or clear. */
export const nullish = <S extends Readonly<Record<string, z.ZodType>>>(shape: S) =>
  Object.fromEntries(Object.entries(shape).map(([name, schema]) => [name, schema.nullish()])) as {
    [K in keyof S]: z.ZodOptional<z.ZodNullable<S[K]>>;
  };

/** A body: a closed object of these members, with an example. */
export const bodyOf = <S extends z.core.$ZodLooseShape>(id: string, example: object, shape: () => S) =>
  lazy(() => z.strictObject(shape()).meta({ id, examples: [example] }));

/** JSON Merge Patch (RFC 7396): a body of some of these members; what is named is replaced as a whole. */
export const patchOf = <S extends z.core.$ZodLooseShape>(id: string, example: object, shape: () => S) =>
  lazy(() =>
    z
      .strictObject(shape())
      .partial()
      .meta({ id, examples: [example] }),
  );

/** The public object of a resource: its own fields between those that all have. */
export const publicObject = <S extends z.core.$ZodLooseShape>(id: string, example: Example, shape: () => S) =>
  lazy(() =>
    z.object({ ...identityFields(), ...shape(), ...documentFields() }).meta({ id, examples: [exampleOf(example)] }),
  );

/** The members that all documents end with, in an example. */
export const exampleEnd = {
  version: 3,
  createdAt: '2026-01-12T08:15:00.000Z',
  updatedAt: '2026-03-02T09:30:00.000Z',
};

type Example = { id: string; [member: string]: unknown };

/** What an object of the OpenAPI document shows. */
export const exampleOf = ({ id, ...example }: Example) => ({
  id,
  externalId: null,
  ...example,
  ...exampleEnd,
});

/** The stable part of a problem: what callers branch on. */
const errorCode = () => z.enum(Object.keys(ERROR_CODES) as [string, ...string[]]).meta({ id: 'ErrorCode' });

/** RFC 9457. */
export const Problem = lazy(() =>
  z
    .object({
      type: z.string().describe('A page about the code.'),
      title: z.string().describe('What the code means.'),
      status: z.int().describe('The HTTP status.'),
      code: errorCode(),
      detail: z.string().describe('What is wrong here, for people.'),
      instance: z.string().describe('The path that was asked for.'),
      requestId: z.string().describe('Quote it when you ask us.'),
      outcome: z
        .literal('unknown')
        .optional()
        .describe('Of a write under which the database went away: it may have been done all the same.'),
      errors: z
        .array(
          z.object({
            pointer: z.string().optional().describe('RFC 6901: where in the body.'),
            parameter: z.string().optional().describe('Which query parameter, or header.'),
            code: z.string().describe('Stable.'),
            detail: z.string().describe('For people.'),
          }),
        )
        .optional()
        .describe('Every fault of the request, where it has places; of many the first fifty.'),
      errorsOmitted: z.int().optional().describe('How many more faults there are than `errors` lists.'),
      ...moreMembers(),
    })
    .meta({ id: 'Problem' }),
);

const Pagination = lazy(() =>
  z
    .object({
      page: z.int().optional().describe('With `page` only.'),
      limit: z.int().describe('Rows per page.'),
      total: z.int().optional().describe('As far as `count` asks for it.'),
      totalIsEstimate: z.boolean().optional().describe('True: there are more than `total`.'),
      totalPages: z.int().optional().describe('With `page` and a total.'),
      hasNextPage: z.boolean().describe('Whether more comes after.'),
      nextCursor: z.string().nullable().describe('Send it as `cursor` for the page after.'),
      prevCursor: z.string().nullable().optional().describe('With `cursor`: send it for the page before.'),
    })
    .meta({
      id: 'Pagination',
      examples: [{ page: 1, limit: 20, total: 1, totalPages: 1, hasNextPage: false, nextCursor: null }],
    }),
);

/** A page of any resource. */
export const page = <S extends z.ZodType>(item: Schema<S>) =>
  lazy(() => z.object({ data: z.array(item()), pagination: Pagination() }));
