import { hash, randomBytes } from 'node:crypto';
import type { SessionView } from '../face.ts';
import type { Queryable, Vault } from '../vault.ts';
import { announceEnded } from '../tokens/revocations.ts';

const DAY_MS = 24 * 3_600_000;
/** A session ends after so long, however often it is refreshed: then the password is asked for again. */
const SESSION_MS = 180 * DAY_MS;
/** And after so long without a refresh. */
const IDLE_MS = 30 * DAY_MS;
/** Live sessions of one user; the one that was not used for longest makes room. */
const SESSIONS_MAX = 20;

/** Why a session ended; kept with it. */
export type EndedWhy = 'log-out' | 'ended-by-user' | 'reuse' | 'wrong-device' | 'password-changed' | 'too-many';

export interface RefreshToken {
  readonly token: string;
  readonly expiresAt: string;
}

export interface NewSession {
  readonly sessionId: string;
  readonly refresh: RefreshToken;
  /** Sessions that made room, to be told to `Revocations` after the commit. */
  readonly ended: readonly string[];
}

/** 128 random bits. */
export function newId(): string {
  return randomBytes(16).toString('base64url');
}

/** Tokens are random and long: a plain hash is as good as a slow one, and can be looked up. */
export function refreshHashOf(token: string): Buffer {
  return hash('sha256', token, 'buffer');
}

export async function openSession(
  db: Queryable,
  { now }: Pick<Vault, 'now'>,
  { userId, deviceId }: { readonly userId: string; readonly deviceId: string },
): Promise<NewSession> {
  const at = now();
  const sessionId = newId();
  const expiresAt = new Date(at.getTime() + SESSION_MS);
  const { rows } = await db.query<{ id: string }>(
    `SELECT id FROM identity.sessions WHERE user_id = $1 AND ended_at IS NULL
     ORDER BY last_used_at DESC, id OFFSET $2`,
    [userId, SESSIONS_MAX - 1],
  );
  const ended = await endSessions(db, { now }, 'too-many', { ids: rows.map(({ id }) => id) });
  await db.query(
    `INSERT INTO identity.sessions (id, user_id, device_id, created_at, last_used_at, expires_at)
     VALUES ($1, $2, $3, $4, $4, $5)`,
    [sessionId, userId, deviceId, at, expiresAt],
  );
  return { sessionId, refresh: await issueRefreshToken(db, sessionId, at, expiresAt), ended };
}

/** The next token of a family. That there is one live token at most is a unique index of the table. */
export async function issueRefreshToken(
  db: Queryable,
  sessionId: string,
  at: Date,
  sessionExpiresAt: Date,
): Promise<RefreshToken> {
  const token = randomBytes(32).toString('base64url');
  const expiresAt = new Date(Math.min(at.getTime() + IDLE_MS, sessionExpiresAt.getTime()));
  await db.query(
    'INSERT INTO identity.refresh_tokens (hash, session_id, issued_at, expires_at) VALUES ($1, $2, $3, $4)',
    [refreshHashOf(token), sessionId, at, expiresAt],
  );
  return { token, expiresAt: expiresAt.toISOString() };
}

/**
 * Ends live sessions: these ids, or those of a user but for one.
 *
 * @returns those that were live until now. Tell `Revocations` after the commit.
 */
export async function endSessions(
  db: Queryable,
  { now }: Pick<Vault, 'now'>,
  why: EndedWhy,
  which: { readonly ids: readonly string[] } | { readonly userId: string; readonly except: string | undefined },
): Promise<string[]> {
  const { rows } =
    'ids' in which
      ? await db.query<{ id: string }>(
          `UPDATE identity.sessions SET ended_at = $1, ended_why = $2
           WHERE id = ANY ($3) AND ended_at IS NULL RETURNING id`,
          [now(), why, which.ids],
        )
      : await db.query<{ id: string }>(
          `UPDATE identity.sessions SET ended_at = $1, ended_why = $2
           WHERE user_id = $3 AND id IS DISTINCT FROM $4 AND ended_at IS NULL RETURNING id`,
          [now(), why, which.userId, which.except],
        );
  const ids = rows.map(({ id }) => id);
  if (ids.length > 0) await announceEnded(db, ids);
  return ids;
}

/** Live sessions of a user, newest first. */
export async function liveSessions(
  db: Queryable,
  { now }: Pick<Vault, 'now'>,
  userId: string,
  currentId: string | undefined,
): Promise<SessionView[]> {
  const { rows } = await db.query<
    Record<'created_at' | 'last_used_at' | 'expires_at', Date> & Record<'id' | 'device_id', string>
  >(
    `SELECT s.id, s.device_id, s.created_at, s.last_used_at, s.expires_at
     FROM identity.sessions s JOIN identity.refresh_tokens t ON t.session_id = s.id AND t.used_at IS NULL
     WHERE s.user_id = $1 AND s.ended_at IS NULL AND t.expires_at > $2
     ORDER BY s.created_at DESC, s.id`,
    [userId, now()],
  );
  return rows.map((row) => ({
    id: row.id,
    deviceId: row.device_id,
    createdAt: row.created_at.toISOString(),
    lastUsedAt: row.last_used_at.toISOString(),
    expiresAt: row.expires_at.toISOString(),
    current: row.id === currentId,
  }));
}
