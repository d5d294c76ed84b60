import { afterAll, beforeAll, expect, test } from 'vitest';
import { PostgresLog } from '../../eventstore/index.ts';
import { Runtime } from '../../src/actors/runtime.ts';
import { replay, type ReplayReport } from '../../src/cli/replay/replay.ts';
import type { Unreadable } from '../../src/cli/replay/history-row.ts';
import { entriesOfAccount } from '../../src/projections/index.ts';
import pg from 'pg';
import { createTestDatabase, type TestDatabase } from '../support/postgres.ts';
import { columns, historyFile } from './histories.ts';

// A history is played once, in the order of each account, whatever is wrong in it and however often it is interrupted.

let database: TestDatabase;
let log: PostgresLog;
let pool: pg.Pool;
beforeAll(async () => {
  database = await createTestDatabase();
  log = new PostgresLog({ config: database.poolConfig });
  pool = new pg.Pool(database.poolConfig);
});
afterAll(async () => {
  await log.close();
  await pool.end();
  await database.drop();
});

/** A fresh runtime each time, as a new process has. */
async function play(
  file: string,
  options: { signal?: AbortSignal; rowsUnderWayMax?: number; onProgress?: () => void } = {},
): Promise<ReplayReport & { problems: Unreadable[] }> {
  const problems: Unreadable[] = [];
  const runtime = new Runtime({ log });
  const signal = new AbortController().signal;
  const report = await replay({ file, runtime, signal, onRefused: (refused) => problems.push(refused), ...options });
  return { ...report, problems };
}

const credit = (id: string, account: string, amount: string): string =>
  `${id},1993-01-05,${account},credit,cash_deposit,,${amount},,,`;
const debit = (id: string, account: string, amount: string): string =>
  `${id},1993-01-06,${account},debit,cash_withdrawal,,${amount},,,`;

test('rows that cannot be read stop nothing, and are told with their line', async () => {
  const file = await historyFile([
    credit('a1', 'bad-rows', '100.00'),
    'a2,1993-01-32,bad-rows,credit,cash_deposit,,5.00,,,',
    'a3,1993-01-05,bad-rows,credit,cash_deposit,,5.001,,,',
    'a4,1993-01-05,bad-rows,upward,cash_deposit,,5.00,,,',
    'a5,1993-01-05,bad-rows,credit,cash_deposit',
    '',
    'a6,1993-01-05,bad-rows,credit,cash_deposit,"never closed,5.00,,,',
    debit('a7', 'bad-rows', '30.00'),
    `a8,${'x'.repeat(100_000)}`,
    debit('a9', 'bad-rows', '20.00'),
  ]);
  const report = await play(file);
  expect(report).toMatchObject({ rows: 9, refused: 6, payments: 3, duplicates: 0, interrupted: false });
  expect(report.accounts).toEqual([{ account: 'bad-rows', balance: '5000' }]);
  expect(report.problems.map(({ line }) => line)).toEqual([3, 4, 5, 6, 8, 10]);
  expect(report.problems.map(({ problem }) => problem)).toEqual([
    expect.stringContaining('date is "1993-01-32"'),
    expect.stringContaining('CZK has 2 decimals'),
    expect.stringContaining('direction is "upward"'),
    'it has 5 columns, the first line has 10',
    'its quotes do not match',
    'it is longer than 65536 characters',
  ]);
});

test('the same file again makes no fact at all', async () => {
  const rows = Array.from({ length: 300 }, (_, row) => {
    const account = `again-${row % 7}`;
    return row % 3 === 2 ? debit(`b${row}`, account, '70.00') : credit(`b${row}`, account, '20.00');
  });
  const file = await historyFile(rows);
  const first = await play(file);
  expect(first).toMatchObject({ rows: 300, refused: 0, payments: 300, duplicates: 0 });
  const position = await log.lastPosition();
  const second = await play(file);
  expect(second).toMatchObject({ rows: 300, refused: 0, payments: 0, duplicates: 300, accounts: first.accounts });
  expect(await log.lastPosition()).toBe(position);
});

