import { Command } from 'commander';
import { Runtime } from '../actors/runtime.ts';
import { exponentOf } from '../kernel/currencies.ts';
import { paymentIdOf } from '../kernel/ids.ts';
import type { PaymentView } from '../machines/payment/view.ts';
import { entriesOfPayment, type LedgerEntry, timelineOf, type TimelineStep } from '../projections/ledger-queries.ts';
import { CommandError } from './exit-codes.ts';
import { moneyText, dayText, timeText } from './money-text.ts';
import { describeFailure, describeStep } from './payment-text.ts';
import { printJson, printLine, type Shell, takes } from './shell.ts';
import { fieldLines, tableLines } from './table.ts';
import { withStore } from './with-store.ts';

interface Flags {
  readonly principal?: string;
  readonly tenant: string;
  readonly json?: true;
}

interface Timeline {
  readonly payment: PaymentView;
  readonly steps: readonly TimelineStep[];
  readonly entries: readonly LedgerEntry[];
}

export function timelineCommand(shell: Shell): Command {
  const command = new Command('timeline')
    .summary('what happened to a payment')
    .description(
      'Prints what happened to a payment, when, who asked for it, why it was refused if it was, and what it moved on ' +
        'which account. All of it is read from the log.',
    )
    .argument('<payment>', 'id of the payment')
    .option('--principal <id>', 'whose payment it is: then <payment> is the idempotency key that was sent with it')
    .option('--tenant <name>', 'tenant of that principal', 'kora')
    .option('--json', 'print one JSON document, amounts in minor units')
    .addHelpText(
      'after',
      `
Examples:
  kora timeline q3Zp0m1bJ8yq3o0yYw6f2m9kq1E
  kora timeline order-4711 --principal service:shop
  kora timeline 695247 --principal kora:replay --json     a row of a replayed history, by its trans_id`,
    );
  takes(command, 'dataDir');
  return command.action(async (payment: string, flags: Flags) => {
    const { principal, tenant } = flags;
    const id = principal === undefined ? payment : paymentIdOf(tenant, principal, payment);
    const timeline = await withStore(shell, flags, async ({ log, pool }) => {
      const view = await new Runtime({ log }).payment(id);
      if (view === undefined) throw new CommandError(notFound(payment, flags));
      const [steps, entries] = await Promise.all([timelineOf(pool, id), entriesOfPayment(pool, id)]);
      return { payment: view, steps, entries };
    });
    if (flags.json === true) printJson(shell, documentOf(timeline));
    else for (const line of timelineLines(timeline)) printLine(shell, line);
  });
}

function notFound(payment: string, { principal, tenant }: Flags): string {
  if (principal === undefined) return `there is no payment ${payment}`;
  return `${principal} of tenant ${tenant} has no payment with the key ${payment}`;
}

function documentOf({ payment, steps, entries }: Timeline): object {
  return {
    payment: { ...payment, exponent: exponentOf(payment.currency) },
    steps,
    entries: entries.map((entry) => ({ ...entry, amount: entry.amount.toString() })),
  };
}

function timelineLines({ payment, steps, entries }: Timeline): string[] {
  const { currency, status, failure } = payment;
  const money = (amount: string): string => moneyText(amount, currency);
  const nonZero = (amount: string): string | undefined => (amount === '0' ? undefined : money(amount));
  const effectiveAt = steps[0]?.effectiveAt ?? '';
  const head = fieldLines([
    ['payment', payment.paymentId],
    ['kind', payment.kind],
    ['state', failure === undefined ? status : `${status}: ${describeFailure(failure, currency)}`],
    ['amount', money(payment.amount)],
    ['captured', payment.captured === payment.amount ? undefined : nonZero(payment.captured)],
    ['refunded', nonZero(payment.refunded)],
    ['fee', nonZero(payment.fee)],
    ["provider's fee", nonZero(payment.providerFee)],
    ['from', payment.payer],
    ['to', payment.payee],
    ['provider', payment.provider],
    ['for', payment.beneficiary],
    ['rail', payment.rail],
    ['slice of payout', payment.payout],
    ['gives back', payment.original],
    ['business time', effectiveAt === steps[0]?.at ? undefined : `${dayText(effectiveAt)} UTC`],
  ]);
  const history = tableLines(
    [
      { title: 'time (UTC)' },
      { title: 'state' },
      { title: 'what' },
      { title: 'who' },
      { title: 'position', align: 'right' },
    ],
    steps.map((step) => [
      timeText(step.at),
      step.state,
      describeStep(step, currency),
      step.principal,
      step.position.toString(),
    ]),
  );
  const moves = tableLines(
    [{ title: 'step' }, { title: 'account' }, { title: 'amount', align: 'right' }],
    entries.map(({ step, account, amount }) => [step, account, moneyText(amount, currency)]),
  );
  return [...head, '', ...history, ...(entries.length === 0 ? ['', 'no money was moved'] : ['', ...moves])];
}
