import type { Socket } from 'node:net';

/** An HTTP/2 connection starts with "PRI * HTTP/2.0" (RFC 9113, 3.4). No method of HTTP/1.1 starts with these letters. */
const PREFACE = Buffer.from('PRI');

/**
 * Looks at the first bytes of a connection, however small the pieces in which they come.
 *
 * @param decided called once: with the protocol, the bytes being back in the socket to be read again; or with
 *   undefined when the connection ended, failed or said too little within `helloMs`: then the socket is destroyed
 */
export function sniffProtocol(
  socket: Socket,
  helloMs: number,
  decided: (protocol: 'http1' | 'http2' | undefined) => void,
): void {
  let seen: Buffer = Buffer.alloc(0);
  const stop = (): void => {
    clearTimeout(timer);
    socket.off('data', look);
    socket.off('end', giveUp);
    socket.off('close', giveUp);
  };
  const giveUp = (): void => {
    stop();
    socket.destroy();
    decided(undefined);
  };
  const look = (bytes: Buffer): void => {
    seen = seen.length === 0 ? bytes : Buffer.concat([seen, bytes]);
    const compared = Math.min(seen.length, PREFACE.length);
    const http2 = PREFACE.compare(seen, 0, compared, 0, compared) === 0;
    if (http2 && seen.length < PREFACE.length) return;
    stop();
    // Nothing may be emitted before the new owner listens; it reads from the socket's buffer what was looked at.
    socket.pause();
    // An HTTP/2 session does not end its half of a connection whose other half has ended.
    if (http2) socket.allowHalfOpen = false;
    decided(http2 ? 'http2' : 'http1');
    socket.unshift(seen);
    socket.resume();
  };
  const timer = setTimeout(giveUp, helloMs);
  // Stays for good: whoever owns the socket later, an error of it must never be without a listener.
  socket.on('error', () => undefined);
  socket.once('end', giveUp);
  socket.once('close', giveUp);
  socket.on('data', look);
}
