/**
 * What identity refuses, as values. Doors map every code to their wire code in one exhaustive map. No message holds what
 * the caller sent: logins and passwords must not come back in answers or land in a log.
 */
export type IdentityRefusal =
  /** It cannot be right, whatever is stored: not a login, not a key, not a device id. */
  | { readonly code: 'InvalidIdentity'; readonly message: string; readonly field: string }
  | { readonly code: 'LoginTaken'; readonly message: string }
  | { readonly code: 'PasswordRefused'; readonly message: string; readonly reason: PasswordFault }
  /** Unknown login and wrong password: nobody is told which. */
  | { readonly code: 'WrongCredentials'; readonly message: string }
  | { readonly code: 'TooManyAttempts'; readonly message: string; readonly retryAfterMs: number }
  /** The device id is registered for this user with another key. */
  | { readonly code: 'DeviceKeyMismatch'; readonly message: string }
  /** Unknown, used, expired, from another device, or its session has ended: log in again. */
  | { readonly code: 'RefreshRefused'; readonly message: string }
  | { readonly code: 'SessionNotFound'; readonly message: string }
  | { readonly code: 'UserNotFound'; readonly message: string }
  | { readonly code: 'NotPermitted'; readonly message: string }
  | { readonly code: 'LastAdmin'; readonly message: string }
  /** A sensitive command came without the signature of its device, or from a caller that has no device. */
  | { readonly code: 'SignatureRequired'; readonly message: string }
  | { readonly code: 'SignatureInvalid'; readonly message: string }
  | { readonly code: 'TimestampOutsideWindow'; readonly message: string; readonly windowMs: number }
  | { readonly code: 'NonceReplayed'; readonly message: string }
  /** Users of this Kora come from its OIDC issuer alone. */
  | { readonly code: 'LocalUsersOff'; readonly message: string }
  /** More passwords wait to be hashed than may: try again later. */
  | { readonly code: 'IdentityBusy'; readonly message: string };

export type IdentityRefusalCode = IdentityRefusal['code'];

/** Why a password is refused: too few characters, too many, in a list of breached passwords, or too easily guessed. */
export type PasswordFault = 'short' | 'long' | 'breached' | 'guessable';

export type Answer<Result> =
  { readonly ok: true; readonly value: Result } | { readonly ok: false; readonly refusal: IdentityRefusal };

export function granted<Result>(value: Result): Answer<Result> {
  return { ok: true, value };
}

export function refused(refusal: IdentityRefusal): { readonly ok: false; readonly refusal: IdentityRefusal } {
  return { ok: false, refusal };
}
