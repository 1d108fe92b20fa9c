import type { ErrorBody } from './generated/index.js';

/** It has all fields of the body: `error` is one of a list of codes, or a newer one that this version does not know. */
export interface ApiError extends ErrorBody {}

/** A response of the API that is an error. */
export class ApiError extends Error {
  override readonly name = 'ApiError';
  /** The `X-Request-Id` of the response: the server's logs have it. */
  readonly requestId: string | null;
  readonly response: Response;

  constructor({ message, ...fields }: ErrorBody, response: Response) {
    super(`${fields.status_code} ${fields.error}: ${message}`);
    Object.assign(this, fields);
    this.requestId = response.headers.get('X-Request-Id');
    this.response = response;
  }
}

/** Return whether a value is the body of an error of the API, not a page of something between. */
export function isErrorBody(value: unknown): value is ErrorBody {
  return typeof value === 'object' && value !== null && 'error' in value && 'status_code' in value && 'message' in value;
}
