import { invariant } from '../../kernel/invariant.ts';
import { available } from '../account/account.machine.ts';
import type { Command, Pay, PayUpTo } from '../commands.ts';
import type { PaymentKind, ReversalReason } from '../payment/payment.facts.ts';
import type { TestWorld } from './test-world.ts';

/** A small world for arbitrary commands: wallets of every type, in two currencies. */
export const WALLETS = [
  ['alice', 'customer', 'XOF', undefined],
  ['bob', 'customer', 'XOF', undefined],
  ['carol', 'customer', 'XOF', undefined],
  ['dora', 'customer', 'EUR', undefined],
  ['shop', 'merchant', 'XOF', 250],
  ['stall', 'merchant', 'XOF', 0],
  ['usine', 'merchant', 'EUR', 9_999],
  ['till', 'treasury', 'XOF', undefined],
  ['kasse', 'treasury', 'EUR', undefined],
] as const;
/** Not ended. */
const LIVE = /^(INITIATED|AUTHORIZED|CAPTURED)$/;
const wallets = WALLETS.map(([id]) => id);
const PARTIES: Readonly<Record<PaymentKind, readonly [payer: readonly string[], payee: readonly string[]]>> = {
  P2P: [
    ['customer', 'merchant'],
    ['customer', 'merchant'],
  ],
  CASH_IN: [[], ['customer', 'merchant']],
  CASH_OUT: [['customer', 'merchant'], []],
  MERCHANT: [['customer'], ['merchant']],
  REFUND: [[], []],
  FUNDING: [[], ['treasury']],
};

type Step = Exclude<Command['type'], 'Pay'>;
/** Steps that a state allows. */
const STEPS: Readonly<Record<string, readonly Step[]>> = {
  INITIATED: ['Authorize', 'Authorize', 'Fail'],
  AUTHORIZED: ['Capture', 'Capture', 'Capture', 'Fail', 'Reverse'],
  CAPTURED: ['Settle', 'Reverse'],
};

/** What is wanted: figures and choices, which become a command on the world as it is when their turn comes. */
export interface Ask {
  readonly what: Command['type'] | 'again' | 'again with another body';
  readonly kind: PaymentKind;
  readonly upTo: PayUpTo;
  readonly amount: bigint;
  /** Instead of the amount, all that the payer has: wallets must be emptied to be closed. */
  readonly all: boolean;
  /** Captured, or a limit. */
  readonly part: bigint | null;
  readonly providerFee: bigint | null;
  readonly reason: ReversalReason;
  /** Time that passes before it. */
  readonly seconds: number;
  readonly one: number;
  readonly other: number;
  /** Choose among all, however wrong; otherwise among what may lead somewhere. */
  readonly wild: boolean;
}

const DAY_MS = 86_400_000;

/** Makes commands of asks. */
export class Asker {
  readonly #world: TestWorld;
  readonly #sent: Command[] = [];
  #ms = Date.UTC(2024, 0, 1);

  constructor(world: TestWorld) {
    this.#world = world;
  }

