import { connect as connectHttp2, constants } from 'node:http2';
import { randomBytes } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { brotliCompressSync, constants as zlib, gzipSync } from 'node:zlib';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import WebSocket from 'ws';
import { createTestDatabase, type TestDatabase } from '../support/postgres.ts';
import { startServing, type ServingProduct } from './support/serving.ts';
import { memoryMib } from './support/memory.ts';
import { drip, flood, openRaw, type Raw } from './support/raw.ts';
import { Watchful } from './support/watchful.ts';

// Hostile traffic at every door of `kora serve` as a process: connections that say too little, bodies that are too large,
// floods and bombs. Each ends in a clean refusal or a closed connection, honest clients are served all the while, and the
// process neither grows nor falls.

/** What one attack may leave in memory. Rubbish is collected when it must be, so this is far above what stays. */
const GROWTH_MIB_MAX = 400;

let database: TestDatabase;
let serving: ServingProduct;
let token: string;
let watchful: Watchful;
beforeAll(async () => {
  database = await createTestDatabase();
  serving = await startServing(database.connectionString);
  token = serving.token;
}, 120_000);
afterAll(async () => {
  const { code, stderr } = await serving.stop();
  expect(code, stderr).toBe(0);
  // A fault would have been logged.
  expect(stderr.split('\n').filter((line) => /"level":"(error|fatal)"/.test(line))).toEqual([]);
  await database.drop();
});

let before: number;
beforeEach(async () => {
  before = await memoryMib(serving.pid);
  watchful = await Watchful.start(serving);
});
afterEach(async () => {
  // Honest clients of every door, all the time.
  const { answered, failed } = await watchful.stop();
  expect(failed).toEqual([]);
  expect(answered).toBeGreaterThan(0);
  expect((await memoryMib(serving.pid)) - before).toBeLessThan(GROWTH_MIB_MAX);
});

const rpcPath = '/kora.v1.PaymentService/Batch';
const doors = (): Record<string, string> => ({ http: serving.http, rpc: serving.rpc, stream: serving.streamOrigin });
const postTo = (name: string): string =>
  name === 'rpc'
    ? `POST ${rpcPath} HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\nauthorization: Bearer ${token}\r\n`
    : `POST /v1/payments HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\nauthorization: Bearer ${token}\r\nidempotency-key: k\r\n`;

describe('slow-loris', () => {
  it('of headers and of bodies, at every door, is closed, and nobody else notices', { timeout: 120_000 }, async () => {
    const connections: Promise<string>[] = [];
    const attack = async (name: string, origin: string, count: number, beginning: string) => {
      for (let number = 0; number < count; number++) {
        const raw = await openRaw(origin, beginning);
        connections.push(drip(raw, 500).then((text) => `${name}: ${text.slice(0, 15)}`));
      }
    };
    for (const [name, origin] of Object.entries(doors())) {
      await attack(name, origin, 60, '');
      await attack(name, origin, 60, 'GET / HTTP/1.1\r\nhost: x\r\nx-slow: ');
      if (name !== 'stream') await attack(name, origin, 60, `${postTo(name)}content-length: 10000\r\n\r\n{`);
    }
    const endings = new Set(await Promise.all(connections));
    // Closed without a word, or told that it took too long; nothing else.
    for (const ending of endings) expect(ending).toMatch(/^(http|rpc|stream): ($|HTTP\/1\.1 40[08])/);
  });
});

