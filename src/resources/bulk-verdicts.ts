import { AppError, ERROR_CODES, type ErrorCode, type Fault } from '../core/errors.ts';
import { formatId } from '../core/id.ts';
import { type ConstraintMeaning, type RowFault, rowError } from '../data/postgres-errors.ts';
import { bytesOf, FaultRoom, MOST_FAULTS, omittedOf } from '../http/faults.ts';
import { problemOf } from '../http/problem.ts';
import type { Resource } from './resource.ts';

/** An item that is not stored, and why. */
export type Refused = { index: number; error: AppError };

/** The same as it is kept with an Idempotency-Key. */
type Told = {
  index: number;
  error: { code: ErrorCode; detail: string; faults: Fault[]; extra: Record<string, unknown> };
};

/** What is kept of an item: its id, what the database refused it for, or what its plan did. */
export type Verdict = { index: number; id: string } | RowFault | Told;

export const told = ({ index, error: { code, message, faults, extra } }: Refused): Told => ({
  index,
  error: { code, detail: message, faults: [...faults], extra: { ...extra } },
});

/** As answers show them, with those whose items were wrong in themselves, in the order of the items. */
export function shownVerdicts(
  { prefix }: Resource,
  verdicts: readonly Verdict[],
  refused: readonly Refused[],
  constraints: Readonly<Record<string, ConstraintMeaning>>,
) {
  const inOrder = [...verdicts.map((verdict) => meant(verdict, constraints)), ...refused].sort(
    (a, b) => a.index - b.index,
  );
  const shortest = inOrder.flatMap((verdict) => ('id' in verdict ? [] : [bytesOf(briefly(verdict)) + 1]));
  // Each has room to be told at all; who comes first is told in full.
  const room = new FaultRoom(shortest.reduce((sum, each) => sum + each, 0));
  return inOrder.map((verdict) =>
    'id' in verdict ? { index: verdict.index, status: 201, id: formatId(prefix, verdict.id) } : reported(verdict, room),
  );
}

function meant(verdict: Verdict, constraints: Readonly<Record<string, ConstraintMeaning>>) {
  if ('id' in verdict) return verdict;
  if (!('error' in verdict)) return { index: verdict.index, error: rowError(verdict, constraints) };
  const { code, detail, faults, extra } = verdict.error;
  return { index: verdict.index, error: new AppError(code, detail, { faults, extra }) };
}

/** The refusal of an atomic bulk: the code that all share, the first faults of all its items, and how many more there are. */
export function together(refused: readonly Refused[]): AppError {
  const faults: Fault[] = [];
  let errorsOmitted = 0;
  for (const each of refused.toSorted((a, b) => a.index - b.index)) {
    const all = faultsOf(each);
    const own = all.slice(0, MOST_FAULTS - faults.length);
    faults.push(...own);
    errorsOmitted += all.length - own.length + omittedOf(each.error);
  }
  const [code = 'invalid_body', ...others] = new Set(refused.map(({ error }) => error.code));
  return new AppError(others.length === 0 ? code : 'invalid_body', 'Nothing was stored; see errors.', {
    faults,
    extra: { errorsOmitted },
  });
}

/** The faults of an item by their place in the request; what has no place is one of the item as a whole. */
function faultsOf({ index, error }: Refused): Fault[] {
  const { faults, code, message } = error;
  const all = faults.length > 0 || omittedOf(error) > 0 ? faults : [{ code, detail: message }];
  return all.map((fault) => ({ ...fault, pointer: `/items/${index}${fault.pointer ?? ''}` }));
}

function reported(refused: Refused, room: FaultRoom) {
  const { index, error } = refused;
  const brief = briefly(refused);
  room.give(bytesOf(brief) + 1);
  const said = problemOf(error);
  const verdict = { index, status: said.status, problem: said };
  if (!room.takes(bytesOf(verdict) + MOST_OF_LISTS)) {
    room.takes(bytesOf(brief) + 1);
    return brief;
  }
  const faults = error.faults.length === 0 ? [] : faultsOf(refused);
  return {
    ...verdict,
    problem: { ...said, ...room.list(new AppError(error.code, '', { faults, extra: error.extra })) },
  };
}

/** Names and brackets of the list of faults, and of how many are left out. */
const MOST_OF_LISTS = 45;

/** What is said of an item in any case. */
function briefly({ index, error }: Refused) {
  const { status } = ERROR_CODES[error.code];
  const errorsOmitted = error.faults.length + omittedOf(error);
  return { index, status, problem: { status, code: error.code, ...(errorsOmitted > 0 && { errorsOmitted }) } };
}
