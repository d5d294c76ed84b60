import type { From, SignedIn } from './face.ts';
import type { Ground } from './ground.ts';
import { recordDecision, type Decision } from './postgres/audit.ts';
import {
  endSessions,
  issueRefreshToken,
  refreshHashOf,
  type EndedWhy,
  type RefreshToken,
} from './postgres/sessions.ts';
import { inTransaction } from './postgres/transaction.ts';
import { findUser, type User } from './postgres/users.ts';
import { granted, refused, type Answer } from './refusal.ts';
import { tokensOf } from './sign-in.ts';

type Rotation =
  | { readonly kind: 'rotated'; readonly user: User; readonly sessionId: string; readonly refresh: RefreshToken }
  | { readonly kind: 'refused'; readonly ended: readonly string[] };

/** One answer for everything that is wrong: the caller can only log in again, and a thief learns nothing. */
const refreshRefused = refused({
  code: 'RefreshRefused',
  message: 'this refresh token is not good, or not good any more: log in again',
});

/** See `Identity.refresh`. */
export async function refreshSession(
  ground: Ground,
  request: { readonly refreshToken: string; readonly deviceId: string },
  from: From,
): Promise<Answer<SignedIn>> {
  const rotation = await rotate(ground, request, from);
  if (rotation.kind === 'refused') {
    for (const sessionId of rotation.ended) ground.revocations.sessionEnded(sessionId);
    return refreshRefused;
  }
  return granted(await tokensOf(ground, rotation.user, request.deviceId, rotation));
}

async function rotate(
  ground: Ground,
  { refreshToken, deviceId }: { readonly refreshToken: string; readonly deviceId: string },
  from: From,
): Promise<Rotation> {
  const tokenHash = refreshHashOf(refreshToken);
  return inTransaction(ground.pool, async (client): Promise<Rotation> => {
    const at = ground.now();
    // The session is locked first, and the token read in a statement of its own after that: a statement that waits for
    // the lock would go on with the token as it was before, and let two callers in.
    const { rows: sessions } = await client.query<Session>(
      `SELECT id, user_id, device_id, expires_at, ended_at FROM identity.sessions
       WHERE id = (SELECT session_id FROM identity.refresh_tokens WHERE hash = $1) FOR UPDATE`,
      [tokenHash],
    );
    const [session] = sessions;
    // Of the device that the token is bound to: what was sent instead is a text from outside.
    const known = { sessionId: session?.id, deviceId: session?.device_id };
    const about = { action: 'refresh', actor: 'unknown', ...known, from } as const;
    const refuse = async (outcome: Decision['outcome'], why?: EndedWhy): Promise<Rotation> => {
      const subject = session && `user:${session.user_id}`;
      await recordDecision(client, ground, { ...about, subject, outcome });
      const ids = session === undefined || why === undefined ? [] : [session.id];
      return { kind: 'refused', ended: why === undefined ? [] : await endSessions(client, ground, why, { ids }) };
    };
    if (session === undefined || session.ended_at !== null || session.expires_at <= at) return refuse('RefreshRefused');
    // Whoever has the token and not the device took it from the device.
    if (session.device_id !== deviceId) return refuse('WrongDevice', 'wrong-device');

    const { rows: used } = await client.query<{ expires_at: Date }>(
      'UPDATE identity.refresh_tokens SET used_at = $2 WHERE hash = $1 AND used_at IS NULL RETURNING expires_at',
      [tokenHash, at],
    );
    const [token] = used;
    if (token === undefined) return refuse('ReuseDetected', 'reuse');
    const user = await findUser(client, ground, session.user_id);
    if (user === undefined || token.expires_at <= at) return refuse('RefreshRefused');

    const refresh = await issueRefreshToken(client, session.id, at, session.expires_at);
    await client.query('UPDATE identity.sessions SET last_used_at = $2 WHERE id = $1', [session.id, at]);
    const actor = `user:${user.id}`;
    await recordDecision(client, ground, { ...about, actor, subject: actor, outcome: 'accepted' });
    return { kind: 'rotated', user, sessionId: session.id, refresh };
  });
}

interface Session {
  readonly id: string;
  readonly user_id: string;
  readonly device_id: string;
  readonly expires_at: Date;
  readonly ended_at: Date | null;
}
