import type { Command, Pay, PaymentCommand } from './commands.ts';
import type { World } from './decision.ts';
import { isKeyed } from './payment/key.ts';
import { appliedCommand, type PaymentContext, type PaymentSnapshot } from './payment/payment.machine.ts';
import { POSTINGS } from './payment/postings.ts';
import { named } from './payment/terms.ts';

/** The actors that a decision reads. */
export interface Participants {
  readonly payments: readonly string[];
  readonly wallets: readonly string[];
  readonly requests: readonly string[];
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
      return ofPayment(command, world);
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
  const { payer, payee, original } = payment.context;
  // Where its key would be, had it been used before.
  const key = isKeyed(command) ? command.commandId : undefined;
  return {
    payments: present(command.paymentId, original, key),
    wallets: isRead(command, payment) ? present(payer, payee) : [],
    requests: present(key),
  };
}

/** Whether the command looks at the wallets at all: settling a cash-in touches system accounts only. */
function isRead(command: PaymentCommand, { value, context }: PaymentSnapshot): boolean {
  if (command.type === 'Authorize' || command.type === 'Capture') return true;
  if (command.type === 'Settle') return touchesWallet(context, 'settled');
  return context.held > 0n || (value === 'CAPTURED' && touchesWallet(context, 'reversed'));
}

function touchesWallet({ kind }: PaymentContext, step: 'settled' | 'reversed'): boolean {
  return (POSTINGS[kind][step] ?? []).some(({ side }) => side === 'payer' || side === 'payee');
}

function present(...ids: readonly (string | undefined)[]): string[] {
  return ids.filter((id) => id !== undefined);
}
