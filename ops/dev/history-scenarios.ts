import type { ConnectorRequest, KoraRequest } from '../../src/actors/requests.ts';
import type { ConnectorCommand, InstructionOutcome } from '../../src/machines/commands.ts';

type Unkeyed<Request> = Request extends unknown ? Omit<Request, 'idempotencyKey'> : never;

type Unidentified<Command> = Command extends unknown ? Omit<Command, 'commandId' | 'fingerprint'> : never;

/** What a scenario is played on. */
export interface Stage {
  /** Asks for something, and gives the id of the payment or account. A refusal that leaves nothing throws. */
  readonly ask: (request: Unkeyed<KoraRequest>) => Promise<string>;
  /** Lets a hold run out. */
  readonly expire: (paymentId: string) => Promise<void>;
  /** The slices of a payout, each with its payment's id. */
  readonly slicesOf: (payoutId: string) => Promise<readonly string[]>;
  /** Tells a connector of a payment. With `resend` the same may be sent again an hour later. */
  readonly tell: (paymentId: string, connector: string, resend?: 'resend') => Promise<void>;
  /** What is known of an instruction then: of the newest one, or of one by its number. */
  readonly hear: (paymentId: string, outcome: InstructionOutcome, instruction?: number) => Promise<void>;
  /** The day of settlement comes, and nothing else does. */
  readonly meet: (paymentId: string) => Promise<void>;
  /** What a breaker does by itself, and what an operator does. */
  readonly trip: (command: Unidentified<ConnectorCommand>) => Promise<void>;
  readonly operate: (request: Unkeyed<ConnectorRequest>) => Promise<void>;
  /** Lets time pass. */
  readonly wait: (hours: number) => void;
}

