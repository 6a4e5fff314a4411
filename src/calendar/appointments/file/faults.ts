import { AppError, type Fault } from '../../../core/errors.ts';

/** What is wrong with a row; all of it is told at once. */
export class Faults {
  readonly #all: Fault[] = [];
  add(pointer: string, code: string, detail: string): undefined {
    // Who is named for all services is missing once.
    if (!this.#all.some((fault) => fault.pointer === pointer)) this.#all.push({ pointer, code, detail });
  }
  throwAny(): void {
    if (this.#all.length > 0) throw new AppError('invalid_body', undefined, { faults: this.#all });
  }
}
