import type { IncomingMessage } from 'node:http';
import type { ServerOptions } from 'node:https';
import type { Socket } from 'node:net';
import { TLSSocket } from 'node:tls';
import { type PeerCertificate, peerCertificate } from '../peer-certificate.ts';

/** How the http door is encrypted. All texts are PEM. */
export interface HttpTls {
  /** The door's certificate and its chain. */
  readonly certificate: string;
  readonly key: string;
  /**
   * Who may issue certificates of services. Each connection is asked for one: people have none and need none, a service's
   * token is taken only over a certificate that bears its name. Absent: tokens are enough.
   */
  readonly clientCa?: string;
}

export function serverOptionsOf({ certificate, key, clientCa }: HttpTls, handshakeMs: number): ServerOptions {
  return {
    cert: certificate,
    key,
    minVersion: 'TLSv1.3',
    handshakeTimeout: handshakeMs,
    // Not refused in the handshake: a browser comes without, and what a service did wrong is said in the answer.
    ...(clientCa !== undefined && { ca: clientCa, requestCert: true, rejectUnauthorized: false }),
  };
}

/** One for each connection: reading a certificate costs more than a call. */
const known = new WeakMap<Socket, PeerCertificate>();

/** Why a service of this name is not let in over this connection; undefined: it is. */
export function unboundReason({ socket }: Pick<IncomingMessage, 'socket'>, service: string): string | undefined {
  if (!(socket instanceof TLSSocket)) return 'a service comes over TLS here';
  const x509 = socket.getPeerX509Certificate();
  if (x509 === undefined) return 'a service comes with a certificate here, and this connection has none';
  if (!socket.authorized) {
    const why = socket.authorizationError as Error | string | null;
    return `the certificate of this connection is not one of the client CA, or no longer: ${String(why)}`;
  }
  let certificate = known.get(socket);
  if (certificate === undefined) known.set(socket, (certificate = peerCertificate(x509)));
  return certificate.speaksFor(service)
    ? undefined
    : `the certificate of this connection does not bear the name ${service} of the token's service, or has run out`;
}
