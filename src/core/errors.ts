/** One thing wrong with a request. `pointer` is an RFC 6901 pointer into the body; `parameter` names one of the query, or a header. */
export type Fault = { pointer?: string; parameter?: string; code: string; detail: string };

/**
 * Every error code the API can answer, its HTTP status and its RFC 9457 title. The code is the stable part;
 * this table is also what the OpenAPI document publishes. `internal_error` is the only 500.
 */
export const ERROR_CODES = {
  malformed_json: { status: 400, title: 'The body is not valid JSON' },
  malformed_file: { status: 400, title: 'The file cannot be read' },
  empty_body: { status: 400, title: 'A body is required' },
  invalid_parameter: { status: 400, title: 'A query parameter is invalid' },
  unknown_parameter: { status: 400, title: 'A query parameter is unknown' },
  invalid_cursor: { status: 400, title: 'The cursor is invalid' },
  cursor_mismatch: { status: 400, title: 'The cursor belongs to another query' },
  use_cursor: { status: 400, title: 'Too deep for pages, use a cursor' },
  invalid_min_revision: { status: 400, title: 'Min-Revision is invalid' },
  revision_ahead: { status: 400, title: 'The company has not reached that revision' },
  invalid_idempotency_key: { status: 400, title: 'The idempotency key is invalid' },
  idempotency_key_required: { status: 400, title: 'An idempotency key is required' },

  unauthenticated: { status: 401, title: 'Authentication is required' },
  invalid_credentials: { status: 401, title: 'The credentials are wrong' },
  token_expired: { status: 401, title: 'The token has expired' },
  session_revoked: { status: 401, title: 'The session was revoked' },
  invalid_refresh_token: { status: 401, title: 'The refresh token is invalid' },
  invalid_ticket: { status: 401, title: 'The realtime ticket is invalid' },

  forbidden: { status: 403, title: 'Not allowed' },
  signup_closed: { status: 403, title: 'Sign-up is closed' },
  not_found: { status: 404, title: 'Not found' },
  method_not_allowed: { status: 405, title: 'The method is not allowed here' },

  conflict: { status: 409, title: 'The request conflicts with the present state' },
  duplicate: { status: 409, title: 'It exists already' },
  email_taken: { status: 409, title: 'The e-mail address is taken' },
  ambiguous_match: { status: 409, title: 'Several objects match the row' },
  external_id_taken: { status: 409, title: 'The external id is taken' },
  erased: { status: 409, title: 'The client was erased' },
  last_owner: { status: 409, title: 'The last owner must stay' },
  snapshot_conflict: { status: 409, title: 'The data changed meanwhile, try again' },
  epoch_changed: { status: 409, title: 'The history was replaced, load again' },
  slot_taken: { status: 409, title: 'The time is already booked' },
  outside_working_hours: { status: 409, title: 'Outside working hours' },
  appointment_closed: { status: 409, title: 'The appointment is over' },
  illegal_transition: { status: 409, title: 'The status cannot change that way' },
  series_conflict: { status: 409, title: 'Occurrences of the series cannot be booked' },
  hold_expired: { status: 409, title: 'The hold has expired or was used' },
  invoice_not_open: { status: 409, title: 'The invoice is not open' },
  invoice_not_draft: { status: 409, title: 'The invoice is no longer a draft' },
  already_billed: { status: 409, title: 'The appointment is on another invoice' },
  not_billable: { status: 409, title: 'The appointment did not take place' },
  exceeds_balance: { status: 409, title: 'More than the balance' },
  exceeds_paid: { status: 409, title: 'More than was paid' },

  window_exceeded: { status: 410, title: 'Older than the kept log' },
  invalid_link: { status: 410, title: 'The link has expired or was used' },
  version_mismatch: { status: 412, title: 'The version is another one' },
  payload_too_large: { status: 413, title: 'The body is too large' },
  unsupported_media_type: { status: 415, title: 'The content type is not supported' },

  invalid_body: { status: 422, title: 'The body is invalid' },
  unknown_reference: { status: 422, title: 'A referenced object does not exist' },
  idempotency_key_reused: { status: 422, title: 'The idempotency key was used for another request' },
  nonexistent_local_time: { status: 422, title: 'The local time does not exist' },
  ambiguous_local_time: { status: 422, title: 'The local time exists twice' },
  not_offered: { status: 422, title: 'The staff member does not offer the service' },
  negative_total: { status: 422, title: 'The total would be negative' },
  invalid_rrule: { status: 422, title: 'The recurrence rule is invalid or unbounded' },

  upgrade_required: { status: 400, title: 'An upgrade to a WebSocket is required' },
  rate_limited: { status: 429, title: 'Too many requests' },
  internal_error: { status: 500, title: 'Something went wrong' },
  busy: { status: 503, title: 'Busy, try again' },
  database_unavailable: { status: 503, title: 'The database cannot be reached' },
} as const satisfies Record<string, { status: number; title: string }>;

/** A stable error code, as in the `code` member of a problem document. */
export type ErrorCode = keyof typeof ERROR_CODES;

/**
 * The only error that is meant for callers; knows no HTTP beyond its code. `message` is the problem's `detail` and
 * defaults to the title. `extra` becomes members of the problem document (RFC 9457, 3.2), e.g. `allowed`, `suggestions`.
 */
export class AppError extends Error {
  override readonly name = 'AppError';
  readonly code: ErrorCode;
  readonly faults: readonly Fault[];
  readonly extra: Readonly<Record<string, unknown>>;

  constructor(
    code: ErrorCode,
    detail?: string,
    options?: { faults?: Fault[]; extra?: Record<string, unknown>; cause?: unknown },
  ) {
    super(detail ?? ERROR_CODES[code].title, options && 'cause' in options ? { cause: options.cause } : undefined);
    this.code = code;
    this.faults = options?.faults ?? [];
    this.extra = options?.extra ?? {};
  }
}
