import type { AppError, Fault } from '../core/errors.ts';

/** The faults that one problem lists in full (contract 2); how many more there are is a number. */
export const MOST_FAULTS = 50;

/** What the faults of one answer may take together, bytes: it must not be larger than the question by much. */
const MOST_BYTES = 64 * 1024;

/** More faults than those bytes hold, of whatever size: further ones are counted and not made. */
export const MOST_LISTED = 1000;

/** What a problem says of its faults. */
export type Listed = { errors?: Fault[]; errorsOmitted?: number };

/** What this is in an answer. */
export const bytesOf = (value: unknown): number => Buffer.byteLength(JSON.stringify(value));

/** The room that one answer has for faults, those of all its items together; `kept`: bytes that are spoken for. */
export class FaultRoom {
  #left: number;

  constructor(kept: number = 0) {
    this.#left = MOST_BYTES - kept;
  }

  give(bytes: number): void {
    this.#left += bytes;
  }

  /** Whether it has room for so much, which it then has no more. */
  takes(bytes: number): boolean {
    if (bytes > this.#left) return false;
    this.#left -= bytes;
    return true;
  }

  list(error: AppError): Listed {
    const errors: Fault[] = [];
    for (const fault of error.faults.slice(0, MOST_FAULTS)) {
      // Not even looked at what comes after: of a bulk's items each would cost as much again.
      if (!this.takes(bytesOf(fault) + 1)) break;
      errors.push(fault);
    }
    const errorsOmitted = error.faults.length - errors.length + omittedOf(error);
    return { ...(errors.length > 0 && { errors }), ...(errorsOmitted > 0 && { errorsOmitted }) };
  }
}

/** Faults that were counted and not even made. */
export const omittedOf = ({ extra }: AppError): number => Number(extra.errorsOmitted ?? 0);
