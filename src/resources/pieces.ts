import { type SQL, sql } from 'drizzle-orm';
import { AppError } from '../core/errors.ts';
import { anchored, type Ctx } from '../data/ctx.ts';
import { type LargeBody, largeBodyOf } from '../data/large-body.ts';
import { PIECE, type Row, type Snapshot, snapshot } from '../data/log.ts';
import { Places, sharesOf } from '../data/places.ts';
import type { Position } from '../data/position.ts';
import { DATABASE_DEADLINE, takePlace } from '../data/postgres.ts';
import { leavePlace, placeFor } from '../http/large-answer.ts';
import type { Seat } from '../http/slow-readers.ts';
import type { Charged } from './computing.ts';
import { pause } from './pause.ts';
import type { Resource } from './resource.ts';
import { type Owner, ownRows } from './row-sql.ts';

const KIB = 1024;

/** Bytes per read of what a page has beyond its first piece. */
const LARGE_PIECE = 2 * PIECE;

/** Bytes of rows that are written out without a pause; one row at least. */
export const TURN = 128 * 1024;

/** Bytes of rows in one page. An isolate has 128 MB for everything, and holds a page as objects, as text and as bytes. */
const MOST_PAGE = 16 * 1024 * 1024;

/** Pages of several pieces are put together one at a time, companies in turn; ordinary ones never wait here. */
const large = new Places(sharesOf(1), 2 * DATABASE_DEADLINE);
const LONGEST_WAIT = 10_000;
/** What of a row's text its answer shows, at least: the text also has spaces, and columns that nobody sees. */
const SHOWN = 15 / 16;
/**
 * How often a page looks whether answers of its company have been read, ms. It holds nothing while it waits, so that it may do so
 * as long as for its turn: of six that are read as fast as they come, three were refused after two seconds.
 */
const LOOK = 50;

/**
 * A page whose rows end where its first piece does: `page` has columns `text`, `id`, `embedded` and `rank`, in order. Those
 * behind come with a null in the place of their `row`, but with its `bytes`, and so does the one beyond `limit`.
 */
export const firstPiece = (page: SQL, limit: number): SQL<Found> => sql<Found>`with page as materialized (${page})
  select id, embedded, rank, octet_length(text) as bytes,
    case when row_number() over way <= ${limit} and sum(octet_length(text)) over way <= ${PIECE} then text end as row
  from page window way as (rows unbounded preceding)`;

/** A row of a page. `row` is its text until it is taken; then it is `shown`, and its sorts have these `values`. */
export type Found = {
  id: string;
  embedded: Record<string, unknown> | null;
  rank: number | null;
  bytes: number;
  row: string | null;
  shown?: string;
  values?: (string | null)[];
};

/** What a page was read from, and what it was asked for. */
type Asked = {
  resource: Resource;
  owner: Owner;
  name: string;
  limit: number;
  /** All of its rows is shown. */
  isWhole: boolean;
  /** Takes a row as it comes, so that a page is never held as objects; `found` is what the page says of it. */
  take: (row: Row, found: Found) => void;
};

/**
 * Takes the rows of a page read by `firstPiece`, those it left out as well. These come from later snapshots and are still as they
 * were at the first one's revision (R2): what has changed since has the state of then in the log, as the image before its
 * first change. @throws AppError invalid_parameter for a page beyond all bounds; busy
 */
export async function wholePage(
  work: Charged,
  asked: Asked,
  taken: Snapshot<readonly [SQL<Found>, ...SQL[]]>,
): Promise<void> {
  const rows = taken.rows[0].slice(0, asked.limit);
  if (rows.some(({ row }) => row === null)) return inPieces(work, asked, taken, rows);
  await writeOut(asked.take, rows, (found) => found.row);
}

