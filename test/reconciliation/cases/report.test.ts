import pg from 'pg';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { migrate } from '../../../src/platform/postgres/migrate.ts';
import {
  PostgresMatchingStore,
  reconciliationMigrations,
} from '../../../src/reconciliation/postgres/matching-store.ts';
import { createReports } from '../../../src/reconciliation/report/reports.ts';
import { createEmptyDatabase, type TestDatabase } from '../../support/postgres.ts';

let database: TestDatabase;
let pool: pg.Pool;

beforeAll(async () => {
  database = await createEmptyDatabase();
  pool = new pg.Pool(database.poolConfig);
  const client = await pool.connect();
  await migrate(client, [reconciliationMigrations]);
  client.release();
});
afterAll(async () => {
  await pool.end();
  await database.drop();
});

const line = (id: string, amount: bigint, valueDate: string, entryDate?: string) => ({
  ...{ id, profile: 'bank:SN', account: 'a1', amount, currency: 'XOF', valueDate, tokens: [], textTokens: [] },
  ...{ reversal: false, held: false, ...(entryDate !== undefined && { entryDate }) },
});

/** Proves the figures of the report against lines whose sums are known, and that they explain the difference to the franc. */
it('adds up what is there, by the day that the bank booked it, and explains the difference', async () => {
  await new PostgresMatchingStore(pool).put({
    lines: [
      line('matched', 10_000n, '2026-11-27'),
      line('fee', -150n, '2026-11-27'),
      line('suspense', 700n, '2026-11-27'),
      // Its value is of another day than its booking.
      line('fresh', -2_000n, '2026-11-29', '2026-11-27'),
      line('old', 300n, '2026-11-10'),
      line('settled long ago', 9_999n, '2026-11-10'),
      line('tomorrow', 1n, '2026-11-28'),
    ],
    expectations: ['seen', 'unseen'].map((id) => ({
      ...{
        id,
        profile: 'bank:SN',
        direction: 'out' as const,
        amount: 500n,
        currency: 'XOF',
        tokens: [],
        groupTokens: [],
      },
      ...{ date: '2026-11-27', position: 1 },
    })),
  });
  const state = (name: string, ids: string[], more: string, value: string): Promise<unknown> =>
    pool.query(
      `insert into reconciliation.line_states (line, state, ${more})
       select number, '${name}', ${value} from reconciliation.lines where id = any($1)`,
      [ids],
    );
  await state('MATCHED', ['matched', 'settled long ago'], 'match_id', '1');
  await state('KNOWN', ['fee'], 'match_id', '2');
  await state('MISSING_INTERNAL', ['suspense', 'old'], 'reason', `'unknown'`);
  await pool.query(`insert into reconciliation.expectation_states (expectation, state, match_id)
    select number, 'MATCHED', 3 from reconciliation.expectations where id = 'seen'`);
  for (const [id, as] of [
    ['matched', 'payment'],
    ['settled long ago', 'payment'],
    ['fee', 'fee'],
    ['suspense', 'suspense'],
    ['old', 'suspense'],
  ])
    await pool.query('insert into reconciliation.line_bookings (line_id, booked_as, bookings) values ($1, $2, 1)', [
      id,
      as,
    ]);
  for (const id of ['seen', 'unseen'])
    await pool.query('insert into reconciliation.payments_seen (payment_id, sequence, seen) values ($1, 1, $2)', [
      id,
      JSON.stringify({ status: 'SETTLED', fee: '10' }),
    ]);

  // 8,550 of turnover. The ledger has not booked `fresh` (−2,000), and has `unseen` (−510) before the bank.
  const closing = 108_550n;
  const reports = createReports(pool, {
    statementBalances: () => Promise.resolve([{ currency: 'XOF', opening: 100_000n, closing }]),
    posted: (id) => Promise.resolve(id === 'float:bank:SN:XOF' ? -(closing + 2_000n - 510n) : undefined),
  });
  const report = await reports.daily('2026-11-27');
  const none = { count: 0, amount: 0n };
  expect(report.accounts).toEqual([
    {
      ...{ profile: 'bank:SN', account: 'a1', currency: 'XOF', in: 10_700n, out: 2_000n, fees: 150n },
      ...{ matched: { count: 1, amount: 10_000n }, known: { count: 1, amount: 150n } },
      open: { '0-1': { count: 2, amount: 2_700n }, '2-7': none, '>7': { count: 1, amount: 300n } },
    },
  ]);
  expect(report.positions).toMatchObject([
    { float: 110_040n, turnoverDifference: 0n, difference: 1_490n, explained: 1_490n, unexplained: 0n },
  ]);
  expect(await reports.daily('2026-11-27', 'bank:XX')).toMatchObject({ accounts: [], positions: [] });
});
