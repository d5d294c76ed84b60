import { connect as connectHttp2 } from 'node:http2';
import { request } from 'node:http';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { openTestDoor, type TestDoor } from './door.ts';
import { closeServing, openRaw, PREFACE } from './raw-connection.ts';

// Nobody holds a connection by saying too little, however cleverly.
describe('the port closes a connection', () => {
  let test: TestDoor;
  beforeEach(async () => {
    test = await openTestDoor({ limits: { helloMs: 1_000, requestMs: 1_500, idleMs: 2_000 } });
  });
  afterEach(() => closeServing(test));

  it('that falls silent at any point of its first request', async () => {
    const beginnings = [
      [],
      ['P'],
      ['P', 'R'],
      ['PRI * HT'],
      [PREFACE],
      ['POST /ko'],
      ['POST /kora.v1.PaymentService/Pay HTTP/1.1\r\nhost: x\r\nx-'],
    ];
    const connections = await Promise.all(beginnings.map((pieces) => openRaw(test, ...pieces)));
    await Promise.all(connections.map(({ closed }) => closed));
  });

  it('whose headers come letter by letter for ever', async () => {
    const { socket, closed } = await openRaw(test, 'POST /kora.v1.PaymentService/Pay HTTP/1.1\r\nhost: x\r\nx-slow: ');
    const drip = setInterval(() => socket.write('a'), 20);
    expect(await closed).toMatch(/^$|^HTTP\/1\.1 408/);
    clearInterval(drip);
  });

  it('whose body comes letter by letter for ever, over HTTP/1.1', async () => {
    const slow = request(`${test.url}/kora.v1.PaymentService/Pay`, {
      method: 'POST',
      headers: { ...headersOf(test), 'content-length': '10000' },
    });
    const drip = setInterval(() => slow.write(' '), 20);
    const ended = await new Promise((resolve) => {
      slow.once('error', () => resolve('closed'));
      slow.once('response', (response) => resolve(response.statusCode));
    });
    clearInterval(drip);
    slow.destroy();
    expect(['closed', 408]).toContain(ended);
  });

  it('or at least the stream, over HTTP/2', async () => {
    const session = connectHttp2(test.url);
    const stream = session.request({ ':method': 'POST', ':path': '/kora.v1.PaymentService/Pay', ...headersOf(test) });
    stream.on('error', () => undefined);
    // It may be an answer that ends it: nothing closes whose answer is not read.
    stream.resume();
    const drip = setInterval(() => stream.writable && stream.write(' '), 20);
    // Where the beginning took too long already, it is the connection.
    session.on('error', () => undefined);
    await new Promise((resolve) => {
      stream.once('close', resolve);
      session.once('close', resolve);
    });
    clearInterval(drip);
    session.destroy();
  });

  it('on which nothing happens any more', async () => {
    const session = connectHttp2(test.url);
    await new Promise((resolve) => session.once('remoteSettings', resolve));
    await new Promise((resolve) => session.once('close', resolve));
    const path = 'POST /kora.v1.PaymentService/Nothing HTTP/1.1\r\nhost: x\r\n\r\n';
    expect(await (await openRaw(test, path)).closed).toMatch(/^HTTP\/1\.1 404/);
  });
});

function headersOf(test: TestDoor): Record<string, string> {
  return { authorization: `Bearer ${test.token}`, 'content-type': 'application/json' };
}
