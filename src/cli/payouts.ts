import { Command } from 'commander';
import { Runtime } from '../actors/runtime.ts';
import { exponentOf } from '../kernel/currencies.ts';
import { createLedger } from '../ledger/index.ts';
import {
  createPayments,
  type PayoutDetails,
  type PayoutItem,
  type Payments,
  type SliceView,
} from '../payments/index.ts';
import type { Store } from '../store.ts';
import { CommandError, exitCodes } from './exit-codes.ts';
import { moneyText, timeText } from './money-text.ts';
import { describeFailure } from './payment-text.ts';
import { printJson, printLine, type Shell, takes } from './shell.ts';
import { fieldLines, tableLines } from './table.ts';
import { ofReadModel, withStore } from './with-store.ts';

interface Flags {
  readonly payer?: string;
  readonly provider?: string;
  readonly limit: string;
  readonly json?: true;
}

export function payoutsCommand(shell: Shell): Command {
  const command = new Command('payouts')
    .summary('payouts, and which part of the money of one is where')
    .description(
      'Lists the newest payouts; or prints one of them as it is now, with each of its slices: what waits, what a provider ' +
        'has, what nobody knows, what was paid and what was not. A list comes from a read model, one payout from the log.',
    )
    .argument('[payout]', 'id of the payout')
    .option('--payer <account>', 'of a list: those from this treasury')
    .option('--provider <name>', 'of a list: those through this provider')
    .option('--limit <n>', 'of a list: how many, 1 to 200', '50')
    .option('--json', 'print one JSON document, amounts in minor units')
    .addHelpText(
      'after',
      `
A slice is a payment: kora timeline <slice> tells what happened to it.

Examples:
  kora payouts
  kora payouts --provider bank:AB --limit 10
  kora payouts q3Zp0m1bJ8yq3o0yYw6f2m9kq1E --json | jq '.payout.money'`,
    );
  takes(command, 'dataDir');
  return command.action((id: string | undefined, flags: Flags) =>
    id === undefined ? list(shell, flags) : show(shell, flags, id),
  );
}

function paymentsOf({ log, poolOf }: Store): Payments {
  const runtime = new Runtime({ log });
  const ledger = createLedger({ runtime, pool: poolOf('ledger') });
  return createPayments({ runtime, ledger, pool: poolOf('payments') });
}

async function list(shell: Shell, flags: Flags): Promise<void> {
  const { payer, provider } = flags;
  const limit = Number(flags.limit);
  if (!Number.isInteger(limit) || limit < 1 || limit > 200) {
    throw new CommandError('--limit: a number from 1 to 200 is wanted', exitCodes.usage.code);
  }
  const filter = { ...(payer !== undefined && { payer }), ...(provider !== undefined && { provider }) };
  const { items } = await withStore(shell, flags, (store) =>
    ofReadModel('payouts', paymentsOf(store).payouts(filter, { limit })),
  );
  if (flags.json === true) printJson(shell, { payouts: items });
  else for (const line of listLines(items)) printLine(shell, line);
}

function listLines(items: readonly PayoutItem[]): string[] {
  if (items.length === 0) return ['there is no such payout'];
  return tableLines(
    [
      { title: 'made (UTC)' },
      { title: 'payout' },
      { title: 'status' },
      { title: 'amount', align: 'right' },
      { title: 'settled', align: 'right' },
      { title: 'in doubt', align: 'right' },
      { title: 'slices', align: 'right' },
      { title: 'from' },
      { title: 'through' },
    ],
    items.map(({ createdAt, payoutId, status, amount, money, slices, payer, provider, currency }) => [
      timeText(createdAt),
      payoutId,
      status,
      moneyText(amount, currency),
      moneyText(money.settled, currency),
      moneyText(money.inDoubt, currency),
      slices.toString(),
      payer,
      provider,
    ]),
  );
}

async function show(shell: Shell, flags: Flags, id: string): Promise<void> {
  const payout = await withStore(shell, flags, (store) => paymentsOf(store).payout(id));
  if (payout === undefined) throw new CommandError(`there is no payout ${id}`);
  if (flags.json === true) printJson(shell, { payout: { ...payout, exponent: exponentOf(payout.currency) } });
  else for (const line of payoutLines(payout)) printLine(shell, line);
}

function payoutLines(payout: PayoutDetails): string[] {
  const { currency, money, failure, slices } = payout;
  const text = (amount: string): string => moneyText(amount, currency);
  const nonZero = (amount: string): string | undefined => (amount === '0' ? undefined : text(amount));
  const head = fieldLines([
    ['payout', payout.payoutId],
    ['status', failure === undefined ? payout.status : `failed: ${describeFailure(failure, currency)}`],
    ['amount', text(payout.amount)],
    ['pending', nonZero(money.pending)],
    ['sent', nonZero(money.sent)],
    ['in doubt', nonZero(money.inDoubt)],
    ['settled', nonZero(money.settled)],
    ['returned of it', nonZero(money.returned)],
    ['failed', nonZero(money.failed)],
    ['from', payout.payer],
    ['through', payout.provider],
    ['to', payout.beneficiary],
    ['rail', payout.rail],
    ['cancelled', payout.cancelled],
  ]);
  if (slices.length === 0) return head;
  const rows = slices.map((slice) => [
    slice.paymentId,
    text(slice.amount),
    slice.status,
    slice.attempts.toString(),
    slice.connector ?? '',
    slice.providerRef ?? '',
    notesOf(slice, currency),
  ]);
  const columns = [
    { title: 'slice' },
    { title: 'amount', align: 'right' },
    { title: 'status' },
    { title: 'attempts', align: 'right' },
    { title: 'connector' },
    { title: "provider's reference" },
    { title: '' },
  ] as const;
  return [...head, '', ...tableLines(columns, rows)];
}

function notesOf({ unresolved, paidLate, failure, reversed, returned }: SliceView, currency: string): string {
  return [
    unresolved === true ? 'people must find it out' : undefined,
    paidLate === true ? 'carried out although it had failed: in suspense' : undefined,
    failure === undefined ? undefined : describeFailure(failure, currency),
    reversed === undefined ? undefined : `reversed: ${reversed}`,
    returned === '0' ? undefined : `${moneyText(returned, currency)} came back`,
  ]
    .filter((part) => part !== undefined)
    .join('; ');
}
