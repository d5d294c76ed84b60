import type { Socket } from 'node:net';
import { createServer, type TLSSocket } from 'node:tls';
import type { DoorLog } from './door-log.ts';

/** How the port is encrypted, and who may connect. All texts are PEM. */
export interface RpcTls {
  /** The door's certificate and its chain. */
  readonly certificate: string;
  readonly key: string;
  /** Who may issue certificates of clients. Without such a certificate nobody gets through the handshake. */
  readonly clientCa: string;
  /** `bound`: a token is only taken over a certificate that bears the name of its service. */
  readonly names: 'bound' | 'free';
}

/** A flood of bad handshakes must not become a flood of log lines. */
const TURNED_AWAY_LINE_MS = 10_000;

/**
 * Takes connections through their handshake: TLS 1.3, with a certificate of the client CA or not at all.
 *
 * @param secured called for each that got through, with the protocol that was agreed on (ALPN); undefined: none
 * @returns takes a raw connection. One that does not get through within `helloMs`, or is turned away, is destroyed
 */
export function tlsHandshakes(
  tls: RpcTls,
  { helloMs, log }: { readonly helloMs: number; readonly log: DoorLog },
  secured: (socket: TLSSocket, raw: Socket | undefined, protocol: string | undefined) => void,
): (raw: Socket) => void {
  const server = createServer({
    cert: tls.certificate,
    key: tls.key,
    ca: tls.clientCa,
    requestCert: true,
    rejectUnauthorized: true,
    minVersion: 'TLSv1.3',
    ALPNProtocols: ['h2', 'http/1.1'],
    handshakeTimeout: helloMs,
  });
  const inHandshake = new Map<string, Socket>();
  server.on('secureConnection', (socket) => {
    // Whoever owns it later, an error of it must never be without a listener.
    socket.on('error', () => undefined);
    secured(
      socket,
      inHandshake.get(farEnd(socket)),
      socket.alpnProtocol === false ? undefined : (socket.alpnProtocol ?? undefined),
    );
  });
  let turnedAway = 0;
  let lastLineMs = -Infinity;
  server.on('tlsClientError', (error, socket) => {
    // Node does it itself for most errors, but not where the time is over.
    socket.destroy();
    turnedAway += 1;
    if (Date.now() - lastLineMs < TURNED_AWAY_LINE_MS) return;
    const { code } = error as NodeJS.ErrnoException;
    log.warn?.({ code, turnedAway }, 'clients were turned away in the TLS handshake');
    turnedAway = 0;
    lastLineMs = Date.now();
  });
  return (raw) => {
    const end = farEnd(raw);
    inHandshake.set(end, raw);
    raw.once('close', () => {
      if (inHandshake.get(end) === raw) inHandshake.delete(end);
    });
    server.emit('connection', raw);
  };
}

/** No two connections to one port have the same. */
function farEnd({ remoteAddress = '', remotePort = 0 }: Socket): string {
  return `${remoteAddress} ${remotePort}`;
}
