import type pg from 'pg';
import type { NonceStore } from '../kind.ts';

/** How often what has run out is deleted. */
const sweepMs = 60_000;

/** Nonces of callbacks, for all processes on the database. */
export class PostgresNonces implements NonceStore {
  readonly #pool: pg.Pool;
  #sweptAt = 0;

  constructor(pool: pg.Pool) {
    this.#pool = pool;
  }

  async claim(scope: string, nonce: string, until: Date): Promise<boolean> {
    this.#sweep();
    const { rowCount } = await this.#pool.query({
      name: 'providers.claim-nonce',
      // Whoever is second finds it: a nonce that has run out is claimed anew, its callback is refused as stale before.
      text: `insert into providers.callback_nonces (scope, nonce, until) values ($1, $2, $3)
        on conflict (scope, nonce) do nothing`,
      values: [scope, nonce, until],
    });
    return rowCount === 1;
  }

  #sweep(): void {
    const now = performance.now();
    if (now - this.#sweptAt < sweepMs) return;
    this.#sweptAt = now;
    this.#pool.query('delete from providers.callback_nonces where until < now()').catch(() => undefined);
  }
}