/** A page larger than one answer of Postgres: when there is room for it, its company may have it, and it is its turn. */
async function inPieces(
  { ctx, deps, charge }: Charged,
  { resource, owner, name, isWhole, take }: Asked,
  { epoch, revision }: Position,
  rows: readonly Found[],
): Promise<void> {
  refuseBeyond(rows);
  const { companyId } = owner;
  // What has come is let go of and read again: whoever waits holds nothing.
  for (const found of rows) found.row = null;
  const bytes = rows.reduce((sum, row) => sum + row.bytes, 0);
  const place = (): Seat | null => (isWhole ? placeFor(companyId, ctx.now(), bytes * SHOWN) : null);
  await until(ctx, place);
  await charge(bytes / KIB);
  const turn = large.bid('read', companyId, ctx.now());
  await takePlace(ctx, large, turn, LONGEST_WAIT);
  // To its end although the caller may leave: others wait for their turn, which nothing else would give back for long.
  await anchored(ctx, async () => {
    let seat: Seat | null = null;
    try {
      seat = place();
      for (const piece of piecesOf(rows)) {
        const ids = piece.map(({ id }) => id);
        const call = { database: deps.read, companyId, name };
        const later = await snapshot(ctx, call, [asOf(resource, owner, revision, ids)]);
        // Restored to another history meanwhile: there is nothing that both pieces were part of.
        if (later.epoch !== epoch || later.revision < revision)
          throw new AppError('busy', undefined, { extra: { retryAfter: 1 } });
        await writeOut(take, piece, (_, at) => later.rows[0][at]?.row);
      }
    } finally {
      large.release(turn);
      // Its answer takes a place of its own at once, before anybody else has a turn.
      if (seat !== null) leavePlace(seat);
    }
  });
}

/** Waits until there is room, and takes none: whoever leaves meanwhile keeps none. @throws AppError busy */
async function until(ctx: Ctx, place: () => Seat | null): Promise<void> {
  for (const end = ctx.now() + LONGEST_WAIT; ; ) {
    try {
      const seat = place();
      if (seat !== null) leavePlace(seat);
      return;
    } catch (error) {
      if (ctx.now() >= end) throw error;
      await new Promise((resolve) => setTimeout(resolve, LOOK));
    }
  }
}

/** Takes rows, so many bytes of them at a time that nobody else of the isolate waits long. */
async function writeOut(
  take: Asked['take'],
  rows: readonly Found[],
  textOf: (found: Found, at: number) => unknown,
): Promise<void> {
  const bytes = rows.reduce((sum, row) => sum + row.bytes, 0);
  // Where they are many, to have read them was a turn's work already.
  let filled = bytes > TURN ? bytes : 0;
  for (const [at, found] of rows.entries()) {
    if (filled > 0 && filled + found.bytes > TURN) {
      await pause();
      filled = 0;
    }
    filled += found.bytes;
    take(JSON.parse(String(textOf(found, at))) as Row, found);
    found.row = null;
  }
}

/** A page of rows that were taken; in parts where it is large. */
export function written(rows: readonly Found[], pagination: string): string | LargeBody {
  const shown = rows.map((row) => String(row.shown));
  const end = `],"pagination":${pagination}}`;
  if (shown.reduce((sum, { length }) => sum + length, 0) <= PIECE) return `{"data":[${shown.join()}${end}`;
  return largeBodyOf(['{"data":[', ...shown.flatMap((row, at) => (at === 0 ? [row] : [',', row])), end]);
}

/** Rows by id, in that order, as they were at `revision`. */
function asOf(resource: Resource, owner: Owner, revision: number, ids: readonly string[]): SQL<{ row: string }> {
  const before = sql`select c.before from changes c where c.company_id = ${owner.companyId}::uuid and c.entity_id = wanted.id
    and c.entity = ${resource.entity} and c.revision > ${revision} order by c.revision limit 1`;
  const now = sql`select ${resource.row} from ${resource.table}
    where ${ownRows(resource, owner)} and ${resource.id} = wanted.id`;
  return sql<{ row: string }>`select coalesce((${before}), (${now}))::text as row
    from unnest(${sql.param([...ids])}::uuid[]) with ordinality as wanted (id, place) order by wanted.place`;
}

/** As many rows each as fit into one read; one at least. */
function piecesOf(rows: readonly Found[]): Found[][] {
  const pieces: Found[][] = [];
  let filled = Number.POSITIVE_INFINITY;
  for (const row of rows) {
    filled += row.bytes;
    if (filled > LARGE_PIECE) {
      pieces.push([]);
      filled = row.bytes;
    }
    pieces.at(-1)?.push(row);
  }
  return pieces;
}

function refuseBeyond(rows: readonly Found[]): void {
  let bytes = 0;
  const fits = rows.findIndex((row) => {
    bytes += row.bytes;
    return bytes > MOST_PAGE;
  });
  if (fits < 0) return;
  const detail = `These rows are larger than one page can be. Ask for at most ${Math.max(1, fits)}.`;
  throw new AppError('invalid_parameter', `limit: ${detail}`, {
    faults: [{ parameter: 'limit', code: 'page_too_large', detail }],
  });
}
