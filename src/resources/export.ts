import { type SQL, sql } from 'drizzle-orm';
import { AppError } from '../core/errors.ts';
import type { ListDeclaration, ListQuery } from '../core/list-query.ts';
import { fault } from '../core/query-values.ts';
import { PIECE, snapshot } from '../data/log.ts';
import { type AppContext, principalOf, require } from '../http/context.ts';
import { takesGzip } from '../http/encoding.ts';
import type { QueryParameter } from '../http/route.ts';
import { send } from '../http/send.ts';
import { Seats } from '../http/slow-readers.ts';
import { admitted, laterSnapshot, reached } from './admitted.ts';
import { FORMATS, type Format, Pages, type Piece, shownOneByOne, writerOf } from './export-text.ts';
import { besidesOf, type Shown } from './exported.ts';
import { askedOf } from './filters.ts';
import { conditionsOf } from './page.ts';
import type { Resource } from './resource.ts';
import { seenBy } from './row-sql.ts';

/** An export costs what twenty requests do (contract-details A13). */
const WEIGHT = 20;
/** Rows per read, as far as they fit into a piece: a hundred thousand ordinary ones in a hundred reads. */
const ROWS = 1000;
/** Below this compressing costs more than it saves, bytes. */
const WORTH_COMPRESSING = 1024;

/** Exports that are open at a time: each keeps a piece of a megabyte at hand. */
const seats = new Seats({
  ...{ all: 24, ofOne: 8, stall: 120_000 },
  refusal: 'Many exports are being read. Try again when one of them is done.',
});

const TYPES: Readonly<Record<Format, string>> = {
  ndjson: 'application/x-ndjson',
  csv: 'text/csv; charset=utf-8; header=present',
};
export const EXPORT_TYPES = ['application/x-ndjson', 'text/csv'];

/** What an export can be asked, for the OpenAPI document. */
export const exportParameters = (d: ListDeclaration): Record<string, QueryParameter> => ({
  format: { kind: 'enum', values: FORMATS, fallback: 'ndjson', description: 'NDJSON or RFC 4180.' },
  ...(d.search === true && { search: { description: 'Words in any order; forgives typos and accents.' } }),
  // Made when the document is: the fields are those of a schema.
  fields: {
    get description() {
      return `Exactly these fields plus id: ${d.fields.join(', ')}.`;
    },
  },
  ...d.filters,
});

function parse(d: ListDeclaration, all: URLSearchParams): { format: Format; query: ListQuery } {
  // Of the list's parameters without those that say which page.
  const allowed = Object.keys(exportParameters(d));
  const unknown = [...new Set(all.keys())].filter((name) => !allowed.includes(name));
  if (unknown.length > 0) {
    const detail = `Unknown parameter. Allowed: ${allowed.join(', ')}.`;
    const faults = unknown.slice(0, 50).map((name) => fault(name, 'unknown_parameter', detail));
    throw new AppError('unknown_parameter', `${faults[0]?.parameter}: ${detail}`, { faults });
  }
  const given = all.getAll('format');
  const format = FORMATS.find((name) => name === (given[0] ?? 'ndjson'));
  if (format === undefined || given.length > 1) {
    const detail = `Must be one of ${FORMATS.join(', ')}.`;
    throw new AppError('invalid_parameter', `format: ${detail}`, {
      faults: [{ parameter: 'format', code: 'unknown_value', detail }],
    });
  }
  const params = new URLSearchParams([...all].filter(([name]) => name !== 'format'));
  return { format, query: askedOf(d, params) };
}

/**
 * GET /<resource>/export: all rows of the list's filters, by id, streamed in constant memory. Neon's HTTP has no cursors,
 * so it reads page after page behind the last id: `Revision` is that of the first page, each later page is as of its own
 * reading, and a row that exists throughout is in the export exactly once. Pages are read when the caller takes them.
 */
export function exportOf(resource: Resource): (c: AppContext) => Promise<Response> {
  const name = `${resource.topic}.export`;
  return async function exportRows(c) {
    const { ctx, deps } = c.env;
    const principal = principalOf(c);
    const { companyId } = principal;
    const { min, query: asked } = await admitted(c, { permission: 'export', weight: WEIGHT }, () =>
      parse(resource.list, new URL(c.req.url).searchParams),
    );
    require(principal, resource.permission);

    const { format, query } = asked;
    const filtered = conditionsOf(seenBy(resource, principal), query, principal);
    const write = writerOf(resource, format, query);
    const call = { database: deps.read, companyId, name };
    const desk = {
      companyId,
      look: <const Q extends readonly SQL[]>(queries: Q) => snapshot(ctx, call, queries),
      may: (permission: string) => principal.may(permission),
    };
    // Who asks for certain fields gets these.
    const isBare = query.fields !== null || resource.exported === undefined;
    const shown = async (texts: (string | null)[]): Promise<Iterable<Shown>> => {
      if (isBare) return shownOneByOne(texts, write);
      // Made objects twice, one after the other, rather than kept as such meanwhile.
      const whole = await besidesOf(resource, desk, shownOneByOne([...texts], write));
      return shownOneByOne(texts, write, whole);
    };
    const read = async (after: string | null): Promise<Piece & { revision: number }> => {
      const beyond = after === null ? sql`` : sql` and ${resource.id} > ${after}::uuid`;
      // A cursor, so that rows which do not fit any more are not written out either.
      const queries = [
        sql`declare walk no scroll cursor for select (${resource.row})::text from ${resource.table} where ${filtered}${beyond} order by ${resource.id} limit ${ROWS + 1}`,
        sql<{ line: string | null }>`select line from app.take_rows(${ROWS}, ${PIECE})`,
      ] as const;
      // Its caller was admitted for the first one a moment ago; how long they take over the others is up to them.
      const { revision, rows } = await (after === null
        ? snapshot(ctx, call, queries)
        : laterSnapshot(c, call, queries));
      const texts = rows[1].map(({ line }) => line);
      const more = texts.at(-1) === null;
      if (more) texts.pop();
      return { revision, more, count: texts.length, rows: await shown(texts) };
    };
    const seat = seats.open(companyId, ctx.now());
    const close = (): void => seats.close(seat);
    const begin = async () => {
      const first = await read(null);
      reached(first.revision, min);
      return first;
    };
    const first = await begin().catch((error: unknown) => {
      close();
      throw error;
    });
    const pages = new Pages(first, read, write);
    const small = pages.small(WORTH_COMPRESSING);
    if (small !== null) close();
    const gzip = small === null && takesGzip(c);
    const stream =
      small === null
        ? pages.stream({
            ...{ seats, seat, now: ctx.now },
            closed: (error) => {
              if (error !== undefined) interrupted(ctx.requestId, error);
            },
          })
        : null;
    return send(c, {
      status: 200,
      body: small ?? (gzip ? (stream?.pipeThrough(new CompressionStream('gzip')) ?? null) : stream),
      type: TYPES[format],
      revision: first.revision,
      ...(gzip && { encoded: true }),
      headers: {
        'Cache-Control': 'no-store',
        Vary: 'Authorization, Accept-Encoding',
        'Content-Disposition': `attachment; filename="${resource.topic}.${format}"`,
        ...(gzip && { 'Content-Encoding': 'gzip' }),
      },
    });
  };
}

/** The answer has begun, so the caller sees a connection that breaks off; the log says why. */
function interrupted(requestId: string, error: unknown): void {
  const code = error instanceof AppError ? error.code : 'internal_error';
  console.error(JSON.stringify({ level: 'error', requestId, job: 'export', code }));
}
