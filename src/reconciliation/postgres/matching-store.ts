import type pg from 'pg';
import { int4Array, int8Array } from '../../../eventstore/postgres/binary-array.ts';
import {
  type Counts,
  type Day,
  dateOf,
  type Decision,
  type Examined,
  type Fed,
  type Key,
  type LookedAt,
  type MatchingReader,
  type MatchingRules,
  type MatchingStore,
  type MatchingTransaction,
  type StoredExpectation,
  type StoredLine,
  type StoredMatch,
  type WeakRange,
} from '../matching/index.ts';
import { takeIn } from './feed.ts';
import {
  arrayText,
  expectationOf,
  type ExpectationRow,
  expectationTables,
  lineOf,
  type LineRow,
  lineTables,
  matchColumns,
  matchOf,
  type MatchRow,
  selectExpectations,
  selectLines,
} from './rows.ts';
import { checkRulesUsed, noteRulesUsed } from './rules-used.ts';
import { inReading, inTransaction, lockToAmend } from './transaction.ts';
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
    return inTransaction(this.#pool, 'feeding', async (client) =>
      (await takeIn(client, fed)) ? 'written' : 'elsewhere',
    );
  }

  async cursorOf(feed: string): Promise<number> {
    const { rows } = await this.#pool.query<{ position: string }>(
      'select position from reconciliation.cursors where feed = $1',
      [feed],
    );
    return Number(rows[0]?.position ?? 0);
  }

  async look<Result>(work: (reader: MatchingReader) => Promise<Result>): Promise<Result> {
    return inReading(this.#pool, (client) => work(new Reader(client)));
  }

  transact<Result>(work: (tx: MatchingTransaction) => Promise<Result>): Promise<Result> {
    return inTransaction(this.#pool, 'matching', (client) => work(new Transaction(client)));
  }

  useRules(rules: Pick<MatchingRules, 'version' | 'fingerprint'>): Promise<boolean> {
    return inTransaction(this.#pool, 'matching', async (client) => {
      const before = await checkRulesUsed(client, rules);
      if (before === rules.version) return false;
      await noteRulesUsed(client, rules);
      await lockToAmend(client);
      await client.query(
        `update reconciliation.line_states set due = '-infinity' where state not in ('MATCHED', 'KNOWN')`,
      );
      await client.query(`update reconciliation.expectation_states set due = '-infinity' where state <> 'MATCHED'`);
      return before !== undefined;
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

class Reader implements MatchingReader {
  readonly #client: pg.PoolClient;

  constructor(client: pg.PoolClient) {
    this.#client = client;
  }

  async amendments(): Promise<number> {
    const { rows } = await this.#client.query<{ number: string }>('select number from reconciliation.amendments');
    return Number(rows[0]?.number);
  }

  async due(today: Day, limit: number): Promise<Examined> {
    const fresh = await this.fresh(limit, {});
    let room = limit - fresh.lines.length - fresh.expectations.length;
    if (room === 0) return fresh;
    const again = (side: Side): string => `where s.due <= $1 order by s.due, s.${side} limit $2`;
    const lines = await this.#lines(again('line'), [dateOf(today), room]);
    room -= lines.length;
    const expectations = room === 0 ? [] : await this.#expectations(again('expectation'), [dateOf(today), room]);
    return { lines: [...fresh.lines, ...lines], expectations: [...fresh.expectations, ...expectations] };
  }

  async fresh(limit: number, after: LookedAt): Promise<Examined> {
    const which = (side: Side): string =>
      `where o.number > greatest($1, (select up_to from reconciliation.looked_at where side = '${side}'))
        and s.${side} is null order by o.number limit $2`;
    const lines = await this.#lines(which('line'), [after.line ?? 0, limit]);
    const room = limit - lines.length;
    if (room === 0) return { lines, expectations: [] };
    return { lines, expectations: await this.#expectations(which('expectation'), [after.expectation ?? 0, room]) };
  }

  async linesById(ids: readonly string[]): Promise<StoredLine[]> {
    return ids.length === 0 ? [] : this.#lines('where o.id = any($1)', [arrayText(ids)]);
  }

  async expectationsById(ids: readonly string[]): Promise<StoredExpectation[]> {
    return ids.length === 0 ? [] : this.#expectations('where o.id = any($1)', [arrayText(ids)]);
  }

  async linesByNumber(numbers: readonly number[]): Promise<StoredLine[]> {
    return numbers.length === 0 ? [] : this.#lines('where o.number = any($1)', [int8Array(numbers)]);
  }

  async expectationsByNumber(numbers: readonly number[]): Promise<StoredExpectation[]> {
    return numbers.length === 0 ? [] : this.#expectations('where o.number = any($1)', [int8Array(numbers)]);
  }

  linesByKey(keys: readonly Key[]): Promise<number[]> {
    return this.#numbersByKey('line as number from reconciliation.line_keys', keys);
  }

  groupLinesByKey(keys: readonly Key[]): Promise<number[]> {
    const examined = `s.line = k.line and s.due is distinct from '-infinity' and not s.direct`;
    const joined = `reconciliation.line_keys k join reconciliation.line_states s on ${examined}`;
    return this.#numbersByKey(`k.line as number from ${joined}`, keys);
  }

  expectationsByKey(keys: readonly Key[]): Promise<number[]> {
    return this.#numbersByKey('expectation as number from reconciliation.expectation_keys', keys);
  }

  weakLines(ranges: readonly WeakRange[]): Promise<number[]> {
    return this.#numbers(
      `select o.number from ${lineTables} ${within('value_date')} and not held`,
      rangeValues(ranges),
    );
  }

  weakExpectations(ranges: readonly WeakRange[]): Promise<number[]> {
    return this.#numbers(`select o.number from ${expectationTables} ${within('date')}`, rangeValues(ranges));
  }

  async decisionsOn(lineIds: readonly string[], expectationIds: readonly string[]): Promise<Decision[]> {
    const { rows } = await this.#client.query<DecisionRow>(
      `select * from reconciliation.decisions where not revoked and line_ids && $1
        union select * from reconciliation.decisions where not revoked and expectation_ids && $2`,
      [arrayText(lineIds), arrayText(expectationIds)],
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
      `select ${matchColumns} from reconciliation.matches where id = any($1)`,
      [int8Array(ids)],
    );
    return rows.map(matchOf);
  }

  async #lines(where: string, values: readonly unknown[]): Promise<StoredLine[]> {
    const { rows } = await this.#client.query<LineRow>(`${selectLines} ${where}`, [...values]);
    return rows.map(lineOf);
  }

  async #expectations(where: string, values: readonly unknown[]): Promise<StoredExpectation[]> {
    const { rows } = await this.#client.query<ExpectationRow>(`${selectExpectations} ${where}`, [...values]);
    return rows.map(expectationOf);
  }

  async #numbersByKey(what: string, keys: readonly Key[]): Promise<number[]> {
    return keys.length === 0 ? [] : this.#numbers(`select ${what} where key = any($1)`, [int8Array(keys)]);
  }

  async #numbers(text: string, values: Buffer[]): Promise<number[]> {
    const { rows } = await this.#client.query<[string]>({ text, values, rowMode: 'array' });
    return rows.map(([number]) => Number(number));
  }
}

class Transaction extends Reader implements MatchingTransaction {
  readonly #client: pg.PoolClient;

  constructor(client: pg.PoolClient) {
    super(client);
    this.#client = client;
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
}

function within(date: string): string {
  return `join unnest($1::bigint[], $2::integer[], $3::integer[]) as r (key, first, last)
    on weak_key = r.key and ${date} between ${day('r.first')} and ${day('r.last')} where agreed is not true`;
}

const day = (number: string): string => `date '1970-01-01' + ${number}`;

function rangeValues(ranges: readonly WeakRange[]): Buffer[] {
  return [
    int8Array(ranges.map(({ key }) => key)),
    int4Array(ranges.map(({ from }) => from)),
    int4Array(ranges.map(({ to }) => to)),
  ];
}

type Side = 'line' | 'expectation';

interface DecisionRow {
  readonly id: string;
  readonly kind: Decision['kind'];
  readonly line_ids: string[];
  readonly expectation_ids: string[];
  readonly decided_by: string;
  readonly decided_at: string;
  readonly revoked: boolean;
}
