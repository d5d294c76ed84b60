import type pg from 'pg';
import type { Vault } from '../vault.ts';
import { originHash } from './audit.ts';
import { inTransaction } from './transaction.ts';

/**
 * Back-off against guessing: every attempt is counted as a failure *before* the password is looked at, and taken back when
 * it was right. Counted afterwards, a thousand attempts at once would all be let in before the first of them failed.
 */
interface BackOff {
  /** So many failures cost nothing. */
  readonly free: number;
  /** Without an attempt for so long, all is forgotten. */
  readonly forgetMs: number;
}

/** After the free ones: 1 s, doubled by each further failure, up to 15 minutes. A longer one would lock out the owner. */
const FIRST_BLOCK_MS = 1_000;
const BLOCK_MS_MAX = 15 * 60_000;

const HOUR_MS = 3_600_000;
const perLogin: BackOff = { free: 5, forgetMs: 24 * HOUR_MS };
/** Many honest people share one address of a mobile network. */
const perAddress: BackOff = { free: 50, forgetMs: HOUR_MS };

/** Rows that nobody needs any more: the longest memory of all. */
export const attemptsForgottenMs = Math.max(perLogin.forgetMs, perAddress.forgetMs) + BLOCK_MS_MAX;

/** What an attempt counts for. */
export interface Attempt {
  /** Keyed hash of what is guessed at: a login, or a user's password. */
  readonly target?: string | undefined;
  readonly address?: string | undefined;
}

/**
 * Counts the attempt, unless its target or its address is blocked: then nothing is counted, and nothing must be verified.
 *
 * @returns how long it is blocked, in milliseconds; undefined where the attempt may go on
 */
export async function chargeAttempt({ pool, keyring, now }: Vault, attempt: Attempt): Promise<number | undefined> {
  const at = now();
  try {
    await inTransaction(pool, async (client) => {
      for (const { subject, backOff } of subjectsOf(keyring, attempt)) await charge(client, subject, backOff, at);
    });
    return undefined;
  } catch (error) {
    if (error instanceof Blocked) return Math.max(error.until.getTime() - at.getTime(), 1);
    throw error;
  }
}

/** The attempt was no guess: its target is as if it had never been tried, its address has one failure less. */
export async function refundAttempt(
  client: pg.ClientBase,
  { keyring }: Pick<Vault, 'keyring'>,
  { target, address }: Attempt,
): Promise<void> {
  // One of the address only: a thief with one good password of his own must not wash away a thousand bad ones.
  for (const { subject, backOff } of subjectsOf(keyring, { address })) await countBack(client, subject, backOff);
  if (target !== undefined)
    await client.query('DELETE FROM identity.attempts WHERE subject = $1', [targetSubject(target)]);
}

/** Nothing was looked at after all: it neither failed nor succeeded, and is as if it had not been. */
export async function forgetAttempt({ pool, keyring }: Vault, attempt: Attempt): Promise<void> {
  await inTransaction(pool, async (client) => {
    for (const { subject, backOff } of subjectsOf(keyring, attempt)) await countBack(client, subject, backOff);
  });
}

async function countBack(client: pg.ClientBase, subject: string, { free }: BackOff): Promise<void> {
  await client.query(
    `UPDATE identity.attempts
     SET failures = greatest(failures - 1, 0),
         blocked_until = CASE WHEN failures - 1 < $2::integer THEN NULL ELSE blocked_until END
     WHERE subject = $1`,
    [subject, free],
  );
}

function targetSubject(target: string): string {
  return `t:${target}`;
}

class Blocked extends Error {
  readonly until: Date;
  constructor(until: Date) {
    super('blocked');
    this.until = until;
  }
}

function subjectsOf(keyring: Vault['keyring'], { target, address }: Attempt): { subject: string; backOff: BackOff }[] {
  // Addresses first, always: two attempts that lock the same two rows do it in the same order.
  return [
    ...(address === undefined ? [] : [{ subject: `a:${originHash(keyring, address)}`, backOff: perAddress }]),
    ...(target === undefined ? [] : [{ subject: targetSubject(target), backOff: perLogin }]),
  ];
}

async function charge(client: pg.ClientBase, subject: string, { free, forgetMs }: BackOff, at: Date): Promise<void> {
  const forgottenBefore = new Date(at.getTime() - forgetMs);
  // The row is locked by the conflict, so attempts at once are counted one after the other.
  const { rowCount } = await client.query(
    `INSERT INTO identity.attempts AS known (subject, failures, last_at) VALUES ($1, 1, $2)
     ON CONFLICT (subject) DO UPDATE SET
       failures = CASE WHEN known.last_at < $3 THEN 1 ELSE known.failures + 1 END,
       last_at = $2,
       blocked_until = CASE
         WHEN known.last_at < $3 OR known.failures + 1 < $4::integer THEN NULL
         ELSE $2::timestamptz + least($6::float8, $5::float8 * 2 ^ least(known.failures + 1 - $4::integer, 30)) * interval '1 millisecond'
       END
     WHERE known.blocked_until IS NULL OR known.blocked_until <= $2`,
    [subject, at, forgottenBefore, free, FIRST_BLOCK_MS, BLOCK_MS_MAX],
  );
  if (rowCount === 1) return;
  const { rows } = await client.query<{ blocked_until: Date }>(
    'SELECT blocked_until FROM identity.attempts WHERE subject = $1',
    [subject],
  );
  throw new Blocked(rows[0]?.blocked_until ?? at);
}
