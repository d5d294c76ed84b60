import type { Vault } from './vault.ts';
import { attemptsForgottenMs } from './postgres/attempts.ts';

const DAY_MS = 24 * 3_600_000;

/** How long what is over is kept: sessions so that a late reuse is still known as one. */
const keptMs = { sessions: 30 * DAY_MS, signingKeys: DAY_MS };

/** Longer than any access token lives, and than the overlap of a poll. */
const REVOCATIONS_KEPT = '20 minutes';

/** Deletes what has no meaning any more. Several processes may do it at once. The journal is kept for ever. */
export async function clearUp({ pool, now }: Pick<Vault, 'pool' | 'now'>): Promise<void> {
  const before = (ms: number): Date => new Date(now().getTime() - ms);
  await pool.query(`DELETE FROM identity.revocations WHERE at < clock_timestamp() - interval '${REVOCATIONS_KEPT}'`);
  await pool.query('DELETE FROM identity.nonces WHERE keep_until < $1', [now()]);
  await pool.query('DELETE FROM identity.attempts WHERE last_at < $1', [before(attemptsForgottenMs)]);
  await pool.query('DELETE FROM identity.signing_keys WHERE verifies_until < $1', [before(keptMs.signingKeys)]);
  await pool.query('DELETE FROM identity.sessions WHERE least(expires_at, ended_at) < $1', [before(keptMs.sessions)]);
}
