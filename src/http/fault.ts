import type { AppError } from '../core/errors.ts';

/** Written into the bundle by `npm run dev` alone: what follows from it does not exist in a deployment. */
declare const DEVELOPMENT: boolean | undefined;

export const development: boolean = typeof DEVELOPMENT !== 'undefined' && DEVELOPMENT;

const MOST_FRAMES = 8;

/**
 * Logs a fault of ours: the request's id, the name and database state of its cause, and where it was thrown. Messages
 * are left out, because drivers put values into theirs; in development they are shown, with the causes behind them.
 */
export function logFault(requestId: string, error: AppError): void {
  const { cause } = error;
  const line = { level: 'error', requestId, code: error.code, ...describeCause(cause) };
  console.error(JSON.stringify(development ? { ...line, fault: retell(cause ?? error) } : line));
}

/** What may be said of a cause anywhere: names, states and places, never a message. */
export function describeCause(cause: unknown): Record<string, unknown> {
  const { code, constraint, table } = (cause ?? {}) as { code?: string; constraint?: string; table?: string };
  // What was refused without trying has none.
  const name = cause instanceof Error ? cause.name : cause === undefined ? undefined : typeof cause;
  return { cause: name, state: code, constraint, table, stack: cause instanceof Error ? framesOf(cause) : undefined };
}

/** The places of a stack. Its head repeats the message, which may have many lines and look like places itself. */
export function framesOf(error: Error): string[] {
  const stack = error.stack ?? '';
  const at = error.message === '' ? 0 : stack.indexOf(error.message);
  // A message that changed after the throw cannot be told from places.
  if (at < 0) return [];
  const lines = stack.slice(at + error.message.length).split('\n');
  const frames = lines.map((line) => line.trim()).filter((line) => line.startsWith('at '));
  return frames.slice(0, MOST_FRAMES);
}

type Told = { name: string; message: string; frames: string[]; cause?: Told };

/** A thrown value in full, for the developer who threw it. */
function retell(thrown: unknown, depth = 0): Told {
  if (!(thrown instanceof Error)) return { name: typeof thrown, message: String(thrown), frames: [] };
  const { code, detail, hint } = thrown as { code?: unknown; detail?: unknown; hint?: unknown };
  const more = [code, detail, hint].filter((part) => typeof part === 'string' && part !== '').join('; ');
  const told: Told = {
    name: thrown.name,
    message: more === '' ? thrown.message : `${thrown.message} (${more})`,
    frames: framesOf(thrown),
  };
  return thrown.cause === undefined || depth > 3 ? told : { ...told, cause: retell(thrown.cause, depth + 1) };
}
