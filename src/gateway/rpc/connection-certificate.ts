import type { X509Certificate } from 'node:crypto';
import type { Socket } from 'node:net';
import type { TLSSocket } from 'node:tls';
import { createContextKey } from '@connectrpc/connect';
import type { connectNodeAdapter } from '@connectrpc/connect-node';
import { type PeerCertificate, peerCertificate } from '../peer-certificate.ts';

/** Absent on a cleartext port. */
export const certificateKey = createContextKey<PeerCertificate | undefined>(undefined, {
  description: 'the certificate of the connection',
});

/** One for each connection: reading a certificate costs more than a call. */
const known = new WeakMap<object, PeerCertificate>();

/** The certificate of the connection over which a request came; undefined where it came in clear. */
export function peerCertificateOf(
  request: Parameters<ReturnType<typeof connectNodeAdapter>>[0],
): PeerCertificate | undefined {
  // Over HTTP/2 the socket of a request is a proxy, another one for each request: the session is what stays.
  const session = 'stream' in request ? request.stream.session : undefined;
  if ('stream' in request && session === undefined) return undefined;
  const connection = session ?? request.socket;
  let certificate = known.get(connection);
  if (certificate === undefined) {
    const x509 = x509Of(session?.socket ?? request.socket);
    if (x509 === undefined) return undefined;
    certificate = peerCertificate(x509);
    known.set(connection, certificate);
  }
  return certificate;
}

function x509Of(socket: Socket | TLSSocket): X509Certificate | undefined {
  // Of a proxy `in` does not know.
  return (socket as Partial<TLSSocket>).getPeerX509Certificate?.();
}
