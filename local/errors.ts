/** A fault of the local stack whose `message` alone tells the reader what to do; printed without a stack trace. */
export class StackError extends Error {
  override readonly name = 'StackError';
}

/** The `code` of a Node system error (`ENOENT`, `EACCES`, …), or undefined for anything else. */
export function errorCode(error: unknown): string | undefined {
  if (typeof error !== 'object' || error === null || !('code' in error)) return undefined;
  return typeof error.code === 'string' ? error.code : undefined;
}

/** One line of text for any thrown value. */
export function errorText(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

/** Prints what the reader can put right as one line, anything else with its stack. */
export function printError(error: unknown): void {
  console.error(error instanceof StackError ? error.message : error);
}
