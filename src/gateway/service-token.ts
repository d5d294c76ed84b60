import { decodeProtectedHeader, errors, jwtVerify, SignJWT } from 'jose';
import { RecentMap } from '../kernel/recent-map.ts';
import { isScope, type Scope, scopes as everyScope } from './scopes.ts';
import { keyIdOf, type ServiceKey, type ServicePublicKey } from './service-key.ts';

export {
  createServiceKey,
  loadOrCreateServiceKey,
  readServiceKey,
  readServicePublicKeys,
  type ServiceKey,
  ServiceKeyError,
  type ServicePublicKey,
} from './service-key.ts';

/** Tokens for the services that call the doors: JWTs signed with EdDSA (RFC 7519, RFC 8037). */
const ALGORITHM = 'EdDSA';
const ISSUER = 'kora';
const AUDIENCE = 'kora/doors';
/** Clocks of issuer and verifier may differ by this much. */
const SKEW_SECONDS = 5;
/** Ours have about 300. Longer ones are not even looked at. */
const TOKEN_CHARS_MAX = 4096;
const NAME = /^[A-Za-z0-9][A-Za-z0-9_.-]{0,63}$/;

/** Who a valid token speaks for. */
export interface ServiceIdentity {
  readonly service: string;
  readonly tenant: string;
  /** `service:<name>`: part of the ids that are made from idempotency keys. */
  readonly principal: string;
  /** What it may call, as the token says; undefined: everything. Names that this version does not know are kept. */
  readonly scopes: readonly string[] | undefined;
  /** When the token ends, in milliseconds since 1970: a connection that outlives it must ask again. */
  readonly expiresAtMs: number;
}

export type TokenVerdict =
  | { readonly ok: true; readonly identity: ServiceIdentity }
  | { readonly ok: false; readonly reason: 'missing' | 'expired' | 'invalid'; readonly message: string };

/** Checks tokens. Safe to call for every request: what was verified is remembered until it ends. */
export interface TokenVerifier {
  /** @param token the token alone, without "Bearer"; undefined where the caller sent none */
  verify(token: string | undefined): Promise<TokenVerdict>;
}

/**
 * Makes a token.
 *
 * @param service name of the service, 1 to 64 of A-Z a-z 0-9 _ . -
 * @param tenant the same alphabet
 * @param scopes what it may call, as the `scope` claim (RFC 8693, 4.2). Default: everything; an empty list is refused,
 *   because a token that may do nothing is a mistake
 * @throws RangeError for a name, a scope or a time to live that cannot be right
 */
export async function issueServiceToken(options: {
  readonly key: ServiceKey;
  readonly service: string;
  readonly tenant: string;
  readonly ttlSeconds: number;
  readonly scopes?: readonly Scope[];
  readonly now?: () => Date;
}): Promise<string> {
  const { key, service, tenant, ttlSeconds, scopes, now = () => new Date() } = options;
  if (!NAME.test(service)) throw new RangeError(`not a name of a service: ${JSON.stringify(service)}`);
  if (!NAME.test(tenant)) throw new RangeError(`not a name of a tenant: ${JSON.stringify(tenant)}`);
  if (!Number.isInteger(ttlSeconds) || ttlSeconds <= 0) throw new RangeError(`not a time to live: ${ttlSeconds} s`);
  if (scopes !== undefined && (scopes.length === 0 || scopes.some((scope) => !isScope(scope)))) {
    throw new RangeError(`not scopes: ${JSON.stringify(scopes)}; give one or more of ${everyScope.join(', ')}`);
  }
  const issuedAt = Math.floor(now().getTime() / 1000);
  return new SignJWT({ tenant, ...(scopes && { scope: [...new Set(scopes)].join(' ') }) })
    .setProtectedHeader({ alg: ALGORITHM, typ: 'JWT', kid: keyIdOf(key) })
    .setIssuer(ISSUER)
    .setAudience(AUDIENCE)
    .setSubject(`service:${service}`)
    .setIssuedAt(issuedAt)
    .setExpirationTime(issuedAt + ttlSeconds)
    .sign(key.privateKey);
}

