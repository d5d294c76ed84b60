import type pg from 'pg';
import { setTimeout as sleep } from 'node:timers/promises';
import { changeRoles } from './change-roles.ts';
import type { Identity } from './face.ts';
import type { Ground } from './ground.ts';
import type { Vault } from './vault.ts';
import { clearUp } from './housekeeping.ts';
import type { Keyring } from './keyring.ts';
import { OidcTokens, type OidcOptions } from './oidc.ts';
import { changePassword, endSession, logOut, ownSessions, whoAmI } from './own-account.ts';
import { createHasher, type HashCost } from './passwords/hasher.ts';
import { createPasswordPolicy } from './passwords/policy.ts';
import { recordDecision } from './postgres/audit.ts';
import { refreshSession } from './refresh.ts';
import { refused } from './refusal.ts';
import { proveKeyring } from './reseal.ts';
import { verifySensitive } from './sensitive.ts';
import { logIn, signUp } from './sign-in.ts';
import { AccessTokens, type AccessClaims } from './tokens/access-tokens.ts';
import { Revocations } from './tokens/revocations.ts';
import { type KeyPeriods, SigningKeys } from './tokens/signing-keys.ts';

export { changeRoleByLogin } from './change-roles.ts';
export type * from './face.ts';
export { type Keyring, KeyringError, newKeyringText, readKeyring } from './keyring.ts';
export type { OidcOptions } from './oidc.ts';
export type { Answer, IdentityRefusal, IdentityRefusalCode } from './refusal.ts';
export { reseal } from './reseal.ts';
export { isUserRole, type UserRole, userRoles } from './role.ts';
export { signedText } from './sensitive.ts';

export interface IdentityOptions {
  /** Connections with the role of the module. The caller ends the pool, after `close`. */
  readonly pool: pg.Pool;
  readonly keyring: Keyring;
  /** The tenant of every user. Default `kora`. */
  readonly tenant?: string;
  /** A provider whose users are let in too. */
  readonly oidc?: Omit<OidcOptions, 'tenant' | 'now'>;
  /**
   * Whether people sign up and log in here. Default true. False: all of them come from the provider, and what was issued
   * here before lets nobody in any more.
   */
  readonly localUsers?: boolean;
  /** Default: what the product uses. Tests take a cheap one. */
  readonly hashCost?: HashCost;
  readonly keyPeriods?: KeyPeriods;
  readonly now?: () => Date;
  /** How often other processes' revocations are asked for. Default 1,000. */
  readonly pollMs?: number;
  /** Told when a background task fails; it goes on by itself. The error holds nothing personal. */
  readonly onTrouble?: (error: unknown, what: string) => void;
}

/** Keys are read again, and what is over is deleted, so often. */
const MINUTE_MS = 60_000;
/** A thief who tries a token again and again from another device is written down this often. */
const WRONG_DEVICE_NOTED_MS = 60_000;

/**
 * Opens the module: proves the keyring, makes the signing keys that are missing, and starts what runs beside requests.
 *
 * @throws KeyringError where the keyring does not fit the database
 */
export async function openIdentity(options: IdentityOptions): Promise<Identity> {
  const { pool, keyring, tenant = 'kora', now = () => new Date(), localUsers = true } = options;
  const vault: Vault = { pool, keyring, tenant, now };
  await proveKeyring(vault);
  const keys = new SigningKeys(vault, options.keyPeriods);
  const revocations = new Revocations(vault);
  await Promise.all([keys.refresh(), revocations.poll()]);
  const onTrouble = options.onTrouble ?? (() => undefined);
  const accessTokens = new AccessTokens({
    keys,
    revocations,
    tenant,
    now,
    onWrongDevice: wrongDevices(vault, onTrouble),
  });
  const hasher = createHasher(options.hashCost === undefined ? {} : { cost: options.hashCost });
  const ground: Ground = { ...vault, hasher, policy: createPasswordPolicy(), accessTokens, revocations };
  const oidc = options.oidc && new OidcTokens({ ...options.oidc, tenant, now });
  const tasks = startTasks(ground, keys, options.pollMs ?? 1_000, onTrouble);
  return {
    signUp: (request, from) => (localUsers ? signUp(ground, request, from) : localUsersOff()),
    logIn: (request, from) => (localUsers ? logIn(ground, request, from) : localUsersOff()),
    refresh: (request, from) => (localUsers ? refreshSession(ground, request, from) : localUsersOff()),
    logOut: (caller, from) => logOut(ground, caller, from),
    me: (caller) => whoAmI(ground, caller),
    sessions: (caller) => ownSessions(ground, caller),
    endSession: (caller, sessionId, from) => endSession(ground, caller, sessionId, from),
    changePassword: (caller, request, from) => changePassword(ground, caller, request, from),
    changeRoles: (caller, request, from) => changeRoles(ground, caller, request, from),
    verifySensitive: (request, from = {}) =>
      verifySensitive(vault, request, from, (userId, deviceId) => oidc?.deviceKey(userId, deviceId)),
    jwks: () => keys.jwks(),
    tokens: [...(localUsers ? [accessTokens] : []), ...(oidc ? [oidc] : [])],
    close: () => tasks.stop(),
  };
}

function localUsersOff(): Promise<ReturnType<typeof refused>> {
  const message = 'people do not sign up or log in here: get a token from the OIDC issuer of this Kora';
  return Promise.resolve(refused({ code: 'LocalUsersOff', message }));
}

function startTasks(
  ground: Ground,
  keys: SigningKeys,
  pollMs: number,
  onTrouble: (error: unknown, what: string) => void,
): { stop: () => Promise<void> } {
  const stop = new AbortController();
  const every = async (ms: number, what: string, task: () => Promise<void>): Promise<void> => {
    let failing = false;
    // An aborted sleep rejects, and that is the end.
    while (await sleep(ms, true, { signal: stop.signal, ref: false }).catch(() => false)) {
      try {
        await task();
        failing = false;
      } catch (error) {
        // Told once, until it has worked again: a database that is away for an hour is one trouble.
        if (!failing) onTrouble(error, what);
        failing = true;
      }
    }
  };
  const running = [
    every(pollMs, 'revocations of other processes are not seen', () => ground.revocations.poll()),
    every(MINUTE_MS, 'signing keys are not read', () => keys.refresh()),
    every(MINUTE_MS, 'what is over is not deleted', () => clearUp(ground)),
  ];
  return {
    async stop() {
      stop.abort();
      await Promise.all(running);
    },
  };
}

/** Writes the use of a token on another device down, without the request waiting for it. */
function wrongDevices(vault: Vault, onTrouble: (error: unknown, what: string) => void): (claims: AccessClaims) => void {
  const noted = new Map<string, number>();
  return ({ userId, sessionId, deviceId }) => {
    const nowMs = vault.now().getTime();
    for (const [session, atMs] of noted) if (atMs + WRONG_DEVICE_NOTED_MS <= nowMs) noted.delete(session);
    if (noted.has(sessionId)) return;
    noted.set(sessionId, nowMs);
    const actor = `user:${userId}`;
    recordDecision(vault.pool, vault, {
      action: 'use-token',
      outcome: 'WrongDevice',
      actor: 'unknown',
      subject: actor,
      sessionId,
      deviceId,
    }).catch((error: unknown) => onTrouble(error, 'the use of a token on another device is not in the journal'));
  };
}