/** By name. They may change with the product: what was recorded from them does not. */
export const scenarios: Readonly<Record<string, (stage: Stage) => Promise<void>>> = {
  /** Every command on accounts, every kind of payment on every path, every fact. */
  everything: async ({ ask, expire }) => {
    const currency = 'XOF';
    const [p2p, cashIn, cashOut] = [
      { type: 'Pay', kind: 'P2P', currency },
      { type: 'Pay', kind: 'CASH_IN', currency, provider: 'cash' },
      { type: 'Pay', kind: 'CASH_OUT', currency, provider: 'bank:AB' },
    ] as const;
    const merchant = { type: 'Pay', kind: 'MERCHANT', currency, payee: 'shop' } as const;
    const all = { upTo: 'SETTLED' } as const;
    const held = { upTo: 'AUTHORIZED' } as const;

    const customer = { type: 'OpenAccount', walletType: 'customer', currency } as const;
    await ask({ ...customer, accountId: 'ada', owner: 'user:u1' });
    await ask({ ...customer, accountId: 'ben' });
    await ask({ ...customer, accountId: 'cyd', limit: 500n });
    await ask({ ...customer, accountId: 'dan' });
    await ask({ type: 'OpenAccount', accountId: 'shop', walletType: 'merchant', currency, feeBps: 250 });
    await ask({ type: 'OpenAccount', accountId: 'kiosk', walletType: 'merchant', currency, feeBps: 100 });
    await ask({ type: 'OpenAccount', accountId: 'vault', walletType: 'treasury', currency });
    await ask({ type: 'SetLimit', accountId: 'ben', limit: 1_000n, reason: 'a good customer' });
    await ask({ type: 'FreezeAccount', accountId: 'dan', reason: 'a lost phone' });
    await ask({ type: 'UnfreezeAccount', accountId: 'dan', reason: 'found again' });
    await ask({ type: 'CloseAccount', accountId: 'dan', reason: 'moved away' });
    await ask({ type: 'Pay', kind: 'FUNDING', currency, payee: 'vault', provider: 'bank:AB', amount: 90_000n, ...all });

    // Cash-ins: in one go, step by step, failed, reversed by the provider after the money was spent.
    await ask({ ...cashIn, payee: 'ada', amount: 20_000n, providerFee: 70n, ...all });
    const slow = await ask({ ...cashIn, payee: 'cyd', amount: 3_000n, upTo: 'INITIATED' });
    await ask({ type: 'Authorize', paymentId: slow });
    await ask({ type: 'Capture', paymentId: slow });
    await ask({ type: 'Settle', paymentId: slow, providerFee: 10n });
    const never = await ask({ ...cashIn, payee: 'ben', amount: 800n, upTo: 'INITIATED' });
    await ask({ type: 'Fail', paymentId: never, reason: 'the agent had no float' });
    const bounced = await ask({ ...cashIn, payee: 'ben', amount: 2_500n, upTo: 'CAPTURED' });
    await ask({ ...p2p, payer: 'ben', payee: 'cyd', amount: 3_200n, ...all });
    await ask({ type: 'Reverse', paymentId: bounced, reason: 'provider' });
    await ask({ ...cashIn, payee: 'ben', amount: 4_000n, ...all });

    // Transfers: in one go, in part, refused for funds, for a closed payee, called off, run out, ended by somebody.
    await ask({ ...p2p, payer: 'ada', payee: 'ben', amount: 1_500n, ...all });
    const part = await ask({ ...p2p, payer: 'ada', payee: 'cyd', amount: 600n, ...held });
    await ask({ type: 'Capture', paymentId: part, amount: 450n });
    await ask({ ...p2p, payer: 'cyd', payee: 'ada', amount: 1_000_000n, ...all });
    await ask({ ...p2p, payer: 'ada', payee: 'dan', amount: 10n, ...all });
    const off = await ask({ ...p2p, payer: 'ada', payee: 'ben', amount: 70n, ...held });
    await ask({ type: 'Reverse', paymentId: off, reason: 'requested' });
    await expire(await ask({ ...p2p, payer: 'ada', payee: 'ben', amount: 80n, ...held }));
    const ended = await ask({ ...p2p, payer: 'ada', payee: 'ben', amount: 90n, ...held });
    // Somebody's word, that happens to be spelt like a refusal of ours.
    await ask({ type: 'Fail', paymentId: ended, reason: 'InsufficientFunds' });

    // Refused because of a freeze.
    await ask({ type: 'FreezeAccount', accountId: 'cyd', reason: 'odd transfers' });
    await ask({ ...p2p, payer: 'cyd', payee: 'ben', amount: 5n, ...all });

    // Cash-outs: settled, released, given back.
    const out = await ask({ ...cashOut, payer: 'ada', amount: 2_000n, ...held });
    await ask({ type: 'Capture', paymentId: out });
    await ask({ type: 'Settle', paymentId: out, providerFee: 25n });
    const back = await ask({ ...cashOut, payer: 'ada', amount: 1_100n, upTo: 'CAPTURED' });
    await ask({ type: 'Reverse', paymentId: back, reason: 'requested' });
    await ask({ ...cashOut, payer: 'ben', amount: 300n, ...held });

    // Purchases: settled, given back, to a merchant who was gone when it was to be paid.
    const bought = await ask({ ...merchant, payer: 'ada', amount: 4_000n, ...all });
    const changed = await ask({ ...merchant, payer: 'ada', amount: 700n, upTo: 'CAPTURED' });
    await ask({ type: 'Reverse', paymentId: changed, reason: 'requested' });
    const late = await ask({ ...merchant, payer: 'ada', payee: 'kiosk', amount: 1_000n, upTo: 'CAPTURED' });
    await ask({ type: 'CloseAccount', accountId: 'kiosk', reason: 'gave up' });
    await ask({ type: 'Settle', paymentId: late });
    await ask({ ...merchant, payer: 'ben', amount: 350n, upTo: 'CAPTURED' });

    // Refunds: in part, more than is left, begun and ended.
    const refund = { type: 'Pay', kind: 'REFUND', original: bought, currency } as const;
    await ask({ ...refund, amount: 1_200n, ...all });
    await ask({ ...refund, amount: 9_000n, ...all });
    const open = await ask({ ...refund, amount: 300n, ...held });
    await ask({ type: 'Fail', paymentId: open, reason: 'the customer keeps it' });
  },

  /** Who ended a payment: version 2 of PaymentFailed. */
  failures: async ({ ask }) => {
    const currency = 'XOF';
    for (const accountId of ['eve', 'fay']) {
      await ask({ type: 'OpenAccount', accountId, walletType: 'customer', currency });
    }
    const cashIn = { type: 'Pay', kind: 'CASH_IN', currency, provider: 'cash' } as const;
    await ask({ ...cashIn, payee: 'eve', amount: 500n, upTo: 'SETTLED' });
    const never = await ask({ ...cashIn, payee: 'fay', amount: 300n, upTo: 'INITIATED' });
    await ask({ type: 'Fail', paymentId: never, reason: 'AccountFrozen' });
    const p2p = { type: 'Pay', kind: 'P2P', currency, payer: 'eve', payee: 'fay' } as const;
    await ask({ ...p2p, amount: 700n, upTo: 'SETTLED' });
    await ask({ ...p2p, amount: 200n, upTo: 'SETTLED' });
    const held = await ask({ ...p2p, amount: 100n, upTo: 'AUTHORIZED' });
    await ask({ type: 'Fail', paymentId: held, reason: 'changed her mind' });
  },

  /** What providers were told and said, payouts, and breakers. */
  instructions: async ({ ask, slicesOf, tell, hear, meet, trip, operate, wait }) => {
    const currency = 'XOF';
    await ask({ type: 'OpenAccount', accountId: 'gil', walletType: 'customer', currency });
    for (const accountId of ['till', 'empty'])
      await ask({ type: 'OpenAccount', accountId, walletType: 'treasury', currency });
    const cash = { type: 'Pay', kind: 'CASH_IN', currency, payee: 'gil', provider: 'momo', rail: 'ussd' } as const;
    await ask({
      type: 'Pay',
      kind: 'FUNDING',
      currency,
      payee: 'till',
      provider: 'bank:AB',
      amount: 50_000n,
      upTo: 'SETTLED',
    });

    // Collected by one provider after another has refused; and once more, by that one, after all.
    const collected = await ask({ ...cash, beneficiary: 'gil-1', amount: 9_000n, upTo: 'AUTHORIZED' });
    await tell(collected, 'momo-1');
    await hear(collected, { said: 'refused', code: 'timeout at the switch', elsewhere: true });
    await tell(collected, 'momo-2');
    await hear(collected, { said: 'confirmed', providerRef: 'm2-1' });
    await hear(collected, { said: 'confirmed', providerRef: 'm1-1' }, 1);
    await meet(collected);
    await hear(collected, { said: 'settled', providerRef: 'm2-1', providerFee: 90n });
    await hear(collected, { said: 'settled', providerRef: 'm2-1', providerFee: 100n });
    await hear(collected, { said: 'refused', code: 'reversed', elsewhere: false });

    // A cash-out that nobody knows of, sent again, and found out by people.
    const out = {
      type: 'Pay',
      kind: 'CASH_OUT',
      currency,
      payer: 'gil',
      provider: 'momo',
      upTo: 'AUTHORIZED',
    } as const;
    const doubted = await ask({ ...out, amount: 700n });
    await tell(doubted, 'momo-1', 'resend');
    await hear(doubted, { said: 'unknown', reason: 'no answer in time' });
    wait(2);
    await tell(doubted, 'momo-1', 'resend');
    await hear(doubted, { said: 'not sent', reason: 'no connection' });
    await hear(doubted, { said: 'unresolvable', reason: 'cannot be asked' });
    await ask({ type: 'Resolve', paymentId: doubted, outcome: 'settled', providerRef: 'm1-2', providerFee: 7n });

    // Refused after it had been taken on.
    const bounced = await ask({ ...out, amount: 300n });
    await tell(bounced, 'momo-1');
    await hear(bounced, { said: 'accepted', providerRef: 'm1-3' });
    await hear(bounced, { said: 'refused', code: 'no such number', elsewhere: false });

    // A payout: a slice in each state; cancelled; a part came back. And one that is refused.
    const payout = {
      type: 'CreatePayout',
      currency,
      payer: 'till',
      provider: 'bank:AB',
      beneficiary: 'hal-1',
    } as const;
    const paidOut = await ask({ ...payout, amount: 4_600n, rail: 'sepa' });
    const [settled = '', sent = '', unknown = '', refused = ''] = await slicesOf(paidOut);
    await tell(settled, 'ab-1');
    await hear(settled, { said: 'settled', providerRef: 'ab-1', providerFee: 5n });
    await tell(sent, 'ab-1');
    await hear(sent, { said: 'accepted', providerRef: 'ab-2' });
    await tell(unknown, 'ab-1');
    await hear(unknown, { said: 'unknown', reason: 'the connection broke' });
    await tell(refused, 'ab-1');
    await hear(refused, { said: 'refused', code: 'account closed', elsewhere: false });
    await ask({ type: 'CancelPayout', payoutId: paidOut, reason: 'not wanted any more' });
    await ask({ type: 'Pay', kind: 'PAYOUT_RETURN', currency, original: settled, amount: 400n, upTo: 'SETTLED' });
    await ask({ ...payout, payer: 'empty', amount: 100n });

    const connectorId = 'momo-1';
    await trip({
      type: 'OpenBreaker',
      connectorId,
      failures: 5,
      reason: 'no answers',
      openUntil: '2025-03-04T08:00:00.000Z',
    });
    wait(24);
    await trip({ type: 'HalfOpenBreaker', connectorId });
    await trip({ type: 'CloseBreaker', connectorId, successes: 2 });
    await operate({ type: 'ForceBreaker', connectorId, state: 'OPEN', reason: 'an outage was announced' });
  },
};
