import type { From, IdentityCaller, Me, SessionView } from './face.ts';
import type { Ground } from './ground.ts';
import { wordsOf } from './login.ts';
import { type Attempt, refundAttempt } from './postgres/attempts.ts';
import { recordDecision } from './postgres/audit.ts';
import { endSessions, liveSessions } from './postgres/sessions.ts';
import { inTransaction } from './postgres/transaction.ts';
import { findUser, places, updatePassword, type User } from './postgres/users.ts';
import { granted, refused, type Answer } from './refusal.ts';
import { blockedBy, journaled, passwordHashOf, tooBusy, unlessBusy } from './sign-in.ts';

/** The id in `user:<id>`; undefined for services. */
export function userIdOf({ principal }: IdentityCaller): string | undefined {
  return /^user:(.+)$/.exec(principal)?.[1];
}

const notAUser = refused({ code: 'NotPermitted', message: 'this is for users, and the caller is a service' });
/** Also what is said of somebody else's session. */
const sessionNotFound = refused({ code: 'SessionNotFound', message: 'there is no such session' });
const wrongPassword = { code: 'WrongCredentials', message: 'this is not the present password' } as const;

/** See `Identity.me`. */
export async function whoAmI(ground: Ground, caller: IdentityCaller): Promise<Answer<Me>> {
  const userId = userIdOf(caller);
  if (userId === undefined) return notAUser;
  const { principal, roles } = caller;
  const user = await findUser(ground.pool, ground, userId);
  if (user === undefined) return granted({ principal, userId, roles });
  const login = { kind: user.loginKind, value: loginOf(ground, user) };
  return granted({ principal, userId, roles: user.roles, login, createdAt: user.createdAt.toISOString() });
}

/** See `Identity.sessions`. */
export async function ownSessions(ground: Ground, caller: IdentityCaller): Promise<Answer<readonly SessionView[]>> {
  const userId = userIdOf(caller);
  return userId === undefined ? notAUser : granted(await liveSessions(ground.pool, ground, userId, caller.sessionId));
}

/** See `Identity.logOut`. */
export async function logOut(ground: Ground, caller: IdentityCaller, from: From): Promise<Answer<void>> {
  const { sessionId } = caller;
  if (userIdOf(caller) === undefined) return notAUser;
  // Users of an OIDC issuer have no session here: theirs ends there.
  if (sessionId === undefined) return sessionNotFound;
  await endOwn(ground, caller, { sessionId, action: 'log-out', from });
  return granted(undefined);
}

/** See `Identity.endSession`. */
export async function endSession(
  ground: Ground,
  caller: IdentityCaller,
  sessionId: string,
  from: From,
): Promise<Answer<void>> {
  if (userIdOf(caller) === undefined) return notAUser;
  return (await endOwn(ground, caller, { sessionId, action: 'end-session', from }))
    ? granted(undefined)
    : sessionNotFound;
}

async function endOwn(
  ground: Ground,
  caller: IdentityCaller,
  how: { readonly sessionId: string; readonly action: 'log-out' | 'end-session'; readonly from: From },
): Promise<boolean> {
  const { sessionId, action, from } = how;
  const ended = await inTransaction(ground.pool, async (client) => {
    const { rowCount } = await client.query('SELECT FROM identity.sessions WHERE id = $1 AND user_id = $2 FOR UPDATE', [
      sessionId,
      userIdOf(caller),
    ]);
    const owned = rowCount === 1 ? [sessionId] : [];
    const ids = await endSessions(client, ground, action === 'log-out' ? 'log-out' : 'ended-by-user', { ids: owned });
    await recordDecision(client, ground, {
      action,
      outcome: ids.length > 0 ? 'accepted' : 'SessionNotFound',
      actor: caller.principal,
      subject: caller.principal,
      // An id that is not theirs, or nobody's, is a text from outside: it does not go to the journal.
      sessionId: owned[0],
      deviceId: caller.deviceId,
      from,
    });
    return ids;
  });
  for (const id of ended) ground.revocations.sessionEnded(id);
  return ended.length > 0;
}

/** See `Identity.changePassword`. */
export async function changePassword(
  ground: Ground,
  caller: IdentityCaller,
  request: { readonly current: string; readonly next: string },
  from: From,
): Promise<Answer<void>> {
  const userId = userIdOf(caller);
  const user = userId === undefined ? undefined : await findUser(ground.pool, ground, userId);
  if (user === undefined) {
    return refused({ code: 'NotPermitted', message: 'the caller has no password here: it is kept where they log in' });
  }
  const { principal: actor, sessionId, deviceId } = caller;
  const about = { action: 'change-password', actor, subject: actor, sessionId, deviceId, from } as const;
  const weak = await ground.policy(request.next, wordsOf({ kind: user.loginKind, value: loginOf(ground, user) }));
  if (weak !== undefined) return journaled(ground, about, weak);
  // Whoever holds an unlocked phone may not try passwords without end either.
  const attempt: Attempt = { target: ground.keyring.keyedHash(`password ${user.id}`), address: from.address };
  const blocked = await blockedBy(ground, about, attempt);
  if (blocked !== undefined) return blocked;
  const phc = passwordHashOf(ground, user);
  const good = await unlessBusy(() => ground.hasher.verify(phc, request.current));
  if (good === undefined) return tooBusy(ground, attempt);
  if (!good) return journaled(ground, about, wrongPassword);
  const passwordHash = await unlessBusy(() => ground.hasher.hash(request.next));
  if (passwordHash === undefined) return tooBusy(ground, attempt);
  const ended = await inTransaction(ground.pool, async (client) => {
    const now = await findUser(client, ground, user.id, 'FOR UPDATE');
    // Another change came first, with the same password: this one does not know the present one any more.
    if (now === undefined || passwordHashOf(ground, now) !== phc) return undefined;
    await updatePassword(client, ground, user.id, passwordHash);
    const ids = await endSessions(client, ground, 'password-changed', { userId: user.id, except: sessionId });
    await refundAttempt(client, ground, attempt);
    await recordDecision(client, ground, { ...about, outcome: 'accepted', detail: { sessionsEnded: ids.length } });
    return ids;
  });
  if (ended === undefined) return journaled(ground, about, wrongPassword);
  for (const id of ended) ground.revocations.sessionEnded(id);
  return granted(undefined);
}

function loginOf({ keyring }: Ground, { id, loginSealed }: User): string {
  return keyring.open(loginSealed, places.login(id)).toString('utf8');
}
