import { AppError } from '../core/errors.ts';
import { foundOut } from '../data/alone.ts';
import { shareOf, WeighedMap } from '../data/weighed.ts';
import type { Look } from '../resources/planned.ts';

/** What of a refusal is remembered: plain data. */
type Told = Pick<AppError, 'code' | 'message' | 'extra'>;

/** By company, revision and what was asked for. */
const refusals = new WeighedMap<Told>(shareOf('refusals'));
const REFUSAL_BYTES = 1500;

/**
 * A refusal of what many may want at once: at one revision of the company it is the same for all of them, and worked out once.
 * @param name company, revision, and all that it depends on besides
 */
export async function told({ recall }: Look, name: string, refuse: () => Promise<AppError>): Promise<AppError> {
  if (recall === undefined) return refuse();
  const work = async (): Promise<Told> => {
    const { code, message, extra } = await refuse();
    const found = { code, message, extra };
    refusals.set(name, found, REFUSAL_BYTES);
    return found;
  };
  const { code, message, extra } = await foundOut(
    recall.ctx,
    `refusal ${name}`,
    () => refusals.get(name) ?? null,
    work,
  );
  return new AppError(code, message, { extra });
}
