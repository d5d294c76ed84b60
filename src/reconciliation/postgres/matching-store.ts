import type pg from 'pg';
import {
  type Counts,
  type Day,
  dateOf,
  type Decision,
  type Examined,
  type Fed,
  type Key,
  type MatchingStore,
  type MatchingTransaction,
  type StoredExpectation,
  type StoredLine,
  type StoredMatch,
  type WeakRange,
} from '../matching/index.ts';
import { takeIn } from './feed.ts';
import {
  expectationColumns,
  expectationOf,
  type ExpectationRow,
  lineColumns,
  lineOf,
  type LineRow,
  matchColumns,
  matchOf,
  type MatchRow,
} from './rows.ts';
import { inTransaction } from './transaction.ts';
import { writeChanges } from './write-changes.ts';

/** The migrations of this store, for `migrate`. The run's log wants those of the event store as well. */
export const reconciliationMigrations = {
  module: 'reconciliation',
  folder: new URL('migrations/', import.meta.url),
};

/** The store of matching in PostgreSQL: few statements a batch, each for all of it. */
export class PostgresMatchingStore implements MatchingStore {
  readonly #pool: pg.Pool;

  constructor(pool: pg.Pool) {
    this.#pool = pool;
  }

  put(fed: Fed): Promise<'written' | 'elsewhere'> {
    return inTransaction(this.#pool, async (client) => ((await takeIn(client, fed)) ? 'written' : 'elsewhere'));
  }

  async cursorOf(feed: string): Promise<number> {
    const { rows } = await this.#pool.query<{ position: string }>(
      'select position from reconciliation.cursors where feed = $1',
      [feed],
    );
    return Number(rows[0]?.position ?? 0);
  }

  transact<Result>(work: (tx: MatchingTransaction) => Promise<Result>): Promise<Result> {
    return inTransaction(this.#pool, (client) => work(new Transaction(client)));
  }

  reexamine(): Promise<void> {
    return inTransaction(this.#pool, async (client) => {
      await client.query(`update reconciliation.lines set waiting = true where state not in ('MATCHED', 'KNOWN')`);
      await client.query(`update reconciliation.expectations set waiting = true where state <> 'MATCHED'`);
    });
  }

  async batchesOf(runId: string, after: number): Promise<{ number: number; counts: Counts }[]> {
    const { rows } = await this.#pool.query<{ number: number; counts: Counts }>(
      'select number, counts from reconciliation.batches where run_id = $1 and number > $2 order by number',
      [runId, after],
    );
    return rows;
  }
}

class Transaction implements MatchingTransaction {
  readonly #client: pg.PoolClient;

  constructor(client: pg.PoolClient) {
    this.#client = client;
  }

  async due(today: Day, limit: number): Promise<Examined> {
    const lines = await this.#lines('where waiting order by number limit $1', [limit]);
    const left = limit - lines.length;
    const expectations = left > 0 ? await this.#expectations('where waiting order by number limit $1', [left]) : [];
    const room = left - expectations.length;
    if (room === 0) return { lines, expectations };
    const overdue = 'where due <= $1 and not waiting order by due, number limit $2';
    const late = await this.#lines(overdue, [dateOf(today), room]);
    const missed = room > late.length ? await this.#expectations(overdue, [dateOf(today), room - late.length]) : [];
    return { lines: [...lines, ...late], expectations: [...expectations, ...missed] };
  }

  async linesById(ids: readonly string[]): Promise<StoredLine[]> {
    return ids.length === 0 ? [] : this.#lines('where id = any($1)', [ids]);
  }

  async expectationsById(ids: readonly string[]): Promise<StoredExpectation[]> {
    return ids.length === 0 ? [] : this.#expectations('where id = any($1)', [ids]);
  }

  lineIdsByKey(keys: readonly Key[]): Promise<string[]> {
    return this.#idsByKey('line_keys k join reconciliation.lines o on o.number = k.line', keys);
  }

  groupLineIdsByKey(keys: readonly Key[]): Promise<string[]> {
    return this.#idsByKey(
      'line_keys k join reconciliation.lines o on o.number = k.line and o.examined and not o.waiting and not o.direct',
      keys,
    );
  }

  expectationIdsByKey(keys: readonly Key[]): Promise<string[]> {
    return this.#idsByKey('expectation_keys k join reconciliation.expectations o on o.number = k.expectation', keys);
  }

  async weakOnes(ranges: readonly WeakRange[]): Promise<Examined> {
    const values = [
      ranges.map(({ key }) => key),
      ranges.map(({ from }) => dateOf(from)),
      ranges.map(({ to }) => dateOf(to)),
    ];
    const within = (date: string): string =>
      `join unnest($1::bigint[], $2::date[], $3::date[]) as r (key, first, last)
        on weak_key = r.key and ${date} between r.first and r.last where not agreed`;
    const lines = await this.#lines(`${within('value_date')} and not held`, values);
    return { lines, expectations: await this.#expectations(within('date'), values) };
  }

  async decisionsOn(lineIds: readonly string[], expectationIds: readonly string[]): Promise<Decision[]> {
    const { rows } = await this.#client.query<DecisionRow>(
      `select * from reconciliation.decisions where not revoked and line_ids && $1
        union select * from reconciliation.decisions where not revoked and expectation_ids && $2`,
      [lineIds, expectationIds],
    );
    return rows.map(({ id, kind, line_ids, expectation_ids, decided_by, decided_at, revoked }) => ({
      id,
      kind,
      lineIds: line_ids,
      expectationIds: expectation_ids,
      by: decided_by,
      at: decided_at,
      revoked,
    }));
  }

  async matchesById(ids: readonly number[]): Promise<StoredMatch[]> {
    const { rows } = await this.#client.query<MatchRow>(
      `select ${matchColumns} from reconciliation.matches where id = any($1::bigint[])`,
      [ids],
    );
    return rows.map(matchOf);
  }

  async lastMatchId(): Promise<number> {
    const { rows } = await this.#client.query<{ last: string }>(
      'select coalesce(max(id), 0) as last from reconciliation.matches',
    );
    return Number(rows[0]?.last);
  }

  write(...[changes, run]: Parameters<MatchingTransaction['write']>): Promise<void> {
    return writeChanges(this.#client, changes, run.id);
  }

  async recordBatch(runId: string, number: number, counts: Counts): Promise<void> {
    await this.#client.query('insert into reconciliation.batches values ($1, $2, $3)', [runId, number, counts]);
  }

  async #lines(where: string, values: readonly unknown[]): Promise<StoredLine[]> {
    const text = `select ${lineColumns} from reconciliation.lines ${where}`;
    const { rows } = await this.#client.query<LineRow>(text, [...values]);
    return rows.map(lineOf);
  }

  async #expectations(where: string, values: readonly unknown[]): Promise<StoredExpectation[]> {
    const text = `select ${expectationColumns} from reconciliation.expectations ${where}`;
    const { rows } = await this.#client.query<ExpectationRow>(text, [...values]);
    return rows.map(expectationOf);
  }

  async #idsByKey(from: string, keys: readonly Key[]): Promise<string[]> {
    if (keys.length === 0) return [];
    const { rows } = await this.#client.query<{ id: string }>(
      `select distinct o.id from reconciliation.${from} where k.key = any($1::bigint[])`,
      [keys],
    );
    return rows.map(({ id }) => id);
  }
}

interface DecisionRow {
  readonly id: string;
  readonly kind: Decision['kind'];
  readonly line_ids: string[];
  readonly expectation_ids: string[];
  readonly decided_by: string;
  readonly decided_at: string;
  readonly revoked: boolean;
}