  /** The instant of the last ask. */
  now(): string {
    return new Date(this.#ms).toISOString();
  }

  commandOf(wanted: Ask): Command {
    this.#ms += wanted.seconds * 1_000;
    const command = this.#commandOf(wanted);
    this.#sent.push(command);
    return command;
  }

  /** Opens the wallets, and gives some of them money. */
  opening(): Command[] {
    const opened = WALLETS.map(([accountId, walletType, currency, feeBps]): Command => {
      const fee = feeBps === undefined ? {} : { feeBps };
      const owner = /^(alice|dora|shop)$/.test(accountId) ? { owner: `user:${accountId}` } : {};
      return { type: 'OpenAccount', ...this.#identified(accountId), accountId, walletType, currency, ...fee, ...owner };
    });
    const gifts = ['alice', 'bob', 'dora', 'shop'].map((payee): Command => {
      const paymentId = `gift to ${payee}`;
      const currency = payee === 'dora' ? 'EUR' : 'XOF';
      const of = { kind: 'CASH_IN', amount: 50n, currency, payee, provider: 'cash', upTo: 'SETTLED' } as const;
      return { type: 'Pay', ...this.#identified(paymentId), paymentId, ...this.#due(), ...of };
    });
    return [...opened, ...gifts];
  }

  #commandOf(wanted: Ask): Command {
    const { what, one, other } = wanted;
    if (what === 'again' || what === 'again with another body') {
      const command = this.#sent[one % Math.max(this.#sent.length, 1)];
      if (command === undefined) return this.#pay(wanted);
      return what === 'again' ? command : { ...command, fingerprint: `${command.fingerprint}'` };
    }
    const id = `c${this.#sent.length}`;
    if (what === 'Pay') return this.#pay(wanted);
    const ids = this.#world.payments().map(({ context }) => context.paymentId);
    const paymentId = wanted.wild ? `p${other % 3}` : (this.#live(one) ?? ids[one % ids.length] ?? nothing());
    const onPayment = { ...this.#identified(id), paymentId };
    const accountId = this.#target(wanted);
    const onAccount = { ...this.#identified(id), accountId, reason: 'a reason' };
    const share = wanted.part === null ? {} : { amount: wanted.part };
    switch (this.#fitting(wanted, what, paymentId)) {
      case 'Authorize':
        return { type: 'Authorize', ...onPayment, expiresAt: this.#due().expiresAt };
      case 'Capture':
        return { type: 'Capture', ...onPayment, ...share, settlesAt: this.#due().settlesAt };
      case 'Settle':
        return {
          type: 'Settle',
          ...onPayment,
          ...(wanted.providerFee === null ? {} : { providerFee: wanted.providerFee }),
        };
      case 'Fail':
        return { type: 'Fail', ...onPayment, reason: wanted.wild ? '' : 'declined' };
      case 'Reverse':
        return { type: 'Reverse', ...onPayment, reason: wanted.reason };
      case 'OpenAccount':
        return { type: 'OpenAccount', ...onAccount, walletType: 'customer', currency: wanted.wild ? 'XXX' : 'XOF' };
      case 'CloseAccount':
        return { type: 'CloseAccount', ...onAccount, openPayments: wanted.wild ? 1 : 0 };
      case 'SetLimit':
        return { type: 'SetLimit', ...onAccount, limit: wanted.part ?? 0n };
      case 'FreezeAccount':
        return { type: 'FreezeAccount', ...onAccount };
      case 'UnfreezeAccount': {
        const frozen = this.#world.wallets().find(({ value }) => value === 'FROZEN');
        return { type: 'UnfreezeAccount', ...onAccount, accountId: frozen?.context.accountId ?? accountId };
      }
    }
  }

  /** Five times in six, a step that the payment's state allows: most others are refused, and lead nowhere. */
  #fitting({ one, other }: Ask, what: Step, paymentId: string): Step {
    const steps = STEPS[this.#world.payment(paymentId)?.value ?? ''] ?? [];
    const isOnPayment = /^(Authorize|Capture|Settle|Fail|Reverse)$/.test(what);
    if (!isOnPayment || other % 6 === 0 || steps.includes(what)) return what;
    return steps[one % Math.max(steps.length, 1)] ?? what;
  }

  /** Five times in six, a payment that has not ended. */
  #live(choice: number): string | undefined {
    const live = this.#world.payments().filter(({ value }) => LIVE.test(value));
    return choice % 6 === 0 ? undefined : live[choice % Math.max(live.length, 1)]?.context.paymentId;
  }

  /** An account of a payment that has not ended, or any; of those that could be closed, when one is to be closed. */
  #target({ what, one, other, wild }: Ask): string {
    const involved = this.#world
      .payments()
      .filter(({ value }) => LIVE.test(value))
      .flatMap(({ context }) => [context.payer, context.payee])
      .filter((id) => id !== undefined);
    const canClose = (id: string): boolean => {
      const wallet = this.#world.wallet(id);
      return wallet?.value !== 'CLOSED' && wallet?.context.posted === 0n && wallet.context.held === 0n;
    };
    const among = other % 2 === 0 ? involved : wallets;
    const fit = what === 'CloseAccount' && !wild ? among.filter(canClose) : among;
    return fit[one % Math.max(fit.length, 1)] ?? wallets[one % wallets.length] ?? nothing();
  }

  #pay(wanted: Ask): Pay {
    const { kind, one, other } = wanted;
    const paymentId = wanted.wild ? `p${other % 3}` : `p${this.#sent.length}`;
    const currency = wanted.wild || one % 4 > 0 ? 'XOF' : 'EUR';
    const fit = (types: readonly string[]): string[] =>
      WALLETS.filter(([, type, of]) => wanted.wild || (types.includes(type) && of === currency)).map(([id]) => id);
    const [from, to] = [fit(PARTIES[kind][0]), fit(PARTIES[kind][1])];
    const [payer, payee] = [from[one % from.length], to[other % to.length]];
    const has = payer === undefined ? undefined : this.#world.wallet(payer);
    const original = kind === 'REFUND' ? this.#original(wanted) : undefined;
    const captured = original === undefined ? undefined : this.#world.payment(original)?.context.captured;
    let amount = wanted.all && has !== undefined ? available(has.context) : wanted.amount;
    if (captured !== undefined && captured > 0n && other % 4 > 0) amount %= captured + 1n;
    return {
      type: 'Pay',
      ...this.#identified(paymentId),
      paymentId,
      kind,
      amount,
      upTo: wanted.upTo,
      ...this.#due(),
      ...(kind === 'REFUND' ? {} : { currency }),
      ...(payer === undefined ? {} : { payer }),
      ...(payee === undefined ? {} : { payee }),
      ...(/CASH|FUNDING/.test(kind) ? { provider: wanted.wild ? 'Nobody' : 'bank:AB' } : {}),
      ...(original === undefined ? {} : { original }),
      ...(wanted.part === null || !/CAPTURED|SETTLED/.test(wanted.upTo)
        ? {}
        : { captureAmount: wanted.wild || amount <= 0n ? wanted.part : (wanted.part % amount) + 1n }),
      ...(wanted.providerFee === null || (!wanted.wild && !(/CASH/.test(kind) && wanted.upTo === 'SETTLED'))
        ? {}
        : { providerFee: wanted.providerFee }),
    };
  }

  #original(wanted: Ask): string {
    const settled = this.#world
      .payments()
      .filter(({ value, context }) => value === 'SETTLED' && context.kind === 'MERCHANT');
    const all = wanted.wild || settled.length === 0 ? this.#world.payments() : settled;
    return all[wanted.one % all.length]?.context.paymentId ?? 'nothing';
  }

  #identified(commandId: string) {
    return { commandId, fingerprint: `of ${commandId} at ${this.#ms}` };
  }

  #due() {
    const expiresAt = new Date(this.#ms + DAY_MS / 2).toISOString();
    return { expiresAt, settlesAt: new Date(this.#ms + DAY_MS).toISOString() };
  }
}

function nothing(): never {
  invariant(false, 'nothing to choose from');
}
