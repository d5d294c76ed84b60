import { hash } from 'node:crypto';
import { calculateJwkThumbprint, createRemoteJWKSet, customFetch, errors, jwtVerify, type JWTPayload } from 'jose';
import { RecentMap } from '../kernel/recent-map.ts';
import { boundedFetch } from './bounded-fetch.ts';
import type { TokenVerdict, UserPrincipal, UserTokenSource } from './face.ts';
import { isUserRole, type UserRole } from './role.ts';

/** An OpenID provider whose tokens are trusted for people (OpenID Connect Discovery 1.0, RFC 9068). */
export interface OidcOptions {
  /** Exactly as its tokens say it in `iss`. */
  readonly issuer: string;
  /** What its tokens for this Kora say in `aud`. */
  readonly audience: string;
  /** The claim that lists roles; dots go into objects, as `realm_access.roles`. */
  readonly rolesClaim: string;
  /** Their names → ours. What is not here is no role. */
  readonly roles: Readonly<Record<string, UserRole>>;
  readonly tenant: string;
  readonly now: () => Date;
  /** A provider that did not answer is asked again after so long, however many tokens come. Default 1,000. */
  readonly retryMs?: number;
}

/** Asymmetric ones only: with HMAC, whoever can verify could sign. */
const ALGORITHMS = ['EdDSA', 'ES256', 'ES384', 'PS256', 'PS384', 'RS256', 'RS384'];
const SKEW_SECONDS = 5;
const REQUEST_MS_MAX = 5_000;
/** The provider may move its keys: where they are is asked again after so long. */
const DISCOVERED_MS = 3_600_000;
const CACHE_MAX = 10_000;

type Keys = ReturnType<typeof createRemoteJWKSet>;

/** The provider cannot be asked now. Nobody's token is wrong for that. */
export class OidcUnavailableError extends Error {
  override readonly name = 'OidcUnavailableError';
  readonly code = 'OidcUnavailable';
}

interface Known {
  readonly principal: UserPrincipal;
  readonly deviceKey: Buffer | undefined;
}

/**
 * Tokens of the provider. A person becomes `user:<hash of issuer and subject>`: the same one every time, and nothing of
 * who they are. A token with the public key of a device (`cnf.jwk`, RFC 7800, Ed25519) is bound to that device, whose id
 * is the key's thumbprint (RFC 7638), and its sensitive commands are checked with that key.
 */
export class OidcTokens implements UserTokenSource {
  readonly issuer: string;
  readonly #options: OidcOptions;
  readonly #cache = new RecentMap<string, Known>(CACHE_MAX);
  #keys: { readonly found: Promise<Keys>; untilMs: number } | undefined;

  constructor(options: OidcOptions) {
    this.issuer = options.issuer;
    this.#options = options;
  }

  async verify(token: string, deviceId: string | undefined): Promise<TokenVerdict> {
    const known = await this.#known(token);
    if (!('principal' in known)) return known;
    const { principal } = known;
    if (principal.deviceId !== undefined && principal.deviceId !== deviceId) return wrongDevice;
    return { ok: true, principal };
  }

  /** The key that a device's tokens came with; undefined where no such token was seen by this process. */
  deviceKey(userId: string, deviceId: string): Buffer | undefined {
    for (const { principal, deviceKey } of this.#cache.values()) {
      if (principal.principal === `user:${userId}` && principal.deviceId === deviceId) return deviceKey;
    }
    return undefined;
  }

  async #known(token: string): Promise<Known | (TokenVerdict & { ok: false })> {
    const { now } = this.#options;
    const known = this.#cache.get(token);
    if (known !== undefined) {
      if (now().getTime() < known.principal.expiresAtMs) return known;
      this.#cache.delete(token);
    }
    const verified = await this.#verify(token);
    if ('principal' in verified) this.#cache.set(token, verified);
    return verified;
  }

  async #verify(token: string): Promise<Known | (TokenVerdict & { ok: false })> {
    const { issuer, audience, now } = this.#options;
    const keys = await this.#discovered();
    try {
      const { payload } = await jwtVerify(token, keys, {
        algorithms: ALGORITHMS,
        issuer,
        audience,
        requiredClaims: ['exp', 'sub'],
        clockTolerance: SKEW_SECONDS,
        currentDate: now(),
      });
      return await this.#principalOf(payload);
    } catch (error) {
      if (error instanceof errors.JWTExpired) return expired;
      // What the provider did not answer, or answered badly, says nothing of the token.
      if (!(error instanceof errors.JOSEError) || error.constructor === errors.JOSEError) throw unavailable(error);
      if (error instanceof errors.JWKSTimeout || error instanceof errors.JWKSInvalid) throw unavailable(error);
      return invalid;
    }
  }

  async #principalOf(payload: JWTPayload): Promise<Known | (TokenVerdict & { ok: false })> {
    const { issuer, tenant, roles, rolesClaim } = this.#options;
    const { sub = '', exp = 0 } = payload;
    if (sub === '') return invalid;
    const said = rolesIn(payload, rolesClaim);
    const mine = new Set(said.flatMap((name) => (Object.hasOwn(roles, name) ? [roles[name]] : [])).filter(isUserRole));
    const device = await deviceOf(payload);
    if (device === 'unfit') return invalid;
    const principal = {
      tenant,
      principal: `user:${oidcUserIdOf(issuer, sub)}`,
      roles: [...mine],
      scopes: [],
      ...(device && { deviceId: device.id }),
      expiresAtMs: (exp + SKEW_SECONDS) * 1000,
    };
    return { principal, deviceKey: device?.key };
  }

  #discovered(): Promise<Keys> {
    const { issuer, retryMs = 1_000 } = this.#options;
    if (this.#keys === undefined || performance.now() >= this.#keys.untilMs) {
      const keys = { found: discover(issuer), untilMs: performance.now() + DISCOVERED_MS };
      keys.found.catch(() => (keys.untilMs = performance.now() + retryMs));
      this.#keys = keys;
    }
    return this.#keys.found;
  }
}

