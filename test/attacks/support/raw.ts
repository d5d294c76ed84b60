import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';

export interface Raw {
  readonly socket: Socket;
  /** What was received until the connection was closed, by whoever. */
  readonly closed: Promise<string>;
}

/** A connection on which anything may be said. */
export async function openRaw(origin: string, ...pieces: readonly (string | Buffer)[]): Promise<Raw> {
  const { hostname, port } = new URL(origin);
  const socket = connect({ host: hostname, port: Number(port), allowHalfOpen: true, noDelay: true });
  let received = '';
  // Enough to see how it was answered; a flood's answers need not be kept.
  socket.setEncoding('latin1').on('data', (text: string) => {
    if (received.length < 10_000) received += text;
  });
  socket.on('error', () => undefined).on('end', () => socket.end());
  const closed = new Promise<string>((resolve) => socket.once('close', () => resolve(received)));
  await Promise.race([once(socket, 'connect'), closed]);
  for (const piece of pieces) socket.write(piece);
  return { socket, closed };
}

/** Writes a letter now and then until the connection is closed. */
export function drip({ socket, closed }: Raw, everyMs: number, letter = 'a'): Promise<string> {
  const timer = setInterval(() => socket.writable && socket.write(letter), everyMs);
  return closed.finally(() => clearInterval(timer));
}

/** Writes as fast as the other side takes it, as often as said, until it takes nothing more or the connection ends. */
export async function flood({ socket, closed }: Raw, next: string | Buffer, times: number): Promise<void> {
  for (let number = 0; number < times && socket.writable; number++) {
    if (socket.write(next)) continue;
    const drained = once(socket, 'drain').then(
      () => true,
      () => false,
    );
    if (!(await Promise.race([drained, closed.then(() => false), sleep(1_000, false)]))) return;
  }
}
