import { invariant } from '../../kernel/invariant.ts';
import { available } from '../account/account.machine.ts';
import type { Command, ConnectorCommand, InstructionOutcome, Pay, PayUpTo } from '../commands.ts';
import type { PaymentKind, ReversalReason } from '../payment/payment.facts.ts';
import { idOf } from '../streams.ts';
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
  PAYOUT: [['treasury'], []],
  PAYOUT_RETURN: [[], []],
  STATEMENT_FEE: [[], []],
  STATEMENT_INTEREST: [[], []],
  UNIDENTIFIED_CREDIT: [[], []],
  UNIDENTIFIED_DEBIT: [[], []],
  LATE_COLLECTION: [[], []],
  CORRECTION_CREDIT: [[], ['customer', 'merchant', 'treasury']],
  CORRECTION_DEBIT: [['customer', 'merchant', 'treasury'], []],
  WRITE_OFF_LOSS: [[], []],
  WRITE_OFF_GAIN: [[], []],
};
/** With a provider of their own. */
const NAMES_PROVIDER = /^(?:CASH|FUNDING|STATEMENT|UNIDENTIFIED|LATE|WRITE_OFF_LOSS)/;
/** Two connectors of one provider, and one of another. */
const CONNECTORS = [
  ['momo-1', 'momo'],
  ['momo-2', 'momo'],
  ['bank-1', 'bank:AB'],
] as const;

type Step = Exclude<Command['type'], 'Pay'>;
/** Steps that a state allows. */
const STEPS: Readonly<Record<string, readonly Step[]>> = {
  INITIATED: ['Authorize', 'Authorize', 'Fail'],
  AUTHORIZED: ['Capture', 'Capture', 'Instruct', 'Instruct', 'RecordOutcome', 'RecordOutcome', 'Fail', 'Reverse'],
  CAPTURED: ['Settle', 'Reverse', 'RecordOutcome', 'RecordOutcome', 'MeetSettlement'],
  SETTLED: ['RecordOutcome'],
  FAILED: ['RecordOutcome'],
  REVERSED: ['RecordOutcome'],
};

