import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, describe, expect, it } from 'vitest';
import type { HttpDoorOptions } from '../../src/gateway/http/http-door.ts';
import { callAt, type HttpProduct, openProduct, type Someone } from './support/product.ts';

/** Proves that nobody holds the door up by being slow, and that it ends and fails as it should. */
describe('the http door', () => {
  let product: HttpProduct;
  afterEach(() => product.close());
  const open = async (options: Partial<HttpDoorOptions> = {}): Promise<Someone> => {
    product = await openProduct(options);
    return product.user('customer');
  };
  const raw = async (...pieces: readonly string[]): Promise<{ socket: Socket; closed: Promise<string> }> => {
    const socket = connect({ port: product.door.port, host: '127.0.0.1', noDelay: true });
    let received = '';
    socket.setEncoding('latin1').on('data', (text: string) => (received += text));
    socket.on('error', () => undefined);
    const closed = new Promise<string>((resolve) => socket.once('close', () => resolve(received)));
    await once(socket, 'connect');
    for (const piece of pieces) socket.write(piece);
    return { socket, closed };
  };
  const begun = 'POST /v1/payments HTTP/1.1\r\nhost: x\r\n';

  describe('closes a connection', () => {
    const limits = { headersMs: 800, requestMs: 1_200, keepAliveMs: 600, idleMs: 2_500 };

    it('that falls silent before, in or after its headers', async () => {
      await open({ limits });
      const connections = await Promise.all(
        [[], ['PO'], [begun], [`${begun}x-slow: `]].map((pieces) => raw(...pieces)),
      );
      for (const { closed } of connections) expect(await closed).toMatch(/^$|^HTTP\/1\.1 408 /);
    });

    it('whose headers, or whose body, come letter by letter for ever, while others are served', async () => {
      const ada = await open({ limits });
      const headers = Object.entries(ada.headers).map(([name, value]) => `${name}: ${value}\r\n`);
      const slowHeaders = await raw(`${begun}x-slow: `);
      const slowBody = await raw(
        begun,
        ...headers,
        'idempotency-key: k\r\ncontent-type: application/json\r\ncontent-length: 10000\r\n\r\n',
      );
      const many = await Promise.all(Array.from({ length: 100 }, () => raw(`${begun}x-slow: `)));
      const drip = setInterval(() => {
        for (const { socket } of [slowHeaders, slowBody, ...many]) if (socket.writable) socket.write('a');
      }, 50);
      // It was a 500 once, on a busy machine: should it come again, the door's log says of what.
      const meanwhile = await product.call(ada, 'GET', '/v1/accounts');
      expect(meanwhile.status, product.lines.slice(-10).join('\n')).toBe(200);
      expect(await slowHeaders.closed).toMatch(/^HTTP\/1\.1 408 /);
      const timedOut = await slowBody.closed;
      expect(timedOut).toMatch(/^HTTP\/1\.1 408 /);
      expect(timedOut).toContain('"code":"RequestTimeout"');
      await Promise.all(many.map(({ closed }) => closed));
      clearInterval(drip);
      expect((await product.call(ada, 'GET', '/v1/accounts')).status).toBe(200);
    });

    it('that waits too long for its next request', async () => {
      await open({ limits });
      const { closed } = await raw('GET /health/live HTTP/1.1\r\nhost: x\r\n\r\n');
      expect(await closed).toMatch(/^HTTP\/1\.1 200 /);
    });

    it('above as many as it has', async () => {
      await open({ limits: { ...limits, connectionsMax: 3, headersMs: 10_000, requestMs: 10_000 } });
      const connections = await Promise.all(Array.from({ length: 6 }, () => raw(begun)));
      const dropped = await Promise.race([
        Promise.any(connections.map(({ closed }) => closed)),
        sleep(5_000, 'none', { ref: false }),
      ]);
      expect(dropped).toBe('');
      for (const { socket } of connections) socket.destroy();
    });
  });

  it('answers that the outcome is unknown when a handler takes too long, and knows it later', async () => {
    let letGo = (): void => undefined;
    const held = new Promise<void>((resolve) => (letGo = resolve));
    const ada = await open();
    const { ledger } = product;
    const slow = await product.open({
      limits: { handlerMs: 300 },
      ledger: {
        ...ledger,
        carryOut: async (request, caller) => {
          await held;
          return ledger.carryOut(request, caller);
        },
      },
    });
    const ask = () =>
      callAt(`http://127.0.0.1:${slow.port}`, ada, 'POST', '/v1/accounts', {
        key: 'one',
        body: { type: 'customer', currency: 'XOF' },
      });
    const first = await ask();
    expect([first.status, first.body.code, first.headers.get('retry-after')]).toEqual([504, 'OutcomeUnknown', '1']);
    expect((await ask()).body.code).toBe('StillRunning');
    letGo();
    await expect.poll(async () => (await ask()).status, { timeout: 5_000 }).toBe(201);
  });

  it('tells of a fault that the outcome is unknown, and nothing of what is inside', async () => {
    const ada = await open();
    const broken = await product.open({
      payments: { ...product.payments, list: () => Promise.reject(new Error('secret 4711 in table x')) },
    });
    const answer = await callAt(`http://127.0.0.1:${broken.port}`, ada, 'GET', '/v1/payments', {
      headers: { 'kora-correlation-id': 'the-fault' },
    });
    expect([answer.status, answer.body.code]).toEqual([500, 'Internal']);
    expect(answer.text).not.toContain('4711');
    const logged = product.lines.find((line) => line.includes('came to a fault'));
    expect(logged).toContain('the-fault');
    expect(logged).toContain('4711');
  });

  it('is ready while its database answers, and alive in any case', async () => {
    await open();
    expect((await product.call(undefined, 'GET', '/health/ready')).status).toBe(200);
    const cut = await product.open({ limits: { probeMs: 200 }, pool: deadPool() });
    const url = `http://127.0.0.1:${cut.port}`;
    const ready = await callAt(url, undefined, 'GET', '/health/ready', {});
    expect([ready.status, ready.body]).toEqual([503, { ready: false, checks: { process: 'ok', database: 'failed' } }]);
    expect((await callAt(url, undefined, 'GET', '/health/live', {})).status).toBe(200);
  });

  it('ends gently: not ready, then nothing new, and what is at work is answered', async () => {
    let letGo = (): void => undefined;
    const held = new Promise<void>((resolve) => (letGo = resolve));
    const ada = await open();
    const { ledger } = product;
    const door = await product.open({
      limits: { unreadyMs: 400 },
      ledger: {
        ...ledger,
        account: async (id) => {
          await held;
          return ledger.account(id);
        },
      },
    });
    const url = `http://127.0.0.1:${door.port}`;
    const atWork = callAt(url, ada, 'GET', '/v1/accounts/nobody', {});
    await sleep(50);
    const closed = door.close();
    // Balancers are told, and whoever comes meanwhile is served.
    const ready = await callAt(url, undefined, 'GET', '/health/ready', {});
    expect([ready.status, ready.body]).toEqual([503, { ready: false, checks: { process: 'draining' } }]);
    expect(ready.headers.get('connection')).toBe('close');
    expect((await callAt(url, undefined, 'GET', '/health/live', {})).status).toBe(200);
    await sleep(600);
    await expect(callAt(url, undefined, 'GET', '/health/live', {})).rejects.toThrow();
    letGo();
    const before = performance.now();
    expect((await atWork).headers.get('connection')).toBe('close');
    await closed;
    expect(performance.now() - before, 'nobody is waited for').toBeLessThan(2_000);
  });

  it('takes nothing more on connections that are open, and cuts off what takes too long', async () => {
    const ada = await open();
    const { ledger } = product;
    const door = await product.open({
      limits: { drainMs: 900, handlerMs: 60_000 },
      ledger: { ...ledger, account: () => new Promise<undefined>(() => undefined) },
    });
    const headers = Object.entries(ada.headers).map(([name, value]) => `${name}: ${value}\r\n`);
    const request = (path: string): string => `GET ${path} HTTP/1.1\r\nhost: x\r\n${headers.join('')}\r\n`;
    const [stuck, halfway] = [connect(door.port, '127.0.0.1'), connect(door.port, '127.0.0.1')];
    const received = [stuck, halfway].map((socket) => {
      let text = '';
      socket.setEncoding('latin1').on('data', (piece: string) => (text += piece));
      return () => text;
    });
    stuck.write(request('/v1/accounts/x'));
    // This one is in the middle of its request when the door ends.
    const whole = request('/v1/accounts');
    halfway.write(whole.slice(0, 20));
    await sleep(100);
    const before = performance.now();
    const closed = door.close();
    await sleep(50);
    halfway.write(whole.slice(20));
    await Promise.all([once(stuck, 'close'), once(halfway, 'close')]);
    await closed;
    const took = performance.now() - before;
    expect(took).toBeGreaterThan(800);
    expect(took).toBeLessThan(5_000);
    expect(received[0]?.()).toBe('');
    expect(received[1]?.()).toMatch(/^HTTP\/1\.1 503 [^]*"code":"ShuttingDown"/);
  });

  /** A pool whose database never answers. */
  const deadPool = (): HttpDoorOptions['pool'] =>
    ({ query: () => new Promise(() => undefined), on: () => undefined }) as unknown as HttpDoorOptions['pool'];
});
