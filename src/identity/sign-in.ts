import type pg from 'pg';
import type { Credentials, From, SignedIn } from './face.ts';
import { readDevice, registerDevice, type Device } from './device.ts';
import type { Ground } from './ground.ts';
import { readLogin, wordsOf, type Login } from './login.ts';
import { HasherBusyError } from './passwords/hasher.ts';
import { chargeAttempt, forgetAttempt, refundAttempt, type Attempt } from './postgres/attempts.ts';
import { recordDecision, type Decision } from './postgres/audit.ts';
import { newId, openSession, type NewSession } from './postgres/sessions.ts';
import { inTransaction, sqlStateOf } from './postgres/transaction.ts';
import { findUserByLogin, indexText, insertUser, places, updatePassword, type User } from './postgres/users.ts';
import { granted, refused, type Answer, type IdentityRefusal } from './refusal.ts';

type Asked = Pick<User, 'id' | 'roles' | 'rolesVersion'>;

/** See `Identity.signUp`. */
export async function signUp(ground: Ground, request: Credentials, from: From): Promise<Answer<SignedIn>> {
  const read = readRequest(ground, request);
  if (!read.ok) return read;
  const { login, loginHash, device } = read.value;
  const about = { action: 'sign-up', actor: 'unknown', loginHash, deviceId: device.id, from } as const;
  const weak = await ground.policy(request.password, wordsOf(login));
  if (weak !== undefined) return journaled(ground, about, weak);
  // Only the address: that somebody signs up again and again must not keep the owner of the login from logging in.
  const attempt: Attempt = { address: from.address };
  const blocked = await blockedBy(ground, about, attempt);
  if (blocked !== undefined) return blocked;
  const passwordHash = await unlessBusy(() => ground.hasher.hash(request.password));
  if (passwordHash === undefined) return tooBusy(ground, attempt);
  const user: Asked = { id: newId(), roles: ['customer'], rolesVersion: 1 };
  try {
    const session = await inTransaction(ground.pool, async (client) => {
      await insertUser(client, ground, { id: user.id, login, passwordHash, roles: ['customer'] });
      await registerDevice(client, ground, user.id, device);
      return openedSession(client, ground, user, device, attempt, { ...about, actor: `user:${user.id}` });
    });
    return await signedIn(ground, user, device, session);
  } catch (error) {
    if (sqlStateOf(error) !== UNIQUE_VIOLATION) throw error;
    return journaled(ground, about, { code: 'LoginTaken', message: 'somebody has signed up with this login already' });
  }
}

/** See `Identity.logIn`. */
export async function logIn(ground: Ground, request: Credentials, from: From): Promise<Answer<SignedIn>> {
  const read = readRequest(ground, request);
  if (!read.ok) return read;
  const { login, loginHash, device } = read.value;
  const about = { action: 'log-in', actor: 'unknown', loginHash, deviceId: device.id, from } as const;
  const attempt: Attempt = { target: loginHash, address: from.address };
  const blocked = await blockedBy(ground, about, attempt);
  if (blocked !== undefined) return blocked;
  const user = await findUserByLogin(ground.pool, ground, login);
  // From here to the answer, an unknown login costs what a wrong password does: one hash, one row in the journal.
  const phc = user === undefined ? undefined : passwordHashOf(ground, user);
  const good = await unlessBusy(() => ground.hasher.verify(phc, request.password));
  if (good === undefined) return tooBusy(ground, attempt);
  if (user === undefined || phc === undefined || !good) {
    return journaled(ground, { ...about, subject: user && `user:${user.id}` }, wrongCredentials);
  }
  const rehashed = ground.hasher.isOutdated(phc)
    ? await unlessBusy(() => ground.hasher.hash(request.password))
    : undefined;
  const who = { ...about, actor: `user:${user.id}`, subject: `user:${user.id}` };
  const session = await inTransaction(ground.pool, async (client) => {
    if (!(await registerDevice(client, ground, user.id, device))) return undefined;
    if (rehashed !== undefined) await updatePassword(client, ground, user.id, rehashed);
    return openedSession(client, ground, user, device, attempt, who);
  });
  return session === undefined ? journaled(ground, who, deviceKeyMismatch) : signedIn(ground, user, device, session);
}

