import type * as z from 'zod';
import { AppError } from '../core/errors.ts';
import { newUuid } from '../core/id.ts';
import { validate, validateShell } from '../http/body.ts';
import { MOST_FAULTS, MOST_LISTED } from '../http/faults.ts';
import type { Schema } from '../http/schemas.ts';
import { BulkEnvelope } from './bulk-body.ts';
import { type Refused, together } from './bulk-verdicts.ts';
import { pause } from './pause.ts';

/** An item that is right in itself, and the id its object is to have. */
export type BulkItem<B> = { index: number; id: string; body: B };

/** Members of items that are checked without a pause: five hundred items are half a second of work, when somebody wants them to be. */
const SLICE = 500;

const membersOf = (item: unknown): number => (typeof item === 'object' && item !== null ? Object.keys(item).length : 1);

/** The items as their schema reads them, and those that are none. @throws AppError empty_body, invalid_body */
export async function readItems<S extends z.ZodObject>({ create }: { create: Schema<S> }, value: unknown) {
  if (value === undefined) throw new AppError('empty_body', 'This needs a JSON body.');
  const { mode, items: given } = validateShell(BulkEnvelope(), value);
  const items: BulkItem<z.output<S>>[] = [];
  const refused: Refused[] = [];
  const isAtomic = mode === 'atomic';
  let checked = 0;
  // Of faults that no answer shows each would cost as much again: five hundred items have tens of thousands of them.
  let room = isAtomic ? MOST_FAULTS : MOST_LISTED;
  for (const [index, item] of given.entries()) {
    if (checked >= SLICE) {
      await pause();
      checked = 0;
    }
    checked += membersOf(item);
    try {
      items.push({ index, id: newUuid(), body: validate(create(), item ?? null, Math.min(room, MOST_FAULTS)) });
    } catch (error) {
      if (!(error instanceof AppError)) throw error;
      room = Math.max(0, room - error.faults.length);
      refused.push({ index, error });
    }
  }
  if (isAtomic && refused.length > 0) throw together(refused);
  return { isAtomic, items, refused };
}
