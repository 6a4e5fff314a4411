/** An instant as the log writes it (`2026-11-23T02:07:14.12+00:00`) as the API shows it: RFC 3339 UTC with milliseconds. */
export function instantOf(value: unknown): string | null {
  return value === null || value === undefined ? null : new Date(String(value)).toISOString();
}
