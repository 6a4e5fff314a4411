import { AppError } from '../core/errors.ts';

/** Exports that may be open at a time in an isolate: of one company, and of all. Each keeps a piece of a megabyte at hand. */
const MOST_OF_ONE = 8;
const MOST_OF_ALL = 24;

/** Whoever takes nothing of an export for so long is let go, ms. */
export const LONGEST_STALL = 120_000;

// State of the isolate: plain numbers.
const open = new Map<string, number>();

/**
 * Opens an export of a company.
 * @returns how it is closed, once
 * @throws AppError busy while too many are open
 */
export function openExport(companyId: string): () => void {
  const own = open.get(companyId) ?? 0;
  let all = 0;
  for (const count of open.values()) all += count;
  if (own >= MOST_OF_ONE || all >= MOST_OF_ALL) {
    throw new AppError('busy', 'Many exports are being read. Try again when one of them is done.', {
      extra: { retryAfter: 5 },
    });
  }
  open.set(companyId, own + 1);
  let isOpen = true;
  return () => {
    if (!isOpen) return;
    isOpen = false;
    const left = (open.get(companyId) ?? 1) - 1;
    if (left === 0) open.delete(companyId);
    else open.set(companyId, left);
  };
}

/**
 * Pieces as a stream, made when the reader takes them; a reader who takes none for long is cut off.
 * @param next the next piece, and whether it is the last
 * @param closed told once, with what went wrong
 */
export function pieceByPiece(
  next: () => Promise<{ bytes: Uint8Array; last: boolean }>,
  closed: (error?: unknown) => void,
  stall: number = LONGEST_STALL,
): ReadableStream<Uint8Array> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  let isOver = false;
  const over = (error?: unknown): void => {
    clearTimeout(timer);
    if (isOver) return;
    isOver = true;
    closed(error);
  };
  const wait = (controller: ReadableStreamDefaultController<Uint8Array>): void => {
    timer = setTimeout(() => {
      const late = new AppError('busy', 'The export was not read.');
      over(late);
      controller.error(late);
    }, stall);
  };
  // Nothing is read ahead: the caller's pace is the database's.
  return new ReadableStream(
    {
      start: wait,
      async pull(controller) {
        clearTimeout(timer);
        try {
          const { bytes, last } = await next();
          if (isOver) return;
          controller.enqueue(bytes);
          if (!last) return wait(controller);
          controller.close();
          over();
        } catch (error) {
          over(error);
          controller.error(error);
        }
      },
      cancel: () => over(),
    },
    { highWaterMark: 0 },
  );
}
