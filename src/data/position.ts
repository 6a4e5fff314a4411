/** A place in a company's log. */
export type Position = { epoch: string; revision: number };

/** Epochs are UUIDv7, in the order of time. */
export const isBefore = (a: Position, b: Position): boolean =>
  a.epoch === b.epoch ? a.revision < b.revision : a.epoch < b.epoch;
