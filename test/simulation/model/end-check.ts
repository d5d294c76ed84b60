import { accountsTable } from '../../../src/projections/accounts.projection.ts';
import type { MemoryTables } from '../../../src/projections/memory/writer.ts';
import { paymentsTable } from '../../../src/projections/payments.projection.ts';
import { check } from './finding.ts';
import type { Payment, Wallet } from './state.ts';

/** When everything is through: holds are those of payments, and live rows say what the model says. */
export function checkRows(payments: readonly Payment[], wallets: readonly Wallet[], tables: MemoryTables): void {
  const held = new Map<string, bigint>();
  const ofPayments = tables.rows(paymentsTable);
  for (const payment of payments) {
    const { id, payer, status, captured, refunded, version } = payment;
    if (payer !== undefined) held.set(payer, (held.get(payer) ?? 0n) + payment.held);
    const row = ofPayments.get(id) ?? {};
    const shown = [row['status'], row['captured'] ?? '0', row['refunded'] ?? 0n, row['held'] ?? '0', row['version']];
    const true_ = [status, captured, refunded, payment.held, version];
    check(
      String(shown) === String(true_),
      '5 projections',
      () => `payment ${id}: ${String(shown)}, not ${String(true_)}`,
    );
  }
  const ofAccounts = tables.rows(accountsTable);
  for (const wallet of wallets) {
    const { id, status, posted, limit, version } = wallet;
    const holds = held.get(id) ?? 0n;
    check(holds === wallet.held, '2 holds', () => `${id} holds ${wallet.held}, its payments hold ${holds}`);
    const row = ofAccounts.get(id) ?? {};
    const shown = [row['status'], row['posted'], row['held'], row['overdraft_limit'], row['version']];
    const true_ = [status, posted, wallet.held, limit, version];
    check(
      String(shown) === String(true_),
      '5 projections',
      () => `wallet ${id}: ${String(shown)}, not ${String(true_)}`,
    );
  }
}