/**
 * @param keys those whose tokens are taken: the one that signs, and while it is rotated the ones before it. A token names
 *   its key (`kid`); one that names none was made by an older Kora, and is held against each of them
 * @param options.cacheMax verified tokens that are remembered. Default 1,000.
 */
export function tokenVerifier(
  keys: ServicePublicKey | readonly ServicePublicKey[],
  options: { readonly cacheMax?: number; readonly now?: () => Date } = {},
): TokenVerifier {
  const { cacheMax = 1_000, now = () => new Date() } = options;
  const accepted = new Map([keys].flat().map((key) => [keyIdOf(key), key]));
  const verified = new RecentMap<string, TokenVerdict & { ok: true }>(cacheMax);
  return {
    async verify(token) {
      if (token === undefined || token === '') return missing;
      const known = verified.get(token);
      if (known !== undefined) {
        if (now().getTime() < known.identity.expiresAtMs) return known;
        verified.delete(token);
      }
      const verdict = await verifySignature(token, accepted, now());
      if (verdict.ok) verified.set(token, verdict);
      return verdict;
    },
  };
}

/** The token of an `authorization: Bearer …` header (RFC 6750); undefined where there is none. */
export function bearerToken(authorization: string | null | undefined): string | undefined {
  return /^Bearer +(\S+) *$/i.exec(authorization ?? '')?.[1];
}

const missing: TokenVerdict = {
  ok: false,
  reason: 'missing',
  message: 'no service token: send the header "authorization: Bearer <token>" (kora token makes one)',
};
const invalid: TokenVerdict = {
  ok: false,
  reason: 'invalid',
  message: 'the service token is not valid here: it was not made with a key of this Kora, or it was changed',
};

async function verifySignature(
  token: string,
  accepted: ReadonlyMap<string, ServicePublicKey>,
  now: Date,
): Promise<TokenVerdict> {
  if (token.length > TOKEN_CHARS_MAX) return invalid;
  let kid: string | undefined;
  try {
    const claimed: unknown = decodeProtectedHeader(token).kid;
    if (claimed !== undefined && typeof claimed !== 'string') return invalid;
    kid = claimed;
  } catch {
    return invalid;
  }
  // The header is not verified yet, and need not be: a lie in it only chooses the key that the token will fail against.
  const candidates = kid === undefined ? [...accepted.values()] : [accepted.get(kid)];
  let verdict: TokenVerdict = invalid;
  for (const key of candidates) {
    if (key !== undefined) verdict = await verifyWith(key, token, now);
    if (verdict.ok || verdict.reason === 'expired') break;
  }
  return verdict;
}

async function verifyWith({ publicKey }: ServicePublicKey, token: string, now: Date): Promise<TokenVerdict> {
  try {
    const { payload } = await jwtVerify(token, publicKey, {
      algorithms: [ALGORITHM],
      issuer: ISSUER,
      audience: AUDIENCE,
      requiredClaims: ['exp', 'sub'],
      clockTolerance: SKEW_SECONDS,
      currentDate: now,
    });
    const service = /^service:(.*)$/.exec(payload.sub ?? '')?.[1] ?? '';
    const { tenant, scope } = payload as { tenant?: unknown; scope?: unknown };
    if (!NAME.test(service) || typeof tenant !== 'string' || !NAME.test(tenant)) return invalid;
    // A scope that cannot be read must not become "everything".
    if (scope !== undefined && typeof scope !== 'string') return invalid;
    const scopes = scope?.split(' ').filter((name) => name !== '');
    const expiresAtMs = ((payload.exp ?? 0) + SKEW_SECONDS) * 1000;
    return { ok: true, identity: { service, tenant, principal: `service:${service}`, scopes, expiresAtMs } };
  } catch (error) {
    if (error instanceof errors.JWTExpired) {
      const expiredAt = new Date((error.payload.exp ?? 0) * 1000).toISOString();
      return { ok: false, reason: 'expired', message: `the service token expired at ${expiredAt}: get a new one` };
    }
    return invalid;
  }
}