interface OnPayment {
  readonly commandId: string;
  readonly fingerprint: string;
  readonly paymentId: string;
}

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
const GIVEN_BACK: Readonly<Partial<Record<PaymentKind, PaymentKind>>> = { REFUND: 'MERCHANT', PAYOUT_RETURN: 'PAYOUT' };

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
    const funds = [
      ['till', 'XOF'],
      ['kasse', 'EUR'],
    ].map(([payee, currency]): Command => {
      const paymentId = `funds of ${payee}`;
      const of = { kind: 'FUNDING', amount: 60n, currency, payee, provider: 'bank:AB', upTo: 'SETTLED' } as const;
      return { type: 'Pay', ...this.#identified(paymentId), paymentId, ...this.#due(), ...of } as Command;
    });
    return [...opened, ...gifts, ...funds];
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
    const step = this.#fitting(wanted, what, paymentId);
    switch (step) {
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
      case 'Instruct':
        return this.#instruct(wanted, onPayment);
      case 'RecordOutcome':
        return this.#outcome(wanted, onPayment);
      case 'MeetSettlement':
        return { type: 'MeetSettlement', ...onPayment };
      case 'CreatePayout':
        return this.#payout(wanted, id);
      case 'CancelPayout': {
        const payouts = [...this.#world.states.keys()].filter((stream) => stream.startsWith('payout/'));
        const payoutId = idOf(payouts[other % Math.max(payouts.length, 1)] ?? 'payout/none');
        return { type: 'CancelPayout', ...this.#identified(id), payoutId, reason: 'a reason' };
      }
      case 'OpenBreaker':
      case 'HalfOpenBreaker':
      case 'CloseBreaker':
      case 'ForceBreaker':
        return this.#breaker(wanted, step, id);
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

  #instruct({ one, reason, seconds }: Ask, onPayment: OnPayment): Command {
    const [connector, provider] = CONNECTORS[one % CONNECTORS.length] ?? nothing();
    const at = Date.parse(this.now());
    const sendBefore = new Date(at + 60_000).toISOString();
    const resendAt = new Date(at + seconds * 1_000).toISOString();
    const machine = { ...onPayment, commandId: `instruct:${onPayment.commandId}` };
    return { type: 'Instruct', ...machine, connector, provider, sendBefore, ...(reason !== 'expired' && { resendAt }) };
  }

  /** Whatever a provider may say, of any attempt that there was, or of none. */
  #outcome({ one, other, wild, providerFee, amount }: Ask, onPayment: OnPayment): Command {
    const attempts = this.#world.payment(onPayment.paymentId)?.context.transfer?.instructions?.number ?? 0;
    const instruction = wild ? one % 4 : other % (attempts + 1);
    const providerRef = `ref-${one % 3}`;
    const fee = providerFee === null ? {} : { providerFee };
    const outcomes: readonly InstructionOutcome[] = [
      { said: 'accepted', providerRef },
      { said: 'confirmed', providerRef, ...fee },
      { said: 'settled', providerRef, ...fee },
      { said: 'refused', code: 'declined', elsewhere: amount % 2n === 0n },
      { said: 'refused', code: 'no such account', elsewhere: true },
      { said: 'unknown', reason: 'no answer in time' },
      { said: 'unknown', reason: 'no answer in time' },
      { said: 'not sent', reason: 'no connection' },
      { said: 'unresolvable', reason: 'cannot be asked' },
    ];
    const outcome = outcomes[(one + other) % outcomes.length] ?? nothing();
    // Providers' words come from machines, people's from somebody's key.
    const machine = wild ? {} : { commandId: `outcome:${onPayment.commandId}` };
    return { type: 'RecordOutcome', ...onPayment, ...machine, instruction, outcome, settlesAt: this.#due().settlesAt };
  }

  #payout({ one, amount, part, wild }: Ask, id: string): Command {
    const payer = wild ? 'alice' : one % 3 === 0 ? 'kasse' : 'till';
    return {
      type: 'CreatePayout',
      ...this.#identified(id),
      payoutId: id,
      amount,
      currency: payer === 'kasse' ? 'EUR' : 'XOF',
      payer,
      provider: 'bank:AB',
      beneficiary: 'b1',
      sliceMin: 1n,
      sliceMax: part === null || part < 1n ? 7n : part,
      expiresAt: this.#due().expiresAt,
    };
  }

  #breaker({ one, seconds, wild }: Ask, type: ConnectorCommand['type'], id: string): Command {
    const [connectorId] = CONNECTORS[one % CONNECTORS.length] ?? nothing();
    const of = { ...this.#identified(type === 'ForceBreaker' ? id : `breaker:${id}`), connectorId, reason: 'a reason' };
    const openUntil = new Date(Date.parse(this.now()) + seconds * 1_000).toISOString();
    switch (type) {
      case 'OpenBreaker':
        return { type, ...of, failures: 5, openUntil };
      case 'HalfOpenBreaker':
        return { type, ...of };
      case 'CloseBreaker':
        return { type, ...of, successes: 2 };
      case 'ForceBreaker':
        return { type, ...of, state: wild ? 'OPEN' : 'CLOSED' };
    }
  }

  /** Five times in six, a step that the payment's state allows: most others are refused, and lead nowhere. */
  #fitting({ one, other }: Ask, what: Step, paymentId: string): Step {
    const steps = STEPS[this.#world.payment(paymentId)?.value ?? ''] ?? [];
    const isOnPayment = /^(Authorize|Capture|Settle|Fail|Reverse|Instruct|RecordOutcome|MeetSettlement)$/.test(what);
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
    const givesBack = kind === 'REFUND' || kind === 'PAYOUT_RETURN';
    const original = givesBack ? this.#original(wanted) : undefined;
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
      ...(givesBack ? {} : { currency }),
      ...(payer === undefined ? {} : { payer }),
      ...(payee === undefined ? {} : { payee }),
      ...(NAMES_PROVIDER.test(kind) ? { provider: wanted.wild ? 'Nobody' : 'bank:AB' } : {}),
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
      .filter(({ value, context }) => value === 'SETTLED' && context.kind === GIVEN_BACK[wanted.kind]);
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
