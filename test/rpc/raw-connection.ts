import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { expect } from 'vitest';
import { clientsOf, protocols } from './clients.ts';
import type { TestDoor } from './door.ts';

/** How an HTTP/2 connection starts, and its first frame: settings, of which there are none. */
export const PREFACE = 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n';
export const SETTINGS = Buffer.from([0, 0, 0, 4, 0, 0, 0, 0, 0]);

export interface RawConnection {
  readonly socket: Socket;
  /** What was received until the connection was closed. */
  readonly closed: Promise<string>;
}

/** A connection on which anything may be said. The pieces are sent one by one, in packets of their own. */
export async function openRaw(test: TestDoor, ...pieces: readonly (string | Buffer)[]): Promise<RawConnection> {
  const socket = connect({ port: test.door.port, host: '127.0.0.1', allowHalfOpen: true, noDelay: true });
  let received = '';
  socket.setEncoding('latin1').on('data', (text: string) => (received += text));
  socket.on('error', () => undefined);
  socket.on('end', () => socket.end());
  const closed = new Promise<string>((resolve) => socket.once('close', () => resolve(received)));
  await once(socket, 'connect');
  for (const piece of pieces) {
    socket.write(piece);
    await sleep(5);
  }
  return { socket, closed };
}

/** Closes the door, after making sure that it still serves everybody and has come to no fault. */
export async function closeServing(test: TestDoor): Promise<void> {
  for (const protocol of Object.keys(protocols)) {
    const { results } = await clientsOf(test.url, test.token, protocol).payments.batch({});
    expect(results, `${protocol} is still served`).toEqual([]);
  }
  await test.close();
  expect(test.faults).toEqual([]);
}
