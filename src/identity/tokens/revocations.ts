import type { Queryable, Vault } from '../vault.ts';

/** How good an access token still is, whatever its signature says. */
export type Standing = 'good' | 'ended' | 'roles-changed';

interface RevocationRow {
  readonly asked_at: Date;
  readonly session_id: string | null;
  readonly user_id: string | null;
  readonly roles_version: number | null;
}

/** A transaction that wrote a revocation may become visible later than one that began after it; never so much later. */
const OVERLAP_MS = 60_000;
/** Without an answer for so long, what is remembered is too old to go by: the database is asked for each token. */
const STALE_MS = 5_000;
/** No access token lives longer (10 minutes); then its revocation need not be remembered either. */
const REMEMBERED_MS = 15 * 60_000;

/**
 * What ended access tokens before their time: of this process at once, of others within a poll. Every request is checked
 * against memory only, as long as the poll is answered.
 */
export class Revocations {
  readonly #vault: Pick<Vault, 'pool' | 'now'>;
  /** Session → when it may be forgotten. */
  readonly #ended = new Map<string, number>();
  readonly #roles = new Map<string, { readonly version: number; readonly untilMs: number }>();
  #since: Date | undefined;
  #answeredAtMs = -Infinity;

  constructor(vault: Pick<Vault, 'pool' | 'now'>) {
    this.#vault = vault;
  }

  /** Told at once what this process does. */
  sessionEnded(sessionId: string): void {
    this.#ended.set(sessionId, this.#now() + REMEMBERED_MS);
  }

  rolesChanged(userId: string, version: number): void {
    const known = this.#roles.get(userId);
    // What another process did comes late, and must not bring an older version back.
    if (known === undefined || known.version <= version) {
      this.#roles.set(userId, { version, untilMs: this.#now() + REMEMBERED_MS });
    }
  }

  /** Asks what other processes did. */
  async poll(): Promise<void> {
    const askedAtMs = this.#now();
    const { rows } = await this.#vault.pool.query<RevocationRow>(
      `SELECT asked.asked_at, r.session_id, r.user_id, r.roles_version
       FROM (SELECT clock_timestamp() AS asked_at) asked
       LEFT JOIN identity.revocations r ON r.at > $1::timestamptz`,
      [this.#since ?? '-infinity'],
    );
    for (const { session_id, user_id, roles_version } of rows) {
      if (session_id !== null) this.sessionEnded(session_id);
      if (user_id !== null && roles_version !== null) this.rolesChanged(user_id, roles_version);
    }
    const askedAt = rows[0]?.asked_at;
    if (askedAt !== undefined) this.#since = new Date(askedAt.getTime() - OVERLAP_MS);
    this.#answeredAtMs = askedAtMs;
    this.#forget();
  }

  /** @throws when the poll is not answered, and the database does not answer here either */
  async standing(token: {
    readonly sessionId: string;
    readonly userId: string;
    readonly rolesVersion: number;
  }): Promise<Standing> {
    const { sessionId, userId, rolesVersion } = token;
    if (this.#ended.has(sessionId)) return 'ended';
    if ((this.#roles.get(userId)?.version ?? 0) > rolesVersion) return 'roles-changed';
    if (this.#now() - this.#answeredAtMs <= STALE_MS) return 'good';
    const { rows } = await this.#vault.pool.query<{ ended: boolean; version: number }>(
      `SELECT s.ended_at IS NOT NULL AS ended, u.roles_version AS version
       FROM identity.sessions s JOIN identity.users u ON u.id = s.user_id WHERE s.id = $1`,
      [sessionId],
    );
    const [row] = rows;
    if (row === undefined || row.ended) return 'ended';
    return row.version > rolesVersion ? 'roles-changed' : 'good';
  }

  #now(): number {
    return this.#vault.now().getTime();
  }

  #forget(): void {
    const now = this.#now();
    for (const [session, untilMs] of this.#ended) if (untilMs <= now) this.#ended.delete(session);
    for (const [user, { untilMs }] of this.#roles) if (untilMs <= now) this.#roles.delete(user);
  }
}

/** For other processes, in the transaction that ends the session. */
export async function announceEnded(db: Queryable, sessionIds: readonly string[]): Promise<void> {
  await db.query('INSERT INTO identity.revocations (session_id) SELECT unnest($1::text[])', [sessionIds]);
}

export async function announceRoles(db: Queryable, userId: string, rolesVersion: number): Promise<void> {
  await db.query('INSERT INTO identity.revocations (user_id, roles_version) VALUES ($1, $2)', [userId, rolesVersion]);
}