test('an account is overdrawn by no more than its history needs, with the reason on record', async () => {
  const file = await historyFile([
    credit('c1', 'overdrawn', '100.00'),
    debit('c2', 'overdrawn', '60.00'),
    debit('c3', 'overdrawn', '60.00'),
    credit('c4', 'overdrawn', '500.00'),
    debit('c5', 'overdrawn', '490.00'),
    debit('c6', 'overdrawn', '35.00'),
  ]);
  expect(await play(file)).toMatchObject({ payments: 6, refused: 0, accounts: [{ balance: '-4500' }] });
  const facts: unknown[] = [];
  for await (const row of log.readStream('account/overdrawn')) {
    for (const { type, data } of row.events) {
      if (type === 'AccountLimitSet') facts.push({ ...data, at: row.meta.effectiveAt });
    }
  }
  const reason = (id: string): string => `the bank's history overdraws the account with its transaction ${id}`;
  const at = '1993-01-06T00:00:00.000Z';
  expect(facts).toMatchObject([
    { reason: reason('c3'), after: { limit: '2000', posted: '4000' }, at },
    { reason: reason('c6'), after: { limit: '4500', posted: '-1000' }, at },
  ]);
});

test('the rows of an account are booked in the order of the file, however many are under way', async () => {
  const rows = Array.from({ length: 900 }, (_, row) => {
    const account = `order-${(row * 7) % 13}`;
    return row % 2 === 0 ? credit(`d${row}`, account, `${row + 1}.00`) : debit(`d${row}`, account, `${row + 1}.50`);
  });
  const { accounts } = await play(await historyFile(rows), { rowsUnderWayMax: 500 });
  expect(accounts).toHaveLength(13);
  for (const { account, balance } of accounts) {
    const expected = rows
      .map((line) => line.split(','))
      .filter((cells) => cells[2] === account)
      .map((cells) => BigInt((cells[6] ?? '').replace('.', '')) * (cells[3] === 'credit' ? 1n : -1n));
    const entries = await entriesOfAccount(pool, account);
    expect(entries.map(({ amount }) => amount)).toEqual(expected);
    expect(balance).toBe(expected.reduce((sum, amount) => sum + amount, 0n).toString());
  }
});

test('what is interrupted goes on when it is started again', async () => {
  const rows = Array.from({ length: 400 }, (_, row) => {
    const account = `interrupted-${row % 5}`;
    return row % 4 === 3 ? debit(`e${row}`, account, '12.00') : credit(`e${row}`, account, '3.00');
  });
  const file = await historyFile(rows);
  const stop = new AbortController();
  let seen = 0;
  const part = await play(file, {
    signal: stop.signal,
    rowsUnderWayMax: 20,
    onProgress: () => {
      if (++seen === 150) stop.abort();
    },
  });
  expect(part).toMatchObject({ rows: 150, payments: 150, refused: 0, interrupted: true });
  const rest = await play(file);
  expect(rest).toMatchObject({ rows: 400, payments: 250, duplicates: 150, refused: 0, interrupted: false });
  const whole = rest.accounts.map(({ balance }) => balance);
  // 80 rows each; of every four one takes 12.00, and the three others bring 3.00.
  expect(whole).toEqual(Array.from({ length: 5 }, () => '-6000'));
});

test('a transaction twice in a file is one; with another amount it is refused', async () => {
  const report = await play(
    await historyFile([
      credit('f1', 'twice', '10.00'),
      credit('f1', 'twice', '10.00'),
      debit('f2', 'twice', '10.00'),
      debit('f2', 'twice', '10.00'),
      credit('f1', 'twice', '11.00'),
    ]),
  );
  expect(report).toMatchObject({ rows: 5, payments: 2, duplicates: 2, refused: 1, accounts: [{ balance: '0' }] });
  expect(report.problems).toEqual([{ line: 6, problem: expect.stringContaining('IdempotencyConflict') as string }]);
});

test('an account that exists and is not of this kind is left alone', async () => {
  const runtime = new Runtime({ log });
  await runtime.execute(
    { type: 'OpenAccount', idempotencyKey: 'm', accountId: 'merchant-1', walletType: 'merchant', currency: 'XOF' },
    { tenant: 'kora', principal: 'service:test', correlationId: 'm' },
  );
  const report = await play(await historyFile([debit('g1', 'merchant-1', '10.00')]));
  expect(report).toMatchObject({ rows: 1, payments: 0, refused: 1 });
  expect(report.problems[0]?.problem).toContain('is no customer account in CZK');
  expect(await runtime.account('merchant-1')).toMatchObject({ posted: '0', limit: '0', version: 1 });
});

test('a file without the columns is no history', async () => {
  const file = await historyFile([]);
  expect(await play(file)).toMatchObject({ rows: 0, payments: 0, accounts: [] });
  const { writeFile } = await import('node:fs/promises');
  await writeFile(file, columns.replace('amount', 'sum'));
  await expect(play(file)).rejects.toThrow('missing: amount');
  await writeFile(file, '');
  await expect(play(file)).rejects.toThrow('it is empty');
});
