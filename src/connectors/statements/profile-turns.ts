import { setTimeout as sleep } from 'node:timers/promises';
import type pg from 'pg';

/** How often a profile that another process imports for is asked for again. */
const retryMs = 100;

/**
 * Files of one bank profile are imported one after the other, in all processes: which one of those that are alike a line is,
 * depends on what was there before. In this process by a queue, so that waiting costs no connection; among processes by a
 * lock of the connection that imports, which ends with it.
 */
export class ProfileTurns {
  readonly #pool: pg.Pool;
  readonly #turns = new Map<string, Promise<unknown>>();
  readonly #stop = new AbortController();

  constructor(pool: pg.Pool) {
    this.#pool = pool;
  }

  inTurn<Result>(profile: string, work: (client: pg.PoolClient) => Promise<Result>): Promise<Result> {
    const before = this.#turns.get(profile) ?? Promise.resolve();
    const turn = before.then(() => this.#locked(profile, work));
    const ended = turn.then(nothing, nothing).then(() => {
      if (this.#turns.get(profile) === ended) this.#turns.delete(profile);
    });
    this.#turns.set(profile, ended);
    return turn;
  }

  /** Nobody waits for a lock any more; resolves when nothing is at work. */
  async close(): Promise<void> {
    this.#stop.abort();
    await Promise.all(this.#turns.values());
  }

  async #locked<Result>(profile: string, work: (client: pg.PoolClient) => Promise<Result>): Promise<Result> {
    const key = `providers.statements/${profile}`;
    for (;;) {
      this.#stop.signal.throwIfAborted();
      const client = await this.#pool.connect();
      let broken: Error | undefined;
      try {
        const { rows } = await client.query<{ got: boolean }>(
          'select pg_try_advisory_lock(hashtextextended($1, 0)) as got',
          [key],
        );
        if (rows[0]?.got === true) {
          try {
            return await work(client);
          } finally {
            await client.query('select pg_advisory_unlock(hashtextextended($1, 0))', [key]).catch((error: unknown) => {
              // A connection that may still hold the lock is not given back.
              broken = error instanceof Error ? error : new Error('not unlocked');
            });
          }
        }
      } finally {
        client.release(broken);
      }
      await sleep(retryMs, undefined, { signal: this.#stop.signal });
    }
  }
}

function nothing(): void {
  // Somebody else waits for the outcome.
}
