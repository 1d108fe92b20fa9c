import type { ErrorBody, ErrorCode, ErrorDetail } from './generated/index.js';

/** A response of the API that is an error. It has the fields of the body, and where to look for more. */
export class ApiError extends Error implements ErrorBody {
  override readonly name = 'ApiError';
  /** One of a closed list of codes, or a newer one that this version does not know. */
  readonly error: ErrorCode;
  readonly status_code: number;
  readonly timestamp: string;
  /** The problems of the request, each with the JSON pointer of its field. */
  readonly details?: Array<ErrorDetail>;
  /** Until when an event that came early is held. */
  readonly held_until?: string;
  /** The `X-Request-Id` of the response: the server's logs have it. */
  readonly requestId: string | null;
  readonly response: Response;

  constructor(body: ErrorBody, response: Response) {
    super(`${body.status_code} ${body.error}: ${body.message}`);
    this.error = body.error;
    this.status_code = body.status_code;
    this.timestamp = body.timestamp;
    if (body.details !== undefined) this.details = body.details;
    if (body.held_until !== undefined) this.held_until = body.held_until;
    this.requestId = response.headers.get('X-Request-Id');
    this.response = response;
  }
}

/** Return whether a value is the body of an error of the API, not a page of something between. */
export function isErrorBody(value: unknown): value is ErrorBody {
  return typeof value === 'object' && value !== null && 'error' in value && 'status_code' in value && 'message' in value;
}
