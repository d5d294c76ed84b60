import type { X509Certificate } from 'node:crypto';
import type { Socket } from 'node:net';
import type { TLSSocket } from 'node:tls';
import { createContextKey } from '@connectrpc/connect';
import type { connectNodeAdapter } from '@connectrpc/connect-node';

/** The certificate with which a client opened its connection; the handshake has verified that the client CA issued it. */
export interface PeerCertificate {
  /** Whether it bears this name and has not run out: a connection may be older than that. */
  speaksFor(service: string): boolean;
}

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

/**
 * A certificate speaks for the service whose name is one of its DNS names (subjectAltName), to the letter; where it has no
 * DNS names at all, for the one that its subject's common name is. Wildcards stand for nobody.
 */
export function peerCertificate(x509: X509Certificate): PeerCertificate {
  const endsAtMs = Date.parse(x509.validTo);
  const verdicts = new Map<string, boolean>();
  return {
    speaksFor: (service) => {
      let bears = verdicts.get(service);
      if (bears === undefined) {
        // OpenSSL compares without regard to case and says which name it was; names of services have their case.
        bears = x509.checkHost(service, { subject: 'default', wildcards: false }) === service;
        verdicts.set(service, bears);
      }
      return bears && Date.now() < endsAtMs;
    },
  };
}
