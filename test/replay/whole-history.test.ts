import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { PostgresLog } from '../../eventstore/index.ts';
import { kora, spawnKora } from '../cli/kora-process.ts';
import { createTestDatabase, type TestDatabase } from '../support/postgres.ts';
import type { ReplayDocument } from './histories.ts';

// A year of a real bank goes through the product by the command line, and every account ends as the bank's own books did.

const file = join(process.env['KORA_DATA'] ?? '', 'czech-bank-1993.csv');
const missing = process.env['KORA_DATA'] === undefined || !existsSync(file);

describe.skipIf(missing)('a year of a bank (skipped unless KORA_DATA names a folder with czech-bank-1993.csv)', () => {
  let database: TestDatabase;
  let env: Record<string, string>;
  beforeAll(async () => {
    database = await createTestDatabase();
    env = { DATABASE_URL: database.connectionString };
  });
  afterAll(() => database.drop());

  test('is played to its sums, though killed on the way, and again without a trace', { timeout: 600_000 }, async () => {
    const history = await readHistory();
    const log = new PostgresLog({ config: database.poolConfig });
    const killed = spawnKora(['replay', file], { env });
    for (const stop = new AbortController(); !stop.signal.aborted;) {
      for await (const _unit of log.subscribe((await log.lastPosition()) + 20_000, stop.signal)) stop.abort();
    }
    killed.process.kill('SIGKILL');
    await killed.ended;

    const resumed = await replayed();
    expect(resumed).toMatchObject({ rows: 27_184, refused: 0 });
    expect(resumed.payments).toBeGreaterThan(0);
    expect(resumed.duplicates).toBeGreaterThan(0);
    expect(resumed.payments + resumed.duplicates).toBe(27_184);

    expect(resumed.accounts).toHaveLength(1_110);
    expect(resumed.accounts.map(({ account }) => account)).toEqual([...history.keys()].sort());
    for (const { account, balance } of resumed.accounts) {
      const { sum, lastBalance } = history.get(account) ?? { sum: 0n, lastBalance: 0n };
      expect({ account, balance }).toEqual({ account, balance: sum.toString() });
      const difference = BigInt(balance) - lastBalance;
      expect(difference <= 100n && difference >= -100n).toBe(true);
    }
    const total = resumed.accounts.reduce((sum, { balance }) => sum + BigInt(balance), 0n);
    expect(total).toBe(3_548_389_040n);

    const position = await log.lastPosition();
    const again = await replayed();
    expect(again).toMatchObject({ rows: 27_184, refused: 0, payments: 0, duplicates: 27_184, paymentsPerSecond: 0 });
    expect(again.accounts).toEqual(resumed.accounts);
    expect(await log.lastPosition()).toBe(position);
    await log.close();

    const verified = await kora(['verify', '--json'], { env });
    expect(JSON.parse(verified.stdout)).toMatchObject({ ok: true, position, findings: [] });
    expect(verified.code).toBe(0);
  });

  async function replayed(): Promise<ReplayDocument> {
    const { code, stdout, stderr } = await kora(['replay', file, '--json'], { env });
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    return JSON.parse(stdout) as ReplayDocument;
  }
});

/** Reckoned from the file by other code than the product's. */
async function readHistory(): Promise<Map<string, { sum: bigint; lastBalance: bigint }>> {
  const accounts = new Map<string, { sum: bigint; lastBalance: bigint }>();
  const [, ...lines] = (await readFile(file, 'utf8')).trim().split('\n');
  for (const line of lines) {
    const [, , account = '', direction, , , amount = '', balance = ''] = line.split(',');
    const hellers = BigInt(amount.replace('.', ''));
    const { sum } = accounts.get(account) ?? { sum: 0n };
    accounts.set(account, {
      sum: direction === 'credit' ? sum + hellers : sum - hellers,
      lastBalance: BigInt(balance.replace('.', '')),
    });
  }
  return accounts;
}
