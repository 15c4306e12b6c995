/** What the closed list says of one code. */
export interface ProblemText {
  readonly status: number;
  readonly title: string;
}

/** Every `code` that an answer or a rejected row can carry. Codes are never renamed or reused. */
export const PROBLEMS = {
  invalid_json: { status: 400, title: 'The body is not JSON' },
  invalid_request: { status: 400, title: 'The request is not what this route takes' },
  unknown_field: { status: 400, title: 'There is no such field' },
  invalid_cursor: { status: 400, title: 'The cursor is not one that this list gave' },
  invalid_header: { status: 400, title: 'A header does not say what it should' },
  invalid_row: { status: 400, title: 'The row cannot be read' },
  invalid_action: { status: 400, title: 'The action is neither grant nor revoke' },
  invalid_script: { status: 400, title: 'The script is no pine id' },
  invalid_username: { status: 400, title: 'The username is none' },
  invalid_expiry: { status: 400, title: 'The expiry is no date with a zone' },
  expiry_in_past: { status: 400, title: 'The expiry lies in the past' },
  invalid_duration: { status: 400, title: 'The duration is none' },
  expiry_missing: { status: 400, title: 'A grant must say until when' },
  expiry_ambiguous: { status: 400, title: 'A grant says until when in one way only' },
  expiry_not_allowed: { status: 400, title: 'A revoke has no expiry' },
  idempotency_key_required: { status: 400, title: 'An extension needs an Idempotency-Key' },
  unknown_column: { status: 400, title: 'There is no such CSV column' },
  missing_column: { status: 400, title: 'A CSV column is missing' },
  duplicate_column: { status: 400, title: 'A CSV column is there twice' },
  upload_interrupted: { status: 400, title: 'The upload broke off' },
  unauthorized: { status: 401, title: 'No valid API key' },
  scope_missing: { status: 403, title: 'The API key lacks the scope' },
  not_found: { status: 404, title: 'There is no such route' },
  unknown_script: { status: 404, title: 'No account has this script' },
  unknown_access: { status: 404, title: 'This access was never mentioned' },
  unknown_operation: { status: 404, title: 'There is no such operation' },
  unknown_batch: { status: 404, title: 'There is no such batch' },
  unknown_account: { status: 404, title: 'There is no such account' },
  unknown_refresh: { status: 404, title: 'There is no such refresh' },
  unknown_key: { status: 404, title: 'There is no such API key' },
  not_acceptable: { status: 406, title: 'The route answers with text/event-stream only' },
  request_running: { status: 409, title: 'A request with this Idempotency-Key is running' },
  script_taken: { status: 409, title: 'The script belongs to another account' },
  account_pending: { status: 409, title: 'Operations of the account are pending' },
  refresh_running: { status: 409, title: 'The script is being refreshed' },
  nothing_to_retry: { status: 409, title: 'Nothing has failed that could be retried' },
  refresh_required: { status: 409, title: 'The account was restored and must be refreshed first' },
  batch_cancelled: { status: 409, title: 'The batch is cancelled' },
  body_too_large: { status: 413, title: 'The body is too large' },
  too_many_rows: { status: 413, title: 'There are too many rows' },
  unsupported_media_type: { status: 415, title: 'The route does not take this media type' },
  idempotency_key_reused: { status: 422, title: 'The Idempotency-Key stands for another body' },
  resume_differs: { status: 422, title: 'The resumed upload differs from what was received' },
  rate_limited: { status: 429, title: 'Too many requests' },
  too_many_pending: { status: 429, title: 'Too many operations of this access are pending' },
  internal: { status: 500, title: 'Something went wrong here' },
  unavailable: { status: 503, title: 'The service cannot work at the moment' },
  not_replicated: { status: 503, title: 'Too few replicas have the write' },
  redis_restored: { status: 503, title: 'Redis has lost what it held' },
  revokes_off: { status: 503, title: 'Revokes are switched off' },
  bulk_off: { status: 503, title: 'Large batches are switched off' },
  storage_full: { status: 503, title: 'Redis is nearly full' },
} as const satisfies Record<string, ProblemText>;

/** A code of the closed list. */
export type ProblemCode = keyof typeof PROBLEMS;