/** The id of a person of this provider: 27 characters, the same for ever. */
export function oidcUserIdOf(issuer: string, subject: string): string {
  const text = `kora/oidc/1 ${issuer.length}:${issuer} ${subject.length}:${subject}`;
  return hash('sha256', text, 'base64url').slice(0, 27);
}

async function discover(issuer: string): Promise<Keys> {
  const url = `${issuer.replace(/\/$/, '')}/.well-known/openid-configuration`;
  let document: { issuer?: unknown; jwks_uri?: unknown };
  try {
    const answer = await boundedFetch(url, { signal: AbortSignal.timeout(REQUEST_MS_MAX), redirect: 'error' });
    if (!answer.ok) throw new Error(`it answers with status ${answer.status}`);
    document = (await answer.json()) as typeof document;
  } catch (error) {
    throw unavailable(error);
  }
  // Discovery 1.0, 4.3: otherwise one provider could pass off another's keys as its own.
  if (document.issuer !== issuer || typeof document.jwks_uri !== 'string' || !isSecret(document.jwks_uri)) {
    throw unavailable(new Error('its discovery document is for another issuer, or names no keys behind https'));
  }
  return createRemoteJWKSet(new URL(document.jwks_uri), {
    timeoutDuration: REQUEST_MS_MAX,
    cooldownDuration: 10_000,
    [customFetch]: boundedFetch,
  });
}

/** Whether what comes from there can be believed: https, or this very machine. */
export function isSecret(url: string): boolean {
  if (!URL.canParse(url)) return false;
  const { protocol, hostname } = new URL(url);
  return protocol === 'https:' || (protocol === 'http:' && ['127.0.0.1', '[::1]', 'localhost'].includes(hostname));
}

function unavailable(cause: unknown): OidcUnavailableError {
  return new OidcUnavailableError('the OIDC issuer cannot be asked for its keys', { cause });
}

function rolesIn(payload: JWTPayload, claim: string): string[] {
  let value: unknown = payload;
  for (const part of claim.split('.')) {
    const holder: unknown = value;
    value =
      typeof holder === 'object' && holder !== null && Object.hasOwn(holder, part)
        ? Reflect.get(holder, part)
        : undefined;
  }
  // A list, or one text as `scope` is.
  if (typeof value === 'string') return value.split(' ');
  return Array.isArray(value) ? value.filter((one) => typeof one === 'string') : [];
}

async function deviceOf(payload: JWTPayload): Promise<{ id: string; key: Buffer } | 'unfit' | undefined> {
  const { cnf } = payload as { cnf?: { jwk?: Record<string, unknown> } };
  if (cnf === undefined) return undefined;
  const { kty, crv, x } = cnf.jwk ?? {};
  // Bound to something that we cannot check: taking it as unbound would be to ignore what its issuer said.
  if (kty !== 'OKP' || crv !== 'Ed25519' || typeof x !== 'string') return 'unfit';
  const key = Buffer.from(x, 'base64url');
  return key.length === 32 ? { id: await calculateJwkThumbprint({ kty, crv, x }), key } : 'unfit';
}

const invalid: TokenVerdict & { ok: false } = {
  ok: false,
  reason: 'invalid',
  message: 'the token is not valid here: its issuer did not make it for this Kora, or it was changed',
};
const expired: TokenVerdict & { ok: false } = {
  ok: false,
  reason: 'expired',
  message: 'the token has expired: get a new one from its issuer',
};
const wrongDevice: TokenVerdict & { ok: false } = {
  ok: false,
  reason: 'wrong-device',
  message: 'the token is bound to a device: send that device in the header "kora-device"',
};
