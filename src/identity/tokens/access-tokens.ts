import { decodeProtectedHeader, errors, jwtVerify, SignJWT, type JWTPayload } from 'jose';
import { RecentMap } from '../../kernel/recent-map.ts';
import type { TokenVerdict, UserPrincipal, UserTokenSource } from '../face.ts';
import type { Vault } from '../vault.ts';
import { isUserRole, type UserRole } from '../role.ts';
import type { Revocations } from './revocations.ts';
import type { SigningKeys } from './signing-keys.ts';

/** How long an access token is good. */
export const ACCESS_TOKEN_MS = 10 * 60_000;

const ALGORITHM = 'EdDSA';
const ISSUER = 'kora/identity';
const AUDIENCE = 'kora/doors';
/** RFC 9068. Keeps every other JWT of ours from being taken for one. */
const TYPE = 'at+jwt';
/** Clocks of our processes may differ by this much. */
const SKEW_SECONDS = 5;

export interface AccessClaims {
  readonly userId: string;
  readonly roles: readonly UserRole[];
  readonly rolesVersion: number;
  readonly sessionId: string;
  readonly deviceId: string;
}

interface Verified {
  readonly claims: AccessClaims;
  readonly expiresAtMs: number;
  readonly principal: UserPrincipal;
}

export interface AccessTokensOptions {
  readonly keys: SigningKeys;
  readonly revocations: Revocations;
  readonly tenant: string;
  readonly now: Vault['now'];
  /** Told of a good token that another device sent. */
  readonly onWrongDevice?: (claims: AccessClaims) => void;
}

/** Access tokens: JWTs of 10 minutes, signed with EdDSA, bound to a session and its device. */
export class AccessTokens implements UserTokenSource {
  readonly issuer = ISSUER;
  readonly #options: AccessTokensOptions;
  /** Verified tokens. */
  readonly #cache = new RecentMap<string, Verified>(10_000);

  constructor(options: AccessTokensOptions) {
    this.#options = options;
  }

  async issue(claims: AccessClaims): Promise<{ readonly token: string; readonly expiresAt: string }> {
    const { keys, tenant, now } = this.#options;
    const { kid, privateKey } = await keys.signer();
    const issuedAt = Math.floor(now().getTime() / 1000);
    const expiresAt = issuedAt + ACCESS_TOKEN_MS / 1000;
    const { roles, rolesVersion, sessionId, deviceId } = claims;
    const token = await new SignJWT({ tenant, roles: [...roles], rv: rolesVersion, sid: sessionId, did: deviceId })
      .setProtectedHeader({ alg: ALGORITHM, typ: TYPE, kid })
      .setIssuer(ISSUER)
      .setAudience(AUDIENCE)
      .setSubject(`user:${claims.userId}`)
      .setIssuedAt(issuedAt)
      .setExpirationTime(expiresAt)
      .sign(privateKey);
    return { token, expiresAt: new Date(expiresAt * 1000).toISOString() };
  }

  async verify(token: string, deviceId: string | undefined): Promise<TokenVerdict> {
    const verified = await this.#verified(token);
    if (!('claims' in verified)) return verified;
    const { claims, principal } = verified;
    if (claims.deviceId !== deviceId) {
      if (deviceId !== undefined) this.#options.onWrongDevice?.(claims);
      return wrongDevice;
    }
    switch (await this.#options.revocations.standing(claims)) {
      case 'ended':
        return { ok: false, reason: 'ended', message: 'the session of this token has ended: log in again' };
      case 'roles-changed':
        return { ok: false, reason: 'expired', message: 'the roles of this user have changed: refresh the token' };
      case 'good':
        return { ok: true, principal };
    }
  }

  /** Signature, issuer, audience and life of the token; not what may have changed since it was made. */
  async #verified(token: string): Promise<Verified | (TokenVerdict & { ok: false })> {
    const { now } = this.#options;
    const known = this.#cache.get(token);
    if (known !== undefined) {
      if (now().getTime() < known.expiresAtMs) return known;
      this.#cache.delete(token);
    }
    const verified = await this.#verifySignature(token);
    if ('claims' in verified) this.#cache.set(token, verified);
    return verified;
  }

  async #verifySignature(token: string): Promise<Verified | (TokenVerdict & { ok: false })> {
    const { keys, now, tenant } = this.#options;
    const kid = kidOf(token);
    const publicKey = kid === undefined ? undefined : await keys.verifier(kid);
    if (publicKey === undefined) return invalid;
    try {
      const { payload } = await jwtVerify(token, publicKey, {
        algorithms: [ALGORITHM],
        typ: TYPE,
        issuer: ISSUER,
        audience: AUDIENCE,
        requiredClaims: ['exp', 'sub'],
        clockTolerance: SKEW_SECONDS,
        currentDate: now(),
      });
      const claims = claimsOf(payload);
      if (claims === undefined || payload['tenant'] !== tenant) return invalid;
      const { userId, roles, sessionId, deviceId } = claims;
      const expiresAtMs = ((payload.exp ?? 0) + SKEW_SECONDS) * 1000;
      const principal = { tenant, principal: `user:${userId}`, roles, scopes: [], sessionId, deviceId, expiresAtMs };
      return { claims, expiresAtMs, principal };
    } catch (error) {
      if (!(error instanceof errors.JOSEError)) throw error;
      return error instanceof errors.JWTExpired ? expired : invalid;
    }
  }
}

const invalid: TokenVerdict & { ok: false } = {
  ok: false,
  reason: 'invalid',
  message: 'the access token is not valid here: it was not made by this Kora, or it was changed',
};
const expired: TokenVerdict & { ok: false } = {
  ok: false,
  reason: 'expired',
  message: 'the access token has expired: refresh it',
};
const wrongDevice: TokenVerdict & { ok: false } = {
  ok: false,
  reason: 'wrong-device',
  message: 'the access token is bound to a device: send that device in the header "kora-device"',
};

function kidOf(token: string): string | undefined {
  try {
    return decodeProtectedHeader(token).kid;
  } catch {
    return undefined;
  }
}

/** We made it, so it has this form; a token of a later version that has another is not taken. */
function claimsOf({ sub = '', ...payload }: JWTPayload): AccessClaims | undefined {
  const { roles, rv, sid, did } = payload as Readonly<Record<string, unknown>>;
  const userId = /^user:(.+)$/.exec(sub)?.[1];
  if (userId === undefined || typeof sid !== 'string' || typeof did !== 'string' || typeof rv !== 'number') return;
  if (!Array.isArray(roles) || !roles.every(isUserRole)) return undefined;
  return { userId, roles, rolesVersion: rv, sessionId: sid, deviceId: did };
}
