export { ApiError } from './api-error.js';
export { connect, type ConnectOptions, type Credentials } from './connect.js';
export type { Client } from './generated/client/index.js';
export * from './generated/index.js';
