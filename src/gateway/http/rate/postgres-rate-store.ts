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
  readonly hits: number;
}

/** What this process knows of a window. */
interface Known {
  readonly windowMs: number;
  /** By `performance.now()`. */
  endsAt: number;
  /** Hits of all processes, when it was last asked. */
  total: number;
  /** Hits here that the store has not heard of. */
  unsent: number;
}

/** Limits below this are small enough to be counted one by one. */
const exactBelow = 1_000;
/** How long hits far from the limit are only counted here. */
const sendMs = 200;
/** Windows that are counted here at a time; the others are counted in the store. */
const knownMax = 10_000;

/**
 * Counts calls in Postgres, for all processes together. What comes in one turn is counted in one statement. Whoever is
 * not yet halfway to a large limit is counted here, and the store hears of it five times a second: a statement per call
 * would cost as much as the payment that the call makes. From halfway on, and for small limits, every call asks.
 */
export class PostgresRateStore {
  readonly #pool: pg.Pool;
  readonly #hits: Batcher<Hit, Hits>;
  readonly #sweeper: NodeJS.Timeout;
  readonly #known = new Map<string, Known>();
  #sending: NodeJS.Timeout | undefined;

  constructor(pool: pg.Pool, sweepMs = 60_000) {
    this.#pool = pool;
    this.#hits = new Batcher((hits) => this.#count(hits));
    this.#sweeper = setInterval(() => void this.#sweep(), sweepMs).unref();
  }

  /** @param max the limit that the answer is compared with */
  async hit(key: string, windowMs: number, max: number): Promise<Hits> {
    const known = this.#known.get(key);
    const now = performance.now();
    if (known !== undefined && max >= exactBelow && now < known.endsAt) {
      const current = known.total + known.unsent + 1;
      if (current < max / 2) {
        known.unsent += 1;
        this.#sending ??= setTimeout(() => void this.#send(), sendMs).unref();
        return { current, ttl: Math.round(known.endsAt - now) };
      }
    }
    return this.#ask(key, windowMs, 1);
  }

  async close(): Promise<void> {
    clearInterval(this.#sweeper);
    clearTimeout(this.#sending);
    await this.#send();
    await this.#hits.idle();
  }

  /** Counts hits in the store, those that it has not heard of included. */
  async #ask(key: string, windowMs: number, hits: number): Promise<Hits> {
    const known = this.#known.get(key);
    const unsent = known?.unsent ?? 0;
    if (known !== undefined) known.unsent = 0;
    const counted = await this.#hits.ask({ key, windowMs, hits: hits + unsent });
    const endsAt = performance.now() + counted.ttl;
    if (known !== undefined) {
      known.total = counted.current;
      known.endsAt = endsAt;
    } else if (this.#known.size < knownMax) {
      this.#known.set(key, { windowMs, endsAt, total: counted.current, unsent: 0 });
    }
    return counted;
  }

  /** Tells the store what was only counted here. What it does not take is lost: the limits protect, they decide nothing. */
  async #send(): Promise<void> {
    this.#sending = undefined;
    const now = performance.now();
    const sent: Promise<unknown>[] = [];
    for (const [key, { unsent, windowMs, endsAt }] of this.#known) {
      if (endsAt <= now) this.#known.delete(key);
      else if (unsent > 0) sent.push(this.#ask(key, windowMs, 0));
    }
    await Promise.allSettled(sent);
  }

  async #count(hits: readonly Hit[]): Promise<Hits[]> {
    // A statement may touch a row once: who called twice is counted by two.
    const windows = new Map<string, { hits: number; windowMs: number }>();
    const upTo: number[] = [];
    for (const { key, windowMs, hits: more } of hits) {
      const counted = (windows.get(key)?.hits ?? 0) + more;
      windows.set(key, { hits: counted, windowMs });
      upTo.push(counted);
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
      return { current: total - inBatch + (upTo[index] ?? 0), ttl: Math.max(0, Math.round(ttl)) };
    });
  }

  async #sweep(): Promise<void> {
    const old = `delete from gateway.rate_counters where ends_at < now() - interval '1 minute'`;
    // What stays is counted anew when it is met, and is deleted by the next sweep.
    await this.#pool.query(old).catch(() => undefined);
  }
}
