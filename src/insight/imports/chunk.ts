import { AppError, ERROR_CODES, type Fault } from '../../core/errors.ts';
import type { Given, ImportRow, MatchKey } from '../../resources/importer.ts';
import type { RawRow, ReadRow } from './rows.ts';

/** A row that was not taken, as the report shows it. Nothing of its content. */
export type Failure = { row: number; status: 'FAILED'; errors: Fault[] };

/** A row that was taken but for what it names and is not there yet. */
export type Note = { row: number; status: 'INCOMPLETE'; errors: Fault[] };

/** What a chunk needs from outside. */
export type ChunkWork = {
  match: MatchKey;
  read: (raw: RawRow) => ReadRow;
  /** CSV: every value is text. */
  cells: boolean;
  newId: () => string;
  /** Reads what rows name, and answers how each becomes one of the database. @throws AppError the answer does, of its row */
  prepare: (all: readonly Given[]) => Promise<(given: Given) => ImportRow>;
  /** The first row of the file that has this key, which is `row` unless another was told before. */
  firstWith: (key: string, row: number) => number;
  /**
   * Stores the rows `first + 1 … first + count` of the job in one transaction.
   * @returns how many rows of the job are done then: another number than `first + count` means it stored nothing
   * @throws AppError nothing was stored
   */
  /** Which of these rows the database refuses, by their place among them, and why. Stores nothing. @throws AppError */
  faulty: (rows: readonly ImportRow[]) => Promise<readonly { index: number; error: AppError }[]>;
  commit: (first: number, count: number, rows: readonly ImportRow[], told: Told) => Promise<number>;
};

/** What the report says of a chunk. */
export type Told = { failures: readonly Failure[]; notes: readonly Note[] };

/** Characters of a chunk's failures that are told in full; so a report has room for the first chunk whatever is in it. */
const MOST_TOLD = 256 * 1024;

/** Beyond that, each row's first fault. */
export function briefly<T extends Failure | Note>(failures: readonly T[]): T[] {
  let told = 0;
  return failures.map((failure) => {
    told += JSON.stringify(failure).length;
    return told <= MOST_TOLD ? failure : { ...failure, errors: failure.errors.slice(0, 1) };
  });
}

type Verdict = { row: ImportRow } | { failure: Failure };

/** Times that a chunk is made anew because what it was made from has changed meanwhile. */
const MOST_TRIES = 3;

/**
 * Takes `raws` in, the rows of a file after its first `first`. Where the database refuses the lot, it says which rows are to
 * blame; where it cannot, the lot is halved until they stand alone. @returns how many rows of the job are done
 */
export async function takeChunk(work: ChunkWork, first: number, raws: readonly RawRow[]): Promise<number> {
  const read = raws.map((raw, at) => judge(work, first + at + 1, raw));
  const given = read.flatMap((each) => ('given' in each ? [each.given] : []));
  for (let tries = 1; ; tries += 1) {
    const rowOf = await work.prepare(given);
    const verdicts = read.map((each, at) => ('given' in each ? made(each.given, first + at + 1, rowOf) : each));
    try {
      return await store(work, first, verdicts);
    } catch (error) {
      if (tries === MOST_TRIES || !(error instanceof AppError) || error.code !== 'snapshot_conflict') throw error;
    }
  }
}

function made(given: Given, row: number, rowOf: (given: Given) => ImportRow): Verdict {
  try {
    return { row: rowOf(given) };
  } catch (error) {
    if (!(error instanceof AppError)) throw error;
    return refused(row, error);
  }
}

function judge(work: ChunkWork, number: number, raw: RawRow): { given: Given } | { failure: Failure } {
  const { key, value, faults } = work.read(raw);
  const errors = [...faults];
  const before = key === null ? number : work.firstWith(key, number);
  if (before !== number) errors.push(repeated(work.match, before));
  if (errors.length > 0) return { failure: { row: number, status: 'FAILED', errors } };
  // Without a fault the schema has checked it, the match key included.
  return { given: { value, id: work.newId(), cells: work.cells } };
}

const repeated = (match: MatchKey, before: number): Fault =>
  match === 'externalId'
    ? { pointer: '/externalId', code: 'duplicate_external_id', detail: `Row ${before} has this external id already.` }
    : { pointer: `/${match}`, code: 'duplicate_key', detail: `Row ${before} has this ${match} already.` };

function refused(row: number, { faults, code, message }: AppError): { failure: Failure } {
  const errors = faults.length > 0 ? [...faults] : [{ pointer: '', code, detail: message }];
  return { failure: { row, status: 'FAILED', errors } };
}

async function store(work: ChunkWork, first: number, verdicts: readonly Verdict[]): Promise<number> {
  const rows = verdicts.flatMap((verdict) => ('row' in verdict ? [verdict.row] : []));
  const failures = verdicts.flatMap((verdict) => ('failure' in verdict ? [verdict.failure] : []));
  const notes = verdicts.flatMap((verdict, at): Note[] =>
    'row' in verdict && verdict.row.open !== undefined
      ? [{ row: first + at + 1, status: 'INCOMPLETE', errors: [...verdict.row.open] }]
      : [],
  );
  try {
    return await work.commit(first, verdicts.length, rows, { failures, notes });
  } catch (error) {
    if (rows.length === 0 || !(error instanceof AppError) || !blamesData(error)) throw error;
    if (verdicts.length === 1) return store(work, first, [refused(first + 1, error)]);
    const faulty = new Map((await work.faulty(rows)).map((fault) => [fault.index, fault.error]));
    if (faulty.size > 0) {
      let index = -1;
      const judged = verdicts.map((verdict, at) => {
        if ('row' in verdict) index += 1;
        const own = 'row' in verdict ? faulty.get(index) : undefined;
        return own === undefined ? verdict : refused(first + at + 1, own);
      });
      return store(work, first, judged);
    }
    // Nothing is wrong with any of them alone.
    const half = verdicts.length >> 1;
    const reached = await store(work, first, verdicts.slice(0, half));
    return reached === first + half ? store(work, first + half, verdicts.slice(half)) : reached;
  }
}

/** Conflicts with other writes pass, so the same rows may be tried again as they are. */
const PASSING = new Set(['conflict', 'snapshot_conflict', 'epoch_changed']);

function blamesData({ code }: AppError): boolean {
  const { status } = ERROR_CODES[code];
  return (status === 422 || status === 409) && !PASSING.has(code);
}
