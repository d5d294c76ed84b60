import type { UserRole } from './role.ts';
import type { Answer } from './refusal.ts';

/**
 * The face of the module: who somebody is, whether a token is good, and what was decided about it. Doors know nothing
 * else of it. Everything that is refused is a value; what throws is a fault (the database does not answer).
 */
export interface Identity {
  /** Makes a user (role `customer`) with a first session on this device. */
  signUp(request: Credentials, from: From): Promise<Answer<SignedIn>>;
  /** Opens a session. A device that is new is registered; one that is known must come with the key that it had. */
  logIn(request: Credentials, from: From): Promise<Answer<SignedIn>>;
  /**
   * Gives the next pair of tokens for a refresh token, once. A second use, also one that races the first, ends the
   * session: one of the two callers is a thief, and nobody can tell which.
   */
  refresh(request: { readonly refreshToken: string; readonly deviceId: string }, from: From): Promise<Answer<SignedIn>>;
  /** Ends the session of the caller. Again is fine. */
  logOut(caller: IdentityCaller, from: From): Promise<Answer<void>>;
  me(caller: IdentityCaller): Promise<Answer<Me>>;
  /** Live sessions of the caller, newest first. */
  sessions(caller: IdentityCaller): Promise<Answer<readonly SessionView[]>>;
  /** Ends one of the caller's own sessions; of nobody else's it says what it says of one that is not there. */
  endSession(caller: IdentityCaller, sessionId: string, from: From): Promise<Answer<void>>;
  /** Takes the present password, and ends every other session of the user. */
  changePassword(
    caller: IdentityCaller,
    request: { readonly current: string; readonly next: string },
    from: From,
  ): Promise<Answer<void>>;
  /** For admins: gives the user exactly these roles. Tokens with the old ones are refused from now on. */
  changeRoles(
    caller: IdentityCaller,
    request: { readonly userId: string; readonly roles: readonly UserRole[] },
    from: From,
  ): Promise<Answer<{ readonly userId: string; readonly roles: readonly UserRole[] }>>;
  /** Whether this one request may be carried out: signed by the caller's device, in time, for the first time. */
  verifySensitive(request: SensitiveRequest, from?: From): Promise<Answer<void>>;
  /** Public keys of access tokens, also the next one before it signs (RFC 7517). */
  jwks(): JsonWebKeySet;
  /** For the Authenticator: identity's own access tokens, and those of the trusted OIDC issuer where one is set. */
  readonly tokens: readonly UserTokenSource[];
  close(): Promise<void>;
}

export interface Credentials {
  /** Phone number with country code, or e-mail address, as it was typed. */
  readonly login: string;
  readonly password: string;
  readonly device: {
    /** Chosen by the app, 8 to 64 of A-Z a-z 0-9 _ - */
    readonly id: string;
    /** Ed25519, raw 32 bytes in base64url. */
    readonly publicKey: string;
  };
}

/** Where a request came from. The address is kept as a keyed hash only. */
export interface From {
  readonly address?: string | undefined;
  readonly correlationId?: string | undefined;
}

/** What identity needs to know of who asks; the doors' `Principal` is one. */
export interface IdentityCaller {
  readonly principal: string;
  readonly roles: readonly string[];
  readonly sessionId?: string;
  readonly deviceId?: string;
}

export interface SignedIn {
  readonly userId: string;
  readonly roles: readonly UserRole[];
  readonly sessionId: string;
  readonly accessToken: string;
  /** ISO instants. */
  readonly accessExpiresAt: string;
  readonly refreshToken: string;
  readonly refreshExpiresAt: string;
}

export interface Me {
  /** `user:<id>`: what owners of accounts are called. */
  readonly principal: string;
  readonly userId: string;
  readonly roles: readonly string[];
  /** Absent for users of an OIDC issuer: who they are is known there. */
  readonly login?: { readonly kind: 'phone' | 'email'; readonly value: string };
  readonly createdAt?: string;
}

export interface SessionView {
  readonly id: string;
  readonly deviceId: string;
  readonly createdAt: string;
  readonly lastUsedAt: string;
  readonly expiresAt: string;
  /** The one that asks. */
  readonly current: boolean;
}

export interface SensitiveRequest {
  readonly principal: IdentityCaller;
  /** Upper case, as `POST`. */
  readonly method: string;
  /** The path as it was sent, with its query if it has one. */
  readonly path: string;
  readonly timestamp: string | undefined;
  readonly nonce: string | undefined;
  readonly signature: string | undefined;
  /** Of the raw body, hex; of no bytes where there is no body. */
  readonly bodySha256: string;
}

export interface JsonWebKeySet {
  readonly keys: readonly Readonly<Record<string, string>>[];
}

/** A verified user, in the form of the doors' `Principal`. */
export interface UserPrincipal {
  readonly tenant: string;
  readonly principal: string;
  readonly roles: readonly UserRole[];
  readonly scopes: readonly string[];
  readonly sessionId?: string;
  readonly deviceId?: string;
  readonly expiresAtMs: number;
}

export type TokenVerdict =
  | { readonly ok: true; readonly principal: UserPrincipal }
  | { readonly ok: false; readonly reason: 'expired' | 'invalid' | 'wrong-device' | 'ended'; readonly message: string };

/** Judges the tokens of one issuer. */
export interface UserTokenSource {
  readonly issuer: string;
  /** @throws when the issuer's keys or the database cannot be asked */
  verify(token: string, deviceId: string | undefined): Promise<TokenVerdict>;
}
