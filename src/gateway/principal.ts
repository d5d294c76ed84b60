import type { UserRole } from '../identity/index.ts';
import type { ServiceIdentity, TokenVerifier } from './service-token.ts';

/** What a principal may be. A user has one or more of them, a service exactly `service`. */
export type Role = UserRole | 'service';

/** Who a verified token speaks for, and until when. */
export interface Principal {
  readonly tenant: string;
  /** `user:<id>` or `service:<name>`: part of ids made from idempotency keys; never a name of a person. */
  readonly principal: string;
  readonly roles: readonly Role[];
  /** What a service may call: rpc scopes such as `payments:write`; undefined = everything (tokens of `kora token` without --scope). Users: empty. */
  readonly scopes: readonly string[] | undefined;
  /** Users: the session that the token was made in. */
  readonly sessionId?: string;
  /** Users: the device that the token is bound to. */
  readonly deviceId?: string;
  /** When the token ends, in milliseconds since 1970: a connection that outlives it must ask again. */
  readonly expiresAtMs: number;
}

/**
 * What is said of a token. `missing`: none was sent; `expired`: refresh it; `wrong-device`: it is bound to another device
 * than the one that sent it; `ended`: its session was ended, log in again; `invalid`: everything else. The message is for
 * people and says nothing of the token's content.
 */
export type AuthVerdict =
  | { readonly ok: true; readonly principal: Principal }
  | {
      readonly ok: false;
      readonly reason: 'missing' | 'expired' | 'invalid' | 'wrong-device' | 'ended';
      readonly message: string;
    };

/** Accepts user access tokens (identity), service tokens, and tokens of a trusted OIDC issuer. */
export interface Authenticator {
  /**
   * Safe to call for every request: nothing is asked of the database while the token is known.
   *
   * @param token the token alone, without "Bearer"; undefined where the caller sent none
   * @param deviceId what the caller says its device is (`Kora-Device`); needed for tokens that are bound to a device
   * @throws when it cannot be told now (the database or the issuer does not answer): let nobody in, answer "try again"
   */
  verify(token: string | undefined, deviceId?: string): Promise<AuthVerdict>;
}

/** Judges the tokens of one issuer whose subjects are people: identity's own, or a trusted OIDC issuer's. */
export interface UserTokens {
  /** The `iss` claim of the tokens that are its own to judge. */
  readonly issuer: string;
  /** As `Authenticator.verify`. Must check the signature and the issuer itself: the routing has looked at neither. */
  verify(token: string, deviceId: string | undefined): Promise<AuthVerdict>;
}

/** Ours have about 600 characters, those of OIDC issuers up to some thousands. Longer ones are not even looked at. */
const TOKEN_CHARS_MAX = 8192;

/**
 * The one Authenticator of all doors.
 *
 * A token goes to the source of its `iss` claim, and to the service tokens when no source has that issuer. The claim is
 * read unverified, which is safe because every source checks it again under the signature: a lie only chooses the key
 * that the token will fail against.
 *
 * @param options.services service tokens (`kora token`)
 * @param options.users sources of user tokens. Default: none, only services are let in.
 */
export function authenticator(options: {
  readonly services: TokenVerifier;
  readonly users?: readonly UserTokens[];
}): Authenticator {
  const { services, users = [] } = options;
  const sources = new Map(users.map((source) => [source.issuer, source]));
  return {
    async verify(token, deviceId) {
      if (token !== undefined && token.length > TOKEN_CHARS_MAX) {
        return { ok: false, reason: 'invalid', message: 'the token is too long to be one' };
      }
      const source = token === undefined || sources.size === 0 ? undefined : sources.get(claimedIssuer(token) ?? '');
      if (token !== undefined && source !== undefined) return source.verify(token, deviceId);
      const verdict = await services.verify(token);
      return verdict.ok ? { ok: true, principal: servicePrincipal(verdict.identity) } : verdict;
    },
  };
}

function servicePrincipal({ tenant, principal, expiresAtMs, scopes }: ServiceIdentity): Principal {
  return { tenant, principal, roles: ['service'], scopes, expiresAtMs };
}

function claimedIssuer(token: string): string | undefined {
  const payload = token.split('.', 2)[1];
  if (payload === undefined) return undefined;
  try {
    const claims: unknown = JSON.parse(Buffer.from(payload, 'base64url').toString('utf8'));
    const issuer: unknown = (claims as { iss?: unknown } | null)?.iss;
    return typeof issuer === 'string' ? issuer : undefined;
  } catch {
    return undefined;
  }
}