describe('bodies', () => {
  const beginnings = {
    'say that they are huge': 'content-length: 5000000000',
    'never say it': 'transfer-encoding: chunked',
  };
  it.each(Object.entries(beginnings))(
    'that are huge are refused before they are there, where they %s',
    async (_, header) => {
      for (const name of ['http', 'rpc']) {
        const from = Date.now();
        const raw = await openRaw(doors()[name] ?? '', `${postTo(name)}${header}\r\n\r\n`);
        const chunk = `${(1 << 20).toString(16)}\r\n${' '.repeat(1 << 20)}\r\n`;
        const writing = flood(raw, chunk, 100);
        // Told so, or cut off while it still sends.
        expect(await raw.closed, name).toMatch(/^($|HTTP\/1\.1 4(00|13|29))/);
        expect(Date.now() - from, 'long before any time is over').toBeLessThan(15_000);
        await writing;
      }
    },
  );

  const bomb = Buffer.alloc(256 * 1024 * 1024);
  it.each([
    ['gzip', () => gzipSync(bomb)],
    ['br', () => brotliCompressSync(bomb, { params: { [zlib.BROTLI_PARAM_QUALITY]: 1 } })],
  ] as const)('that are %s bombs of 256 MiB are refused', async (encoding, compressed) => {
    const body = new Uint8Array(compressed());
    expect(body.length).toBeLessThan(1_000_000);
    const headers = { 'content-type': 'application/json', 'content-encoding': encoding };
    const authorized = { ...headers, authorization: `Bearer ${token}` };
    for (let number = 0; number < 20; number++) {
      const rpc = await fetch(`${serving.rpc}${rpcPath}`, { method: 'POST', headers: authorized, body });
      expect(rpc.status).toBe(429);
    }
    const keyed = { ...authorized, 'idempotency-key': 'bomb' };
    const http = await fetch(`${serving.http}/v1/payments`, { method: 'POST', headers: keyed, body });
    expect([400, 413, 415]).toContain(http.status);
  });

  it('that are nested without end, or poisoned, are refused as what they are', async () => {
    const headers = { 'content-type': 'application/json', authorization: `Bearer ${token}` };
    const bodies = [
      '['.repeat(16_000),
      `${'{"a":'.repeat(2_500)}1${'}'.repeat(2_500)}`,
      '{"__proto__":{"admin":true}}',
    ];
    bodies.push(
      '{"constructor":{"prototype":{"admin":true}}}',
      `{"amount":${'9'.repeat(10_000)}}`,
      '\u0000',
      '"',
      'NaN',
    );
    for (const body of bodies) {
      const rpc = await fetch(`${serving.rpc}/kora.v1.PaymentService/Pay`, { method: 'POST', headers, body });
      expect(rpc.status, body.slice(0, 40)).toBe(400);
      const keyed = { ...headers, 'idempotency-key': 'nested' };
      const http = await fetch(`${serving.http}/v1/payments`, { method: 'POST', headers: keyed, body });
      expect(http.status, body.slice(0, 40)).toBe(400);
    }
  });
});

describe('headers and addresses', () => {
  it.each(['http', 'rpc', 'stream'])('that are huge are refused: %s', async (name) => {
    const origin = doors()[name] ?? '';
    const long = 'a'.repeat(200_000);
    for (const text of [
      `GET /${long} HTTP/1.1\r\nhost: x\r\n\r\n`,
      `GET / HTTP/1.1\r\nhost: x\r\nx: ${long}\r\n\r\n`,
    ]) {
      expect(await (await openRaw(origin, text)).closed).toMatch(/^($|HTTP\/1\.1 4(00|04|14|31))/);
    }
    const many = Array.from({ length: 20_000 }, (_, number) => `x${number}: 1\r\n`).join('');
    expect(await (await openRaw(origin, `GET / HTTP/1.1\r\nhost: x\r\n${many}\r\n`)).closed).toMatch(
      /^($|HTTP\/1\.1 4(00|31))/,
    );
  });

  it('that say two things at once (request smuggling) are refused', async () => {
    const smuggled = [
      'content-length: 4\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\nGET /v1/accounts HTTP/1.1\r\nhost: x\r\n\r\n',
      'content-length: 4\r\ncontent-length: 5\r\n\r\n{}  GET',
      'transfer-encoding: chunked, identity\r\n\r\n0\r\n\r\n',
      'transfer-encoding: xchunked\r\n\r\n0\r\n\r\n',
      'content-length: +2\r\n\r\n{}',
    ];
    for (const [name, origin] of Object.entries({ http: serving.http, rpc: serving.rpc })) {
      for (const rest of smuggled) {
        const answer = await (await openRaw(origin, `${postTo(name)}${rest}`)).closed;
        expect(answer, rest).toMatch(/^($|HTTP\/1\.1 400)/);
        expect(answer.match(/HTTP\/1\.1 \d/g)?.length ?? 0, rest).toBeLessThanOrEqual(1);
      }
    }
  });
});

