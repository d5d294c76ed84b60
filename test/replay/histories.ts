import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';

export const columns =
  'trans_id,date,account_id,direction,operation,symbol,amount,balance_after,partner_bank,partner_account';

/** A history in a file of its own, for the time of the test. */
export async function historyFile(lines: readonly string[]): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'kora-history-'));
  onTestFinished(() => rm(folder, { recursive: true }));
  const file = join(folder, 'history.csv');
  await writeFile(file, [columns, ...lines].join('\n'));
  return file;
}

export interface ReplayDocument {
  readonly rows: number;
  readonly refused: number;
  readonly payments: number;
  readonly duplicates: number;
  readonly paymentsPerSecond: number;
  readonly accounts: readonly { readonly account: string; readonly balance: string }[];
}
