import type { X509Certificate } from 'node:crypto';

/** The certificate with which a client opened its connection; the handshake has verified that the client CA issued it. */
export interface PeerCertificate {
  /** Whether it bears this name and has not run out: a connection may be older than that. */
  speaksFor(service: string): boolean;
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
