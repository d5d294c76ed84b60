import type pg from 'pg';
import type { ConnectorCall, ConnectorObserver } from '../observing.ts';

export interface CallLogOptions {
  readonly pool: pg.Pool;
  /** Days that are kept, today among them. Default 30. */
  readonly keepDays?: number;
  /** Rows gather so long before they are written. Default 200 ms. */
  readonly lingerMs?: number;
  readonly onTrouble?: (error: unknown, what: string) => void;
}

interface Row extends ConnectorCall {
  readonly at: Date;
}

/** Rows that wait at most: beyond it the oldest are given up, because a database that is away must not fill the memory. */
const waitingMax = 50_000;
const HOUR_MS = 3_600_000;

/** The journal of calls, `bank_connector_logs`: written in batches behind the calls, a day to a partition. */
export class CallLog implements ConnectorObserver {
  readonly #options: CallLogOptions;
  readonly #upkeep: NodeJS.Timeout;
  #waiting: Row[] = [];
  #lost = 0;
  #timer: NodeJS.Timeout | undefined;
  #writing: Promise<void> = Promise.resolve();
  #closed = false;

  constructor(options: CallLogOptions) {
    this.#options = options;
    this.#upkeep = setInterval(() => void this.maintain(), HOUR_MS).unref();
  }

  called(call: ConnectorCall): void {
    if (this.#closed) return;
    this.#waiting.push({ ...call, at: new Date() });
    if (this.#waiting.length > waitingMax) {
      this.#waiting.shift();
      this.#lost += 1;
    }
    this.#timer ??= setTimeout(() => this.#flush(), this.#options.lingerMs ?? 200);
  }

  /** Makes the partitions of today and tomorrow, and drops those that are too old. Any process may, at any time. */
  async maintain(): Promise<void> {
    const { pool, keepDays = 30, onTrouble } = this.#options;
    try {
      await makePartition(pool, 0);
      await makePartition(pool, 1);
      await dropBefore(pool, keepDays);
    } catch (error) {
      onTrouble?.(error, 'the partitions of bank_connector_logs are not kept');
    }
  }

  /** Writes what waits. */
  async close(): Promise<void> {
    this.#closed = true;
    clearInterval(this.#upkeep);
    clearTimeout(this.#timer);
    this.#flush();
    await this.#writing;
  }

  #flush(): void {
    this.#timer = undefined;
    const rows = this.#waiting;
    this.#waiting = [];
    if (rows.length === 0) return;
    this.#writing = this.#writing.then(() => this.#write(rows));
  }

  async #write(rows: readonly Row[]): Promise<void> {
    const { pool, onTrouble } = this.#options;
    try {
      await pool.query({
        name: 'providers.log-calls',
        text: `insert into providers.bank_connector_logs
            (connector_id, operation, trace_id, status, duration_ms, created_at, provider_ref, payout_slice_id, reason)
          select * from unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::float8[], $6::timestamptz[],
            $7::text[], $8::text[], $9::text[])`,
        values: [
          rows.map((row) => row.connector_id),
          rows.map((row) => row.operation),
          rows.map((row) => row.trace_id),
          rows.map((row) => row.status),
          rows.map((row) => row.duration_ms),
          rows.map((row) => row.at),
          rows.map((row) => row.provider_ref ?? null),
          rows.map((row) => row.payout_slice_id ?? null),
          rows.map((row) => row.reason ?? null),
        ],
      });
      if (this.#lost > 0) onTrouble?.(new Error(`${this.#lost} calls are not in the journal`), 'calls were not logged');
      this.#lost = 0;
    } catch (error) {
      // The truth of a payment is in the log. This is a journal of calls: what it loses is said, and nothing waits for it.
      onTrouble?.(error, `${rows.length} calls are not in bank_connector_logs`);
    }
  }
}

/** @param ahead days from today, in UTC */
async function makePartition(pool: pg.Pool, ahead: number): Promise<void> {
  const day = new Date(Date.now() + ahead * 24 * HOUR_MS).toISOString().slice(0, 10);
  const next = new Date(Date.parse(day) + 24 * HOUR_MS).toISOString().slice(0, 10);
  const name = `bank_connector_logs_${day.replaceAll('-', '')}`;
  const { rows } = await pool.query(`select to_regclass($1) as there`, [`providers.${name}`]);
  if ((rows as { there: string | null }[])[0]?.there !== null) return;
  const client = await pool.connect();
  try {
    await client.query('begin');
    // Rows that came before their partition are in the default one, and have to leave it first.
    await client.query(`select pg_advisory_xact_lock(hashtext('providers.bank_connector_logs'))`);
    await client.query(
      `create table if not exists providers.${name} (like providers.bank_connector_logs including defaults including constraints)`,
    );
    const range = `created_at >= '${day}T00:00:00Z' and created_at < '${next}T00:00:00Z'`;
    await client.query(
      `with moved as (delete from providers.bank_connector_logs_other where ${range} returning *)
       insert into providers.${name} select * from moved`,
    );
    await client.query(
      `alter table providers.bank_connector_logs attach partition providers.${name}
         for values from ('${day}T00:00:00Z') to ('${next}T00:00:00Z')`,
    );
    await client.query('commit');
  } catch (error) {
    await client.query('rollback').catch(() => undefined);
    throw error;
  } finally {
    client.release();
  }
}

async function dropBefore(pool: pg.Pool, keepDays: number): Promise<void> {
  const first = new Date(Date.now() - (keepDays - 1) * 24 * HOUR_MS).toISOString().slice(0, 10).replaceAll('-', '');
  const { rows } = await pool.query<{ name: string }>(
    `select c.relname as name from pg_inherits i join pg_class c on c.oid = i.inhrelid
     where i.inhparent = 'providers.bank_connector_logs'::regclass and c.relname ~ '^bank_connector_logs_[0-9]{8}$'`,
  );
  for (const { name } of rows) {
    if (name.slice(-8) < first) await pool.query(`drop table if exists providers.${name}`);
  }
}
