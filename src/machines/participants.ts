import type { Command, Pay, PaymentCommand, PayoutCommand } from './commands.ts';
import type { World } from './decision.ts';
import { isKeyed } from './payment/key.ts';
import { appliedCommand, type PaymentContext, type PaymentSnapshot } from './payment/payment.machine.ts';
import { POSTINGS } from './payment/postings.ts';
import { named } from './payment/terms.ts';
import { sliceIdsOf } from './payout/slices.ts';

/** The actors that a decision reads. */
export interface Participants {
  readonly payments: readonly string[];
  readonly wallets: readonly string[];
  readonly requests: readonly string[];
  readonly payouts?: readonly string[];
  readonly connectors?: readonly string[];
  /** Whatever is loaded, it names no others. */
  readonly all?: true;
}

/**
 * Names the actors that deciding the command will read, as far as it can be known from those that are loaded. Load what
 * it names and ask again, until it names nothing new: a capture is on a payment, and only the payment knows its payer.
 *
 * @param world what is loaded so far; gives undefined for what is not loaded as for what does not exist
 */
export function participants(command: Command, world: World): Participants {
  switch (command.type) {
    case 'Pay':
      return ofPay(command, world);
    case 'Authorize':
    case 'Capture':
    case 'Settle':
    case 'Fail':
    case 'Reverse':
    case 'Instruct':
    case 'RecordOutcome':
    case 'MeetSettlement':
      return ofPayment(command, world);
    case 'CreatePayout':
    case 'CancelPayout':
      return ofPayout(command, world);
    case 'OpenBreaker':
    case 'HalfOpenBreaker':
    case 'CloseBreaker':
    case 'ForceBreaker': {
      const key = isKeyed(command) ? [command.commandId] : [];
      return { payments: key, wallets: [], requests: key, connectors: [command.connectorId], all: true };
    }
    case 'OpenAccount':
    case 'FreezeAccount':
    case 'UnfreezeAccount':
    case 'CloseAccount':
    case 'SetLimit':
      return { payments: [command.commandId], wallets: [command.accountId], requests: [command.commandId], all: true };
  }
}

function ofPay(command: Pay, world: World): Participants {
  const { paymentId, original } = command;
  // Where its key would be, had it been used for something else before.
  const requests = [paymentId];
  if (original === undefined) {
    return { payments: [paymentId], wallets: present(command.payer, command.payee), requests, all: true };
  }
  const { payer, payee } = named(command, world.payment(original));
  return { payments: [paymentId, original], wallets: present(payer, payee), requests };
}

function ofPayment(command: PaymentCommand, world: World): Participants {
  const payment = world.payment(command.paymentId);
  if (payment === undefined || appliedCommand(payment.context, command.commandId) !== undefined) {
    return { payments: [command.paymentId], wallets: [], requests: [] };
  }
  const { payer, payee, original, route } = payment.context;
  // Where its key would be, had it been used before.
  const key = isKeyed(command) ? command.commandId : undefined;
  return {
    payments: present(command.paymentId, original, key),
    wallets: isRead(command, payment) ? present(payer, payee) : [],
    requests: present(key),
    ...(command.type === 'Instruct' && route?.payout !== undefined && { payouts: [route.payout] }),
  };
}

function ofPayout(command: PayoutCommand, world: World): Participants {
  const { payoutId, commandId } = command;
  const own = { payouts: [payoutId], requests: [commandId] };
  if (command.type === 'CreatePayout') {
    return { ...own, payments: [commandId, ...sliceIdsOf(command)], wallets: [command.payer], all: true };
  }
  const payout = world.payout(payoutId);
  if (payout === undefined) return { ...own, payments: [commandId], wallets: [] };
  const { payer, slices } = payout.context;
  return { ...own, payments: [commandId, ...slices.map(({ paymentId }) => paymentId)], wallets: [payer] };
}

/** Whether the command looks at the wallets at all: settling a cash-in touches system accounts only. */
function isRead(command: PaymentCommand, { value, context }: PaymentSnapshot): boolean {
  if (command.type === 'Authorize' || command.type === 'Capture') return true;
  if (command.type === 'Instruct' || command.type === 'RecordOutcome') return true;
  if (command.type === 'Settle' || command.type === 'MeetSettlement') return touchesWallet(context, 'settled');
  return context.held > 0n || (value === 'CAPTURED' && touchesWallet(context, 'reversed'));
}

function touchesWallet({ kind }: PaymentContext, step: 'settled' | 'reversed'): boolean {
  return (POSTINGS[kind][step] ?? []).some(({ side }) => side === 'payer' || side === 'payee');
}

function present(...ids: readonly (string | undefined)[]): string[] {
  return ids.filter((id) => id !== undefined);
}
