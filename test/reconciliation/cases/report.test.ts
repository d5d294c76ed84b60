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
      line('booked tomorrow', 40n, '2026-11-28'),
    ],
    expectations: ['seen', 'unseen', 'unseen of tomorrow', 'waits out', 'waits in'].map((id) => ({
      ...{
        id,
        profile: 'bank:SN',
        direction: id === 'waits in' ? ('in' as const) : ('out' as const),
        amount: 500n,
        currency: 'XOF',
        tokens: [],
        groupTokens: [],
      },
      ...{ date: id.endsWith('tomorrow') ? '2026-11-28' : '2026-11-27', position: 1 },
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
    ['booked tomorrow', 'payment'],
  ])
    await pool.query('insert into reconciliation.line_bookings (line_id, booked_as, bookings) values ($1, $2, 1)', [
      id,
      as,
    ]);
  for (const id of ['seen', 'unseen', 'unseen of tomorrow', 'waits out', 'waits in'])
    await pool.query('insert into reconciliation.payments_seen (payment_id, sequence, seen) values ($1, 1, $2)', [
      id,
      JSON.stringify({ status: id.startsWith('waits') ? 'CAPTURED' : 'SETTLED', fee: '10' }),
    ]);

  // 8,550 of turnover. The ledger of now has not booked `fresh` (−2,000), has two payments before the bank (−510 each), and
  // one line of tomorrow (40).
  const closing = 108_550n;
  const ledger = new Map([
    ['float:bank:SN:XOF', -(closing + 2_000n - 1_020n + 40n)],
    ['receivable:bank:SN:XOF', -500n],
    ['payable:bank:SN:XOF', 500n],
  ]);
  const stated = { account: 'a1', last4: '3035', currency: 'XOF', opening: 100_000n, closing };
  const quiet = { account: 'a2', last4: '0002', currency: 'EUR', closing: 5n, closingDay: '2026-11-01' };
  const reports = createReports(pool, {
    statementBalances: (_, profile) => Promise.resolve(profile === 'bank:SN' ? [stated, quiet] : []),
    posted: (id) => Promise.resolve(ledger.get(id)),
  });
  const report = await reports.daily('2026-11-27');
  const none = { count: 0, amount: 0n };
  expect(report.accounts).toEqual([
    {
      ...{ profile: 'bank:SN', ...quiet, in: 0n, out: 0n, fees: 0n, matched: none, known: none },
      open: { '0-1': none, '2-7': none, '>7': none },
    },
    {
      ...{ profile: 'bank:SN', ...stated, in: 10_700n, out: 2_000n, fees: 150n, turnoverDifference: 0n },
      ...{ matched: { count: 1, amount: 10_000n }, known: { count: 1, amount: 150n } },
      open: { '0-1': { count: 2, amount: 2_700n }, '2-7': none, '>7': { count: 1, amount: 300n } },
    },
  ]);
  expect(report.positions).toMatchObject([
    { currency: 'EUR', closing: 5n, difference: -5n, unexplained: -5n },
    {
      ...{ currency: 'XOF', difference: 1_020n, explained: 1_020n, unexplained: 0n },
      later: { count: 1, amount: 40n, net: 40n },
      unseen: { count: 2, amount: 1_000n, net: -1_020n },
      awaited: { in: { count: 1, amount: 500n }, out: { count: 1, amount: 500n } },
      ...{ receivableUnexplained: 0n, payableUnexplained: 0n },
    },
  ]);
  // Held against the ledger of now, the day after is explained as well.
  expect((await reports.daily('2026-11-28')).positions[1]).toMatchObject({ explained: 979n });
  expect(await reports.daily('2026-11-27', 'bank:XX')).toMatchObject({ accounts: [], positions: [] });
});
