import type { Position } from '../../eventstore/index.ts';
import type { Kora } from '../composition.ts';
import { tableLines } from '../cli/table.ts';
import { moneyText } from '../cli/money-text.ts';
import { PaymentKind, PaymentStatus } from '../gateway/rpc/gen/kora/v1/payment_pb.js';
import { trialBalance } from '../projections/queries.ts';
import type { Driver } from './driver.ts';
import type { Tally } from './tally.ts';
import type { Watcher } from './watcher.ts';

export interface DemoReport {
  readonly lines: readonly string[];
  /** Everything that should not have been. Empty: all promises were kept. */
  readonly problems: string[];
}

/** Compares what clients were told with what the projections say, and puts the day into a few tables. */
export async function demoReport(options: {
  readonly kora: Kora;
  readonly tally: Tally;
  readonly driver: Driver;
  readonly watchers: { readonly everything: Watcher; readonly some: readonly Watcher[] };
  /** Of the day: how long it took, and from which position of the log to which. */
  readonly seconds: number;
  readonly from: Position;
  readonly to: Position;
}): Promise<DemoReport> {
  const { kora, tally, driver, watchers, seconds, from, to } = options;
  const problems = [...tally.problems];
  const paymentEvents = await countPaymentEvents(kora, watchers.everything.since);
  await watchers.everything
    .until(() => watchers.everything.events >= paymentEvents)
    .catch((error: unknown) => {
      problems.push(String(error));
    });
  if (watchers.everything.events > paymentEvents)
    problems.push('the watcher of payments saw more events than there are');
  for (const watcher of [watchers.everything, ...watchers.some]) problems.push(...watcher.problems);
  if (tally.absorbed !== tally.sentTwice) {
    problems.push(`${tally.sentTwice} commands were sent twice, ${tally.absorbed} were answered as duplicates`);
  }
  const lines = [
    ...kindsAndStates(tally),
    '',
    ...(await money(kora, tally, problems)),
    '',
    `commands ${tally.commands}, sent twice ${tally.sentTwice}, absorbed ${tally.absorbed}, ` +
      `refused ${[...tally.refusals].map(([code, count]) => `${code} ${count}`).join(', ')}`,
    `watched  ${watchers.everything.events} payment events by one client, ` +
      `${watchers.some.reduce((sum, { events: seen }) => sum + seen, 0)} account events by ${watchers.some.length}: ` +
      `in order, none missing, none twice`,
    `rate     ${Math.round((to - from) / seconds)} events/s; one call alone: ${percentiles(driver.latenciesMs)}`,
  ];
  return { lines, problems };
}

function kindsAndStates(tally: Tally): string[] {
  const states = [
    PaymentStatus.INITIATED,
    PaymentStatus.AUTHORIZED,
    PaymentStatus.CAPTURED,
    PaymentStatus.SETTLED,
    PaymentStatus.FAILED,
    PaymentStatus.REVERSED,
  ];
  const payments = [...tally.payments.values()];
  const kinds = [...new Set(payments.map(({ kind }) => kind))].sort((a, b) => a - b);
  const rows = kinds.map((kind) => [
    PaymentKind[kind],
    ...states.map((state) => {
      const count = payments.filter((payment) => payment.kind === kind && payment.status === state).length;
      return count === 0 ? '-' : String(count);
    }),
  ]);
  const columns = states.map((state) => ({ title: PaymentStatus[state], align: 'right' as const }));
  return tableLines([{ title: 'payments' }, ...columns], rows);
}

/** Where the money is: what came in, less what went out, is what the accounts hold. */
async function money(kora: Kora, tally: Tally, problems: string[]): Promise<string[]> {
  const balances = await trialBalance(kora.pool);
  const rows: string[][] = [];
  for (const [currency, { cashIn, funding, cashOut }] of tally.flows()) {
    const of = (...classes: string[]): bigint =>
      balances
        .filter((row) => row.currency === currency && classes.includes(row.accountClass))
        .reduce((sum, row) => sum + row.balance, 0n);
    const wallets = of('customer', 'merchant', 'treasury');
    // Cash-outs on their way are still ours to pay; the tally counts them as gone.
    const ours = of('fees', 'income', 'suspense', 'clearing');
    const difference = cashIn + funding - cashOut - wallets - ours;
    const all = balances.filter((row) => row.currency === currency).reduce((sum, row) => sum + row.balance, 0n);
    if (difference !== 0n) problems.push(`${currency}: ${difference} minor units are not explained`);
    if (all !== 0n) problems.push(`${currency}: debits and credits differ by ${all}`);
    rows.push([
      currency,
      ...[cashIn + funding, cashOut, wallets, ours, difference, all].map((n) => moneyText(n, currency)),
    ]);
  }
  const titles = ['in', 'out', 'in wallets', 'fees and clearing', 'unexplained', 'debits + credits'];
  return tableLines([{ title: 'money' }, ...titles.map((title) => ({ title, align: 'right' as const }))], rows);
}

async function countPaymentEvents(kora: Kora, from: Position): Promise<number> {
  const { rows } = await kora.pool.query<{ events: string }>(
    `select coalesce(sum(count), 0)::text as events from eventstore.log
      where position > $1 and stream like 'payment/%'`,
    [from],
  );
  return Number(rows[0]?.events ?? 0);
}

function percentiles(latenciesMs: readonly number[]): string {
  const sorted = [...latenciesMs].sort((a, b) => a - b);
  const at = (share: number): string => (sorted[Math.floor(sorted.length * share)] ?? 0).toFixed(1);
  return `p50 ${at(0.5)} ms, p95 ${at(0.95)} ms`;
}