describe('floods', () => {
  it.each(['http', 'rpc', 'stream'])(
    'of requests in one connection whose answers nobody reads: %s',
    { timeout: 90_000 },
    async (name) => {
      const raws = await Promise.all(Array.from({ length: 10 }, () => openRaw(doors()[name] ?? '')));
      for (const { socket } of raws) socket.pause();
      const request =
        name === 'http' ? 'GET /health/live HTTP/1.1\r\nhost: x\r\n\r\n' : `${postTo(name)}content-length: 2\r\n\r\n{}`;
      const hundred = request.repeat(100);
      await Promise.all(raws.map((raw) => flood(raw, hundred, 400)));
      await sleep(1_000);
      expect((await memoryMib(serving.pid)) - before).toBeLessThan(GROWTH_MIB_MAX);
      for (const { socket } of raws) socket.destroy();
    },
  );

  it.each(['http', 'rpc', 'stream'])('of connections: %s', { timeout: 90_000 }, async (name) => {
    const raws: Raw[] = [];
    for (let number = 0; number < 3_000; number++) raws.push(await openRaw(doors()[name] ?? ''));
    await sleep(500);
    for (const { socket } of raws) socket.destroy();
    await Promise.all(raws.map(({ closed }) => closed));
  });

  it('of HTTP/2 streams that are reset as soon as they are opened', { timeout: 90_000 }, async () => {
    const session = connectHttp2(serving.rpc);
    const isOpen = (): boolean => !session.closed && !session.destroyed;
    session.on('error', () => undefined);
    for (let round = 0; round < 100 && isOpen(); round++) {
      for (let number = 0; number < 200 && isOpen(); number++) {
        const stream = session.request({
          ':method': 'POST',
          ':path': rpcPath,
          authorization: `Bearer ${token}`,
          'content-type': 'application/json',
        });
        stream.on('error', () => undefined);
        stream.close(constants.NGHTTP2_CANCEL);
      }
      await sleep(1);
    }
    session.destroy();
  });

  it('of HTTP/2 frames that cost nothing to send', { timeout: 90_000 }, async () => {
    const preface = Buffer.from('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n');
    const frame = (type: number, flags: number, stream: number, payload: Buffer) => {
      const head = Buffer.alloc(9);
      head.writeUIntBE(payload.length, 0, 3);
      head[3] = type;
      head[4] = flags;
      head.writeUInt32BE(stream, 5);
      return Buffer.concat([head, payload]);
    };
    const settings = frame(4, 0, 0, Buffer.alloc(0));
    const floods: Record<string, Buffer> = {
      settings,
      pings: frame(6, 0, 0, randomBytes(8)),
      'continuations without end': frame(9, 0, 1, Buffer.alloc(1_000)),
      priorities: frame(2, 0, 1, Buffer.from([0, 0, 0, 3, 1])),
      'empty data': frame(0, 0, 1, Buffer.alloc(0)),
    };
    for (const [name, one] of Object.entries(floods)) {
      const opening = name.startsWith('continuations') ? [frame(1, 0, 1, Buffer.alloc(10))] : [];
      const raw = await openRaw(serving.rpc, preface, settings, ...opening);
      const many = Buffer.concat(Array.from({ length: 1_000 }, () => one));
      await flood(raw, many, 100);
      raw.socket.destroy();
    }
  });

  it('of garbage over the WebSocket, and of frames that are too large', { timeout: 90_000 }, async () => {
    const open = async () => {
      const socket = new WebSocket(serving.stream, 'kora.v1', { headers: { authorization: `Bearer ${token}` } });
      socket.on('error', () => undefined);
      const closed = new Promise<number>((resolve) => socket.once('close', resolve));
      await new Promise((resolve) => socket.once('open', resolve));
      return { socket, closed };
    };
    for (const garbage of [
      randomBytes(10_000),
      'x'.repeat(5_000_000),
      '{"subscribe":{"topic":"account/ada"}}'.repeat(100),
      '['.repeat(10_000),
    ]) {
      const { socket, closed } = await open();
      const told = new Promise<string>((resolve) => {
        socket.on('message', (text: Buffer) => text.includes('"error"') && resolve('an error'));
      });
      socket.send(garbage);
      // Told what is wrong, or closed as something else than "all is well".
      expect(['an error', 1003, 1006, 1007, 1009, 4400]).toContain(await Promise.race([told, closed]));
      socket.terminate();
    }
    const { socket, closed } = await open();
    for (let number = 0; number < 50_000 && socket.readyState === WebSocket.OPEN; number++) {
      socket.send('{"ping":{}}');
      if (number % 1_000 === 0) await sleep(1);
    }
    socket.terminate();
    await closed;
  });
});
