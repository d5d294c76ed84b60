import type { KoraRequest } from '../../src/actors/requests.ts';

type Unkeyed<Request> = Request extends unknown ? Omit<Request, 'idempotencyKey'> : never;

/** What a scenario is played on. */
export interface Stage {
  /** Asks for something, and gives the id of the payment or account. A refusal that leaves nothing throws. */
  readonly ask: (request: Unkeyed<KoraRequest>) => Promise<string>;
  /** Lets a hold run out. */
  readonly expire: (paymentId: string) => Promise<void>;
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
};
