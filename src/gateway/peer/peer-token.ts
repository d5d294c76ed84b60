import { decodeProtectedHeader, jwtVerify, SignJWT } from 'jose';
import { keyIdOf, type ServiceKey, type ServicePublicKey } from '../service-key.ts';

/** A token between processes of one Kora: the service key signs it, and no door takes it. */
const ALGORITHM = 'EdDSA';
const ISSUER = 'kora';
const AUDIENCE = 'kora/peers';
const LIFE_MS = 60_000;
const SKEW_SECONDS = 5;

/** @returns gives a token that is good for half a minute at least */
export function peerTokens(key: ServiceKey, memberId: string): () => Promise<string> {
  let token: Promise<string> | undefined;
  let madeAtMs = 0;
  return () => {
    if (token === undefined || Date.now() - madeAtMs > LIFE_MS / 2) {
      madeAtMs = Date.now();
      const issuedAt = Math.floor(madeAtMs / 1_000);
      token = new SignJWT()
        .setProtectedHeader({ alg: ALGORITHM, typ: 'JWT', kid: keyIdOf(key) })
        .setIssuer(ISSUER)
        .setAudience(AUDIENCE)
        .setSubject(`member:${memberId}`)
        .setIssuedAt(issuedAt)
        .setExpirationTime(issuedAt + LIFE_MS / 1_000)
        .sign(key.privateKey);
    }
    return token;
  };
}

/** @returns whether a token was made by a process that has one of the keys. What was verified is remembered until it ends. */
export function peerTokenVerifier(keys: readonly ServicePublicKey[]): (token: string | undefined) => Promise<boolean> {
  const accepted = new Map(keys.map((key) => [keyIdOf(key), key]));
  const verified = new Map<string, number>();
  return async (token) => {
    if (token === undefined || token.length > 1_024) return false;
    const endsAtMs = verified.get(token);
    if (endsAtMs !== undefined && Date.now() < endsAtMs) return true;
    try {
      const key = accepted.get(decodeProtectedHeader(token).kid ?? '');
      if (key === undefined) return false;
      const { payload } = await jwtVerify(token, key.publicKey, {
        algorithms: [ALGORITHM],
        issuer: ISSUER,
        audience: AUDIENCE,
        requiredClaims: ['exp', 'sub'],
        clockTolerance: SKEW_SECONDS,
      });
      for (const [old, until] of verified) if (until <= Date.now()) verified.delete(old);
      verified.set(token, ((payload.exp ?? 0) + SKEW_SECONDS) * 1_000);
      return true;
    } catch {
      return false;
    }
  };
}
