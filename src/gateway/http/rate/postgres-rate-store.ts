import type pg from 'pg';
import { Batcher } from '../batcher.ts';

/** How often somebody has called in the window that is running, and how long it still runs. */
export interface Hits {
  readonly current: number;
  /** Milliseconds. */
  readonly ttl: number;
}

interface Hit {
  readonly key: string;
  readonly windowMs: number;
}

/** Counts calls in Postgres, for all processes together. What comes in one turn is counted in one statement. */
export class PostgresRateStore {
  readonly #pool: pg.Pool;
  readonly #hits: Batcher<Hit, Hits>;
  readonly #sweeper: NodeJS.Timeout;

  constructor(pool: pg.Pool, sweepMs = 60_000) {
    this.#pool = pool;
    this.#hits = new Batcher((hits) => this.#count(hits));
    this.#sweeper = setInterval(() => void this.#sweep(), sweepMs).unref();
  }

  hit(key: string, windowMs: number): Promise<Hits> {
    return this.#hits.ask({ key, windowMs });
  }

  async close(): Promise<void> {
    clearInterval(this.#sweeper);
    await this.#hits.idle();
  }

  async #count(hits: readonly Hit[]): Promise<Hits[]> {
    // A statement may touch a row once: who called twice is counted by two.
    const windows = new Map<string, { hits: number; windowMs: number }>();
    const before: number[] = [];
    for (const { key, windowMs } of hits) {
      const counted = windows.get(key)?.hits ?? 0;
      windows.set(key, { hits: counted + 1, windowMs });
      before.push(counted);
    }
    // In one order, so that processes wait for each other in a line.
    const keys = [...windows.keys()].sort();
    const { rows } = await this.#pool.query<{ key: string; hits: string; ttl: number }>({
      name: 'gateway.count-hits',
      text: `
        insert into gateway.rate_counters as c (key, hits, ends_at)
        select key, hits, now() + window_ms * interval '1 ms'
        from unnest($1::text[], $2::bigint[], $3::float8[]) as h (key, hits, window_ms)
        on conflict (key) do update set
          hits = case when c.ends_at <= now() then excluded.hits else c.hits + excluded.hits end,
          ends_at = case when c.ends_at <= now() then excluded.ends_at else c.ends_at end
        returning key, hits, extract(epoch from ends_at - now())::float8 * 1000 as ttl`,
      values: [keys, keys.map((key) => windows.get(key)?.hits), keys.map((key) => windows.get(key)?.windowMs)],
    });
    const found = new Map(rows.map(({ key, hits: total, ttl }) => [key, { total: Number(total), ttl }]));
    return hits.map(({ key, windowMs }, index) => {
      const { total, ttl } = found.get(key) ?? { total: 0, ttl: windowMs };
      const inBatch = windows.get(key)?.hits ?? 1;
      return { current: total - inBatch + (before[index] ?? 0) + 1, ttl: Math.max(0, Math.round(ttl)) };
    });
  }

  async #sweep(): Promise<void> {
    const old = `delete from gateway.rate_counters where ends_at < now() - interval '1 minute'`;
    // What stays is counted anew when it is met, and is deleted by the next sweep.
    await this.#pool.query(old).catch(() => undefined);
  }
}
