import { ApiError, isErrorBody } from './api-error.js';
import { type Client, createClient, createConfig } from './generated/client/index.js';
import { exchangeApiKey, logIn, type Token } from './generated/index.js';

export type Credentials = { apiKey: string } | { username: string; password: string };

export type ConnectOptions = Credentials & {
  /** Address of Waybill, as in `https://waybill.example.com`. */
  url: string;
  /** Used in place of the global `fetch`. */
  fetch?: typeof fetch;
};

/** How long before its end a token is renewed, in milliseconds. */
const RENEWED_BEFORE_MS = 60_000;

/**
 * Return a client for the operations of this package.
 *
 * It gets a token before the first call, renews it before its end, and once if the API rejects it (401). It follows no
 * redirect: a token would reach another host. It repeats no other request; see the README for what is safe to repeat.
 *
 * @throws TypeError the URL is not one of HTTP or HTTPS, or has credentials in it.
 */
export function connect(options: ConnectOptions): Client {
  const address = new URL(options.url);
  if (!['http:', 'https:'].includes(address.protocol)) throw new TypeError(`not an address of HTTP: ${options.url}`);
  if (address.username || address.password) throw new TypeError('the address has credentials in it: pass them apart');
  const config = { baseUrl: options.url.replace(/\/+$/, ''), redirect: 'error', fetch: options.fetch ?? fetch } as const;
  const unauthenticated = withErrors(createClient(createConfig(config)));
  const tokens = new Tokens(() => obtainToken(unauthenticated, options));
  const renewing: typeof fetch = (input, init) => fetchRenewing(new Request(input, init), tokens, config.fetch);
  return withErrors(createClient(createConfig({ ...config, auth: () => tokens.current(), fetch: renewing })));
}

async function obtainToken(client: Client, credentials: Credentials): Promise<Token> {
  const obtained =
    'apiKey' in credentials
      ? await exchangeApiKey({ client, body: { api_key: credentials.apiKey }, throwOnError: true })
      : await logIn({
          client,
          body: { username: credentials.username, password: credentials.password },
          throwOnError: true,
        });
  return obtained.data;
}

function withErrors(client: Client): Client {
  client.interceptors.error.use((error, response) =>
    response && isErrorBody(error) ? new ApiError(error, response) : error,
  );
  return client;
}

/** The token of a client: obtained once, however many calls wait for it. */
class Tokens {
  #obtained: Promise<string> | undefined;
  #renewedAt = 0;
  readonly #obtain: () => Promise<Token>;

  constructor(obtain: () => Promise<Token>) {
    this.#obtain = obtain;
  }

  current(): Promise<string> {
    if (this.#obtained === undefined || Date.now() >= this.#renewedAt) this.#obtained = this.#renew();
    return this.#obtained;
  }

  /** Forget a token that was rejected, unless another call has renewed it meanwhile. */
  async reject(token: string): Promise<void> {
    if (this.#obtained !== undefined && (await this.#obtained) === token) this.#obtained = undefined;
  }

  async #renew(): Promise<string> {
    this.#renewedAt = Infinity;
    try {
      const { token, expires_in } = await this.#obtain();
      this.#renewedAt = Date.now() + Math.max(expires_in * 1000 - RENEWED_BEFORE_MS, 0);
      return token;
    } catch (error) {
      this.#obtained = undefined;
      throw error;
    }
  }
}

async function fetchRenewing(request: Request, tokens: Tokens, send: typeof fetch): Promise<Response> {
  const token = request.headers.get('Authorization')?.replace(/^Bearer /, '');
  if (token === undefined) return send(request);
  const again = request.clone();
  const response = await send(request);
  if (response.status !== 401) return response;
  await tokens.reject(token);
  again.headers.set('Authorization', `Bearer ${await tokens.current()}`);
  await response.body?.cancel();
  return send(again);
}
