import { request } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import { gzipSync } from 'node:zlib';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createServiceKey, issueServiceToken } from '../../src/gateway/service-token.ts';
import { openTestDoor, type TestDoor } from './door.ts';
import { closeServing, openRaw, PREFACE, SETTINGS } from './raw-connection.ts';

/** Far below the time-outs of the door, far above what a busy machine takes: closed by then is closed at once. */
const AT_ONCE_MS = 5_000;

// Whatever comes in at the port, the door answers it or closes the connection, and goes on serving the others.
describe('the port', () => {
  let test: TestDoor;
  beforeEach(async () => {
    test = await openTestDoor({ limits: { helloMs: 20_000, messageBytesMax: 20_000, connectionsMax: 20 } });
  });
  afterEach(() => closeServing(test));

  const atOnce = async <T>(work: Promise<T>): Promise<T> => {
    const before = Date.now();
    const result = await work;
    expect(Date.now() - before).toBeLessThan(AT_ONCE_MS);
    return result;
  };

  it.each<[string, (string | Buffer)[]]>([
    ['random bytes', [Buffer.from(Array.from({ length: 5_000 }, (_, index) => (index * 7919) % 251))]],
    ['NULs', [Buffer.alloc(10_000)]],
    ['a TLS hello', [Buffer.from('16030100c8010000c40303', 'hex')]],
    ['a preface and garbage', [PREFACE, Buffer.alloc(5_000, 0xff)]],
    ['a preface, settings and garbage', [PREFACE, SETTINGS, Buffer.alloc(5_000, 0xff)]],
    ['something like a preface', ['PRI * HTTP/3.0\r\n\r\nSM\r\n\r\n']],
    ['an HTTP/1.1 request with a header without a name', ['GET / HTTP/1.1\r\n : \r\n\r\n']],
    ['a header of 100 kB', [`GET / HTTP/1.1\r\nx: ${'a'.repeat(100_000)}\r\n\r\n`]],
  ])('closes a connection that says %s', async (_name, pieces) => {
    await atOnce((await openRaw(test, ...pieces)).closed);
  });

  it('knows the protocol however small the pieces in which it comes', async () => {
    const http1 = await openRaw(
      test,
      ...['P', 'O', 'ST /kora.v1.PaymentService/Not', 'hing HTTP/1.1\r\nhost: x\r\nconnection: close\r\n', '\r\n'],
    );
    expect(await atOnce(http1.closed)).toMatch(/^HTTP\/1\.1 404 .*there is no method \/kora\.v1/s);
    const http2 = await openRaw(test, 'P', 'R', 'I', ' *', PREFACE.slice(5, 20), PREFACE.slice(20), SETTINGS);
    while (http2.socket.bytesRead < SETTINGS.length) await sleep(5);
    http2.socket.end();
    expect((await atOnce(http2.closed)).charCodeAt(3), 'the first frame of the answer is one of settings').toBe(4);
  });

  it('lets go of a connection that its client has ended', async () => {
    for (const pieces of [[], ['PR'], [PREFACE, SETTINGS], ['POST /x HTTP/1.1\r\n']]) {
      const { socket, closed } = await openRaw(test, ...pieces);
      socket.end();
      await atOnce(closed);
    }
    const reset = await openRaw(test, 'POST /kora.v1.PaymentService/Pay HTTP/1.1\r\n');
    reset.socket.resetAndDestroy();
    await reset.closed;
  });

  it('drops connections above the limit, and takes new ones when there is room again', async () => {
    const held = await Promise.all(Array.from({ length: 20 }, () => openRaw(test, 'P')));
    await atOnce((await openRaw(test, 'P')).closed);
    for (const { socket } of held) socket.destroy();
    await Promise.all(held.map(({ closed }) => closed));
    // The door learns of each end by an event of its own.
    let served = false;
    while (!served)
      served = await fetch(test.url).then(
        () => true,
        () => false,
      );
  });

  it.each(['[', 'a b', 'x:y:z', '%'])('answers a request whose host is %j', async (host) => {
    const { closed } = await openRaw(
      test,
      `POST /kora.v1.PaymentService/Batch HTTP/1.1\r\nhost: ${host}\r\ncontent-type: application/json\r\n` +
        `authorization: Bearer ${test.token}\r\nconnection: close\r\ncontent-length: 2\r\n\r\n{}`,
    );
    expect(await atOnce(closed)).toMatch(/^HTTP\/1\.1 400 /);
  });

  it('answers HTTP/1.0, other methods and other content types', async () => {
    const { closed } = await openRaw(test, 'POST /kora.v1.PaymentService/Pay HTTP/1.0\r\n\r\n');
    expect(await atOnce(closed)).toMatch(/ 400 .*names no host/s);
    const url = `${test.url}/kora.v1.PaymentService/Pay`;
    expect((await fetch(url)).status).toBe(405);
    expect((await fetch(url, { method: 'POST', body: 'x' })).status).toBe(415);
    expect((await fetch(`${test.url}/`)).status).toBe(404);
    const notFound = await fetch(`${test.url}/kora.v1.PaymentService/Steal`, { method: 'POST' });
    const message = 'there is no method /kora.v1.PaymentService/Steal: see proto/kora/v1';
    expect(await notFound.json()).toEqual({ code: 'unimplemented', message });
  });

  it('takes reads as GET', async () => {
    const query = new URLSearchParams({ encoding: 'json', message: JSON.stringify({ accountId: 'nobody' }) });
    const headers = { authorization: `Bearer ${test.token}` };
    const response = await fetch(`${test.url}/kora.v1.AccountService/GetAccount?${query.toString()}`, { headers });
    expect(response.status).toBe(404);
    expect(await response.json()).toMatchObject({ code: 'not_found', message: 'there is no account nobody' });
  });

  const post = (body: string | Uint8Array<ArrayBuffer>, headers: Record<string, string> = {}) =>
    fetch(`${test.url}/kora.v1.PaymentService/Batch`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', authorization: `Bearer ${test.token}`, ...headers },
      body,
    });

  it('refuses a message over the limit, compressed or not, and takes compressed ones below it', async () => {
    const large = JSON.stringify({ commands: [{ pay: { idempotencyKey: 'x'.repeat(30_000) } }] });
    const gzip = { 'content-encoding': 'gzip' };
    for (const response of [await post(large), await post(new Uint8Array(gzipSync(large)), gzip)]) {
      expect(response.status).toBe(429);
      expect(await response.json()).toMatchObject({ code: 'resource_exhausted' });
    }
    expect(await (await post(new Uint8Array(gzipSync('{}')), gzip)).json()).toEqual({});
  });

  it('refuses a message that does not say how large it is as soon as it is too large', async () => {
    const chunked = request(`${test.url}/kora.v1.PaymentService/Batch`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', authorization: `Bearer ${test.token}` },
    });
    const status = new Promise((resolve) => {
      chunked.once('response', (response) => resolve(response.resume().statusCode));
      chunked.once('error', resolve);
    });
    for (let sent = 0; sent < 40; sent += 1) chunked.write(' '.repeat(1_000));
    expect(await status).toBe(429);
    chunked.destroy();
  });

  it('reads no body of a caller who has no token', async () => {
    const token = await issueServiceToken({
      key: createServiceKey(),
      service: 'nobody',
      tenant: 'none',
      ttlSeconds: 60,
    });
    const response = await post('this is not even JSON', { authorization: `Bearer ${token}` });
    expect(response.status).toBe(401);
    expect(await response.json()).toMatchObject({ code: 'unauthenticated' });
  });

  it('answers bytes that are no protobuf', async () => {
    const response = await post(Uint8Array.of(0xff, 0xff, 0xff), { 'content-type': 'application/proto' });
    expect(response.status).toBe(500);
    const { message } = (await response.json()) as { message: string };
    expect(message).toMatch(/^parse binary/);
  });
});
