import type { AppError, Fault } from '../core/errors.ts';

/** The faults that one problem lists in full (contract 2); how many more there are is a number. */
export const MOST_FAULTS = 50;

/** What the faults of one answer may take together, bytes: it must not be larger than the question by much. */
const MOST_BYTES = 64 * 1024;

/** More faults than those bytes hold, of whatever size: further ones are counted and not made. */
export const MOST_LISTED = 1000;

/** What a problem says of its faults. */
export type Listed = { errors?: Fault[]; errorsOmitted?: number };

/** The room that one answer has for faults, those of all its items together. */
export class FaultRoom {
  #left = MOST_BYTES;

  list(error: AppError): Listed {
    const errors: Fault[] = [];
    for (const fault of error.faults.slice(0, MOST_FAULTS)) {
      const size = Buffer.byteLength(JSON.stringify(fault));
      // Not even looked at what comes after: of a bulk's items each would cost as much again.
      if (size > this.#left) break;
      this.#left -= size;
      errors.push(fault);
    }
    const errorsOmitted = error.faults.length - errors.length + omittedOf(error);
    return { ...(errors.length > 0 && { errors }), ...(errorsOmitted > 0 && { errorsOmitted }) };
  }
}

/** Faults that were counted and not even made. */
export const omittedOf = ({ extra }: AppError): number => Number(extra.errorsOmitted ?? 0);
