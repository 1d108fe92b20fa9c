import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { after, before, beforeEach, test } from 'node:test';
import { ApiError, connect, exchangeApiKey, getShipment, reportEvent, streamShipment } from '@waybill/client';

const EVENT = { tracking_number: '99M-GMPWC6W7SP2G', status: 'picked_up', source: 's', timestamp: '2026-11-30T00:00:00Z' } as const;
const SHIPMENT = { path: { tracking_number: EVENT.tracking_number } };

type Reply = (request: IncomingMessage, response: ServerResponse, body: string) => void;
let seen: Array<{ url: string; authorization: string | undefined; body: string }>;
let logins: number;
let reply: Reply;
let lifetime: number;
let server: Server;
let url: string;

function json(response: ServerResponse, status: number, body: unknown, headers: Record<string, string> = {}): void {
  response.writeHead(status, { 'Content-Type': 'application/json', ...headers }).end(JSON.stringify(body));
}

function failed(response: ServerResponse, status: number, error: string, members: object = {}): void {
  const body = { error, message: 'no', status_code: status, timestamp: '2026-11-30T00:00:00.000Z', ...members };
  json(response, status, body, { 'X-Request-Id': 'req-1' });
}

before(async () => {
  server = createServer((request, response) => {
    const parts: Buffer[] = [];
    request.on('data', (part: Buffer) => parts.push(part));
    request.on('end', () => {
      const body = Buffer.concat(parts).toString();
      if (request.url === '/auth/token' || request.url === '/auth/login') {
        logins += 1;
        return json(response, 200, { token: `t${logins}`, expires_in: lifetime, token_type: 'Bearer' });
      }
      seen.push({ url: request.url ?? '', authorization: request.headers.authorization, body });
      return reply(request, response, body);
    });
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
});

after(() => {
  server.closeAllConnections();
  server.close();
});

beforeEach(() => {
  seen = [];
  logins = 0;
  lifetime = 86_400;
  reply = (_, response) => json(response, 200, { ok: true });
});

test('many calls at once get one token', async () => {
  const client = connect({ url: `${url}/`, apiKey: 'k' });
  await Promise.all(Array.from({ length: 20 }, () => getShipment({ client, ...SHIPMENT, throwOnError: true })));
  assert.equal(logins, 1);
  assert.deepEqual(new Set(seen.map((each) => each.authorization)), new Set(['Bearer t1']));
  assert.equal(seen[0]?.url, '/shipments/99M-GMPWC6W7SP2G');
});

test('a token that is about to end is renewed', async () => {
  lifetime = 59;
  const client = connect({ url, apiKey: 'k' });
  await getShipment({ client, ...SHIPMENT, throwOnError: true });
  await getShipment({ client, ...SHIPMENT, throwOnError: true });
  assert.equal(logins, 2);
});

test('a rejected token is renewed, and the request is sent again with its body', async () => {
  reply = (request, response) =>
    request.headers.authorization === 'Bearer t1' ? failed(response, 401, 'INVALID_TOKEN') : json(response, 202, {});
  const client = connect({ url, username: 'u', password: 'p' });
  await reportEvent({ client, body: EVENT, throwOnError: true });
  assert.deepEqual(seen.map((each) => each.authorization), ['Bearer t1', 'Bearer t2']);
  assert.deepEqual(seen.map((each) => JSON.parse(each.body)), [EVENT, EVENT]);
});

test('a token that is rejected again is not renewed for ever', async () => {
  reply = (_, response) => failed(response, 401, 'INVALID_TOKEN');
  const client = connect({ url, apiKey: 'k' });
  await assert.rejects(getShipment({ client, ...SHIPMENT, throwOnError: true }), { status_code: 401 });
  assert.equal(seen.length, 2);
});

test('an error has what the body says, and the id of the request', async () => {
  reply = (_, response) => failed(response, 409, 'INVALID_TRANSITION', { held_until: '2026-12-01T00:00:00.000Z' });
  const client = connect({ url, apiKey: 'k' });
  const { data, error, response } = await reportEvent({ client, body: EVENT });
  assert.equal(data, undefined);
  assert.equal(response?.status, 409);
  assert.ok(error instanceof ApiError);
  assert.equal(error.error, 'INVALID_TRANSITION');
  assert.equal(error.held_until, '2026-12-01T00:00:00.000Z');
  assert.equal(error.requestId, 'req-1');
  assert.equal(error.message, '409 INVALID_TRANSITION: no');
});

test('an error that is not of the API is what stood there', async () => {
  reply = (_, response) => response.writeHead(502, { 'Content-Type': 'text/html' }).end('<h1>Bad Gateway</h1>');
  const client = connect({ url, apiKey: 'k' });
  const { error, response } = await getShipment({ client, ...SHIPMENT });
  assert.equal(response?.status, 502);
  assert.equal(error as unknown, '<h1>Bad Gateway</h1>');
});

test('a redirect is not followed', async () => {
  reply = (_, response) => response.writeHead(302, { Location: `${url}/elsewhere` }).end();
  const client = connect({ url, apiKey: 'k' });
  await assert.rejects(getShipment({ client, ...SHIPMENT, throwOnError: true }), TypeError);
  assert.deepEqual(seen.map((each) => each.url), ['/shipments/99M-GMPWC6W7SP2G']);
});

test('a stream gives the data of its events, and ends as the server ends it', async () => {
  reply = (_, response) =>
    response
      .writeHead(200, { 'Content-Type': 'text/event-stream' })
      .end('id: 3\ndata: {"version": 3, "current_status": "in_transit"}\n\n: alive\n\n');
  const client = connect({ url, apiKey: 'k' });
  const { stream } = await streamShipment({ client, ...SHIPMENT });
  const versions: number[] = [];
  for await (const { version } of stream) versions.push(version);
  assert.deepEqual(versions, [3]);
  assert.equal(seen[0]?.authorization, 'Bearer t1');
});

test('what needs no token is called without one', async () => {
  const client = connect({ url, apiKey: 'k' });
  await exchangeApiKey({ client, body: { api_key: 'other' }, throwOnError: true });
  assert.equal(logins, 1);
});

test('an address that is none of HTTP is refused', () => {
  assert.throws(() => connect({ url: 'ftp://waybill', apiKey: 'k' }), TypeError);
  assert.throws(() => connect({ url: 'http://u:p@waybill', apiKey: 'k' }), TypeError);
  assert.throws(() => connect({ url: 'waybill', apiKey: 'k' }), TypeError);
});