const UNIQUE_VIOLATION = '23505';

const wrongCredentials: IdentityRefusal = {
  code: 'WrongCredentials',
  message: 'there is no user with this login and this password',
};
const deviceKeyMismatch: IdentityRefusal = {
  code: 'DeviceKeyMismatch',
  message: 'this device is registered with another key: use that key, or a new device id',
};
const busy = refused({
  code: 'IdentityBusy',
  message: 'too many passwords are being looked at now: try again in a moment',
});

/** No password was looked at, so the attempt does not count either. */
export async function tooBusy(ground: Ground, attempt: Attempt): Promise<typeof busy> {
  await forgetAttempt(ground, attempt);
  return busy;
}

export function passwordHashOf({ keyring }: Pick<Ground, 'keyring'>, { id, passwordSealed }: User): string {
  return keyring.open(passwordSealed, places.password(id)).toString('utf8');
}

/** The result; undefined where too many passwords wait already. */
export async function unlessBusy<Result>(work: () => Promise<Result>): Promise<Result | undefined> {
  try {
    return await work();
  } catch (error) {
    if (error instanceof HasherBusyError) return undefined;
    throw error;
  }
}

/** Writes a refusal down, and gives it back. */
export async function journaled(
  ground: Ground,
  about: Omit<Decision, 'outcome'>,
  refusal: IdentityRefusal,
): Promise<{ readonly ok: false; readonly refusal: IdentityRefusal }> {
  await recordDecision(ground.pool, ground, { ...about, outcome: refusal.code });
  return refused(refusal);
}

/** Counts the attempt. The refusal says the same whether or not there is such a user, or such a password. */
export async function blockedBy(
  ground: Ground,
  about: Omit<Decision, 'outcome'>,
  attempt: Attempt,
): Promise<{ readonly ok: false; readonly refusal: IdentityRefusal } | undefined> {
  const retryAfterMs = await chargeAttempt(ground, attempt);
  if (retryAfterMs === undefined) return undefined;
  const message = 'too many attempts: wait before the next one';
  return journaled(ground, about, { code: 'TooManyAttempts', message, retryAfterMs });
}

function readRequest(
  { keyring, tenant }: Ground,
  request: Credentials,
): Answer<{ readonly login: Login; readonly loginHash: string; readonly device: Device }> {
  const login = readLogin(request.login);
  if (login === undefined) {
    const message = 'a login is a phone number with its country code, as +221771234567, or an e-mail address';
    return refused({ code: 'InvalidIdentity', message, field: 'login' });
  }
  const device = readDevice(request.device);
  if (!device.ok) return device;
  return granted({ login, loginHash: keyring.keyedHash(indexText(tenant, login)), device: device.value });
}

async function openedSession(
  client: pg.PoolClient,
  ground: Ground,
  user: Asked,
  device: Device,
  attempt: Attempt,
  about: Omit<Decision, 'outcome'>,
): Promise<NewSession> {
  const session = await openSession(client, ground, { userId: user.id, deviceId: device.id });
  await refundAttempt(client, ground, attempt);
  const { sessionId } = session;
  await recordDecision(client, ground, { ...about, subject: `user:${user.id}`, sessionId, outcome: 'accepted' });
  return session;
}

async function signedIn(ground: Ground, user: Asked, device: Device, session: NewSession): Promise<Answer<SignedIn>> {
  for (const ended of session.ended) ground.revocations.sessionEnded(ended);
  return granted(await tokensOf(ground, user, device.id, session));
}

/** What the caller gets: a new access token beside the refresh token that is in the database already. */
export async function tokensOf(
  { accessTokens }: Pick<Ground, 'accessTokens'>,
  { id, roles, rolesVersion }: Asked,
  deviceId: string,
  { sessionId, refresh }: Pick<NewSession, 'sessionId' | 'refresh'>,
): Promise<SignedIn> {
  const access = await accessTokens.issue({ userId: id, roles, rolesVersion, sessionId, deviceId });
  return {
    userId: id,
    roles,
    sessionId,
    accessToken: access.token,
    accessExpiresAt: access.expiresAt,
    refreshToken: refresh.token,
    refreshExpiresAt: refresh.expiresAt,
  };
}
