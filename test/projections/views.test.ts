import pg from 'pg';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createTestDatabase, type TestDatabase } from '../support/postgres.ts';

const payments = 50_000;
const wallets = 2_000;

/** Rows as 50,000 P2P payments leave them, made by Postgres itself: three rows and six events each. */
const fill = `
  insert into eventstore.log (position, count, unit, stream, version, recorded_at, meta, events)
  select r.position, r.count, r.unit, r.stream, r.version, r.recorded_at, r.meta, r.events
  from (
    select n, n * 6 + 1 as unit, 'w' || n % ${wallets} as payer, 'w' || (n + 1 + n % 97) % ${wallets} as payee,
      md5(n::text) as payment, timestamptz '2025-01-01' + n * interval '1 second' as at
    from generate_series(0, ${payments - 1}) n
  ) p
  cross join lateral (values
    (p.unit, 4, p.unit, 'payment/' || p.payment, 1, p.at,
      json_build_object('unit', p.payment, 'count', 6, 'at', p.at, 'correlationId', p.payment, 'principal', 'service:test'),
      json_build_array(
        json_build_object('type', 'PaymentInitiated', 'schema', 1, 'data', json_build_object('kind', 'P2P', 'amount', '5', 'currency', 'XOF')),
        json_build_object('type', 'PaymentAuthorized', 'schema', 1, 'data', json_build_object('held', '0')),
        json_build_object('type', 'PaymentCaptured', 'schema', 1, 'data', json_build_object('amount', '5')),
        json_build_object('type', 'PaymentSettled', 'schema', 1, 'data', json_build_object('fee', '0', 'providerFee', '0')))),
    (p.unit + 4, 1, p.unit, 'account/' || p.payer, p.unit, null, null, json_build_array(json_build_object('type', 'EntryPosted', 'schema', 1,
      'data', json_build_object('paymentId', p.payment, 'step', 'CAPTURED', 'amount', '-5', 'currency', 'XOF')))),
    (p.unit + 5, 1, p.unit, 'account/' || p.payee, p.unit, null, null, json_build_array(json_build_object('type', 'EntryPosted', 'schema', 1,
      'data', json_build_object('paymentId', p.payment, 'step', 'CAPTURED', 'amount', '5', 'currency', 'XOF'))))
  ) as r (position, count, unit, stream, version, recorded_at, meta, events)`;

interface Plan {
  readonly 'Node Type': string;
  readonly 'Relation Name'?: string;
  readonly 'Index Name'?: string;
  readonly 'Actual Rows'?: number;
  readonly 'Actual Loops'?: number;
  readonly Plans?: readonly Plan[];
}

describe('The ledger of one account, one payment, one timeline is found without a scan among 50,000 payments', () => {
  let database: TestDatabase;
  let pool: pg.Pool;
  beforeAll(async () => {
    database = await createTestDatabase();
    pool = new pg.Pool(database.poolConfig);
    await pool.query(fill);
    await pool.query('analyze eventstore.log');
  });
  afterAll(async () => {
    await pool.end();
    await database.drop();
  });

  /** The nodes of the plan, and how many rows of the log it touched. */
  async function explain(query: string): Promise<{ nodes: Plan[]; rowsRead: number }> {
    const { rows } = await pool.query<{ 'QUERY PLAN': [{ Plan: Plan }] }>(`explain (analyze, format json) ${query}`);
    const nodes: Plan[] = [];
    const walk = (plan: Plan): void => {
      nodes.push(plan);
      plan.Plans?.forEach(walk);
    };
    walk((rows[0] as (typeof rows)[0])['QUERY PLAN'][0].Plan);
    const rowsRead = nodes
      .filter((node) => node['Relation Name']?.startsWith('log') === true)
      .reduce((sum, node) => sum + (node['Actual Rows'] ?? 0) * (node['Actual Loops'] ?? 0), 0);
    return { nodes, rowsRead };
  }

  const payment = `(select md5('4711'))`;
  it.each([
    ['entries of an account', `select * from projections.entries_of_account('w7')`, 51, 200],
    [
      'the newest entries of an account',
      `select * from projections.entries_of_account('w7') order by version desc limit 5`,
      5,
      200,
    ],
    [
      'a balance by business time',
      `select sum(amount) from projections.entries_of_account('w7') where effective_at < '2025-01-02'`,
      1,
      200,
    ],
    [
      'a page of the entries of an account',
      `select * from projections.ledger_entries where stream = 'account/w7' and version > 60000 and row_version >= coalesce(
         (select version from eventstore.log where stream = 'account/w7' and version <= 60001 order by version desc limit 1), 0)
       order by row_version, version limit 5`,
      5,
      30,
    ],
    [
      'the newest page of the entries of an account',
      `select * from projections.ledger_entries where stream = 'account/w7' and row_version < 60000 and version < 60000
       order by row_version desc, version desc limit 5`,
      5,
      40,
    ],
    [
      'the last fact of an account by then',
      `select * from projections.account_rows where stream = 'account/w7' and position <= 60000 order by version desc limit 1`,
      1,
      40,
    ],
    ['entries of a payment', `select * from projections.entries_of_payment(md5('4711'))`, 2, 20],
    ['a timeline', `select * from projections.timeline_of_payment(md5('4711'))`, 4, 20],
  ])('%s', async (_, query, count, rowsReadMax) => {
    const { nodes, rowsRead } = await explain(query);
    expect((await pool.query(query)).rowCount).toBe(count);
    expect(nodes.filter((node) => node['Node Type'] === 'Seq Scan')).toEqual([]);
    const indexes = nodes.map((node) => node['Index Name']).filter((name) => name !== undefined);
    // The index of log_stream on the partition.
    expect(indexes).toContain('log_p0_stream_version_idx');
    expect(rowsRead).toBeLessThan(rowsReadMax);
  });

  it('the functions give what the views give', async () => {
    const entries = 'position, account_id, txn_id, amount, step, version';
    const [byView, byFunction] = await Promise.all([
      pool.query(`select ${entries} from projections.ledger_entries where txn_id = ${payment} order by 1`),
      pool.query(`select ${entries} from projections.entries_of_payment(${payment}) order by 1`),
    ]);
    expect(byFunction.rows).toEqual(byView.rows);
    const ofView = await pool.query(
      `select ${entries} from projections.ledger_entries where account_id = 'w9' order by 1`,
    );
    const ofFunction = await pool.query(`select ${entries} from projections.entries_of_account('w9') order by 1`);
    expect(ofFunction.rows).toEqual(ofView.rows);
    const timeline = 'version, fact, state, position';
    const view = await pool.query(
      `select ${timeline} from projections.payment_timeline where payment_id = ${payment} order by 1`,
    );
    const fn = await pool.query(`select ${timeline} from projections.timeline_of_payment(${payment}) order by 1`);
    expect(fn.rows).toEqual(view.rows);
  });
});
