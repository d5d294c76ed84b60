import { describe, expect, it } from 'vitest';
import type { AccountRequest, PaymentRequest } from '../actors/requests.ts';
import { isOwner } from '../kernel/ids.ts';
import type { PaymentKind, PaymentStatus } from '../machines/payment/payment.facts.ts';
import {
  farthestFor,
  mayDebit,
  mayHearOf,
  mayOperateAccount,
  mayOperateConnectors,
  mayPay,
  mayPayOut,
  mayReadAccount,
  mayReadConnectors,
  mayReadEverything,
  mayReadPayment,
  mayReadPayouts,
  mayStep,
} from './access.ts';
import type { Principal, Role } from './principal.ts';
import type { Scope } from './scopes.ts';

/** Proves who may what, for every role, as a party and as a stranger: whatever is not named in the tables is refused. */
const me = 'user:me';
const user = (...roles: Role[]): Principal => ({
  tenant: 'kora',
  principal: me,
  roles,
  scopes: [],
  sessionId: 's',
  deviceId: 'd',
  expiresAtMs: 0,
});
const service = (...scopes: Scope[]): Principal => ({
  tenant: 'kora',
  principal: 'service:pos',
  roles: ['service'],
  scopes: scopes.length === 0 ? undefined : scopes,
  expiresAtMs: 0,
});
const who: Readonly<Record<string, Principal>> = {
  customer: user('customer'),
  merchant: user('merchant'),
  both: user('customer', 'merchant'),
  support: user('support'),
  reviewer: user('reviewer'),
  admin: user('admin'),
  nobody: user(),
  service: service(),
  'reading service': service('accounts:read', 'payments:read'),
  'paying service': service('payments:write'),
  'settling service': service('payments:write', 'payments:settle'),
  'opening service': service('accounts:write'),
  'watching service': service('stream:read'),
  'telling service': service('webhooks:manage'),
  'paying-out service': service('payouts:write', 'payouts:read'),
  'operating service': service('connectors:operate', 'connectors:read'),
};
/** Those of `who` for whom it is so. */
const those = (may: (principal: Principal) => boolean): string[] =>
  Object.entries(who)
    .filter(([, principal]) => may(principal))
    .map(([name]) => name);

const seers = ['support', 'reviewer', 'admin', 'service'];

describe('having events told', () => {
  it('is for admins, and for services that might read the same', () => {
    expect(those((one) => mayHearOf(one, ['payment']))).toEqual(['admin', 'service']);
    expect(those((one) => mayHearOf(one, ['something new']))).toEqual(['admin', 'service']);
    const told = service('webhooks:manage', 'payments:read');
    expect([['payment'], ['payment', 'account'], ['something new']].map((kinds) => mayHearOf(told, kinds))).toEqual([
      true,
      false,
      false,
    ]);
  });
});

describe('reading', () => {
  it('an account: its owner, and who sees everything', () => {
    const readers = [...seers, 'reading service'];
    expect(those((one) => mayReadAccount(one, { owner: me }))).toEqual(['customer', 'merchant', 'both', ...readers]);
    for (const account of [{ owner: 'user:other' }, { owner: undefined }, {}, undefined]) {
      expect(those((one) => mayReadAccount(one, account))).toEqual(readers);
    }
    expect(those((one) => mayReadAccount(one, {}, 'stream:read'))).toEqual([...seers, 'watching service']);
  });

  it('a payment: both parties, and who sees everything', () => {
    const readers = [...seers, 'reading service'];
    const parties = ['customer', 'merchant', 'both', ...readers];
    expect(those((one) => mayReadPayment(one, { payer: me, payee: 'user:other' }))).toEqual(parties);
    expect(those((one) => mayReadPayment(one, { payer: undefined, payee: me }))).toEqual(parties);
    expect(those((one) => mayReadPayment(one, { payer: 'user:other', payee: undefined }))).toEqual(readers);
  });

  it('everything: who is paid to, and services with the scope', () => {
    expect(those((one) => mayReadEverything(one, 'payments:read'))).toEqual([...seers, 'reading service']);
    expect(those((one) => mayReadEverything(one, 'stream:read'))).toEqual([...seers, 'watching service']);
  });

  it('is no matter of a name: a service called like a user owns nothing', () => {
    const impostor = { ...service('payments:settle'), principal: me };
    expect(mayReadAccount(impostor, { owner: me })).toBe(false);
    expect(mayDebit(impostor, { owner: me })).toBe(false);
    expect(isOwner('service:pos')).toBe(false);
  });
});

describe('payouts and connectors', () => {
  it('are seen by who sees everything, and by services with the scope; payouts are made by services alone', () => {
    expect(those((one) => mayReadPayouts(one))).toEqual([...seers, 'paying-out service']);
    expect(those((one) => mayReadPayouts(one, 'stream:read'))).toEqual([...seers, 'watching service']);
    expect(those(mayPayOut)).toEqual(['service', 'paying-out service']);
    expect(those((one) => mayReadConnectors(one))).toEqual([...seers, 'operating service']);
    expect(those(mayOperateConnectors)).toEqual(['admin', 'service', 'operating service']);
  });
});

describe('accounts', () => {
  const open = (of: Partial<Extract<AccountRequest, { type: 'OpenAccount' }>> = {}): AccountRequest => ({
    type: 'OpenAccount',
    idempotencyKey: 'k',
    walletType: 'customer',
    currency: 'XOF',
    owner: me,
    ...of,
  });
  const openers = ['admin', 'service', 'opening service'];

  it('are opened by people for themselves, of the type of their role, on our terms', () => {
    expect(those((one) => mayOperateAccount(one, open()))).toEqual(['customer', 'both', ...openers]);
    expect(those((one) => mayOperateAccount(one, open({ walletType: 'merchant' })))).toEqual([
      'merchant',
      'both',
      ...openers,
    ]);
    const notTheirs: AccountRequest[] = [
      open({ walletType: 'treasury' }),
      open({ owner: 'user:other' }),
      open({ limit: 0n }),
      open({ feeBps: 0 }),
      open({ accountId: 'mine' }),
      { type: 'OpenAccount', idempotencyKey: 'k', walletType: 'customer', currency: 'XOF' },
    ];
    for (const request of notTheirs) expect(those((one) => mayOperateAccount(one, request))).toEqual(openers);
  });

  it('are frozen, unfrozen, closed and limited by admins, and by services with the scope', () => {
    const of = { idempotencyKey: 'k', accountId: 'a', reason: 'r' };
    for (const type of ['FreezeAccount', 'UnfreezeAccount', 'CloseAccount'] as const) {
      expect(those((one) => mayOperateAccount(one, { type, ...of }))).toEqual(openers);
    }
    expect(those((one) => mayOperateAccount(one, { type: 'SetLimit', limit: 1n, ...of }))).toEqual(openers);
  });

  it('are debited by their owner, and by services that may pay; admins move no money', () => {
    const payers = ['service', 'paying service', 'settling service'];
    expect(those((one) => mayDebit(one, { owner: me }))).toEqual(['customer', 'merchant', 'both', ...payers]);
    expect(those((one) => mayDebit(one, { owner: 'user:other' }))).toEqual(payers);
    expect(those((one) => mayDebit(one, undefined))).toEqual(payers);
  });
});

type PayRequest = Extract<PaymentRequest, { type: 'Pay' }>;
const pay = (kind: PaymentKind, upTo: PayRequest['upTo'], of: Partial<PayRequest> = {}): PayRequest => ({
  type: 'Pay',
  idempotencyKey: 'k',
  kind,
  amount: 1n,
  currency: 'XOF',
  upTo,
  ...of,
});

describe('payments', () => {
  const mine = { payer: me, payee: 'user:other' };
  const toMe = { payer: 'user:other', payee: me };
  const people = ['customer', 'merchant', 'both'];
  const payers = ['service', 'paying service', 'settling service'];
  const settlers = ['service', 'settling service'];
  const made: [kind: PaymentKind, upTo: PayRequest['upTo'], owners: typeof mine, by: string[]][] = [
    ['P2P', 'SETTLED', mine, [...people, ...payers]],
    ['P2P', 'INITIATED', mine, [...people, ...payers]],
    ['P2P', 'SETTLED', toMe, payers],
    ['MERCHANT', 'CAPTURED', mine, ['customer', 'both', ...payers]],
    ['MERCHANT', 'SETTLED', mine, payers],
    ['MERCHANT', 'CAPTURED', toMe, payers],
    ['CASH_OUT', 'AUTHORIZED', mine, [...people, ...payers]],
    ['CASH_OUT', 'CAPTURED', mine, payers],
    ['CASH_OUT', 'SETTLED', mine, settlers],
    ['CASH_OUT', 'AUTHORIZED', toMe, payers],
    ['CASH_IN', 'INITIATED', toMe, payers],
    ['CASH_IN', 'SETTLED', toMe, settlers],
    ['FUNDING', 'SETTLED', toMe, settlers],
    // It settles with its capture.
    ['FUNDING', 'CAPTURED', toMe, settlers],
    ['PAYOUT_RETURN', 'SETTLED', mine, settlers],
    ['CASH_IN', 'CAPTURED', toMe, payers],
    ['UNIDENTIFIED_CREDIT', 'SETTLED', mine, ['service']],
    ['CORRECTION_DEBIT', 'SETTLED', mine, ['service']],
    ['CORRECTION_CREDIT', 'SETTLED', toMe, ['service']],
    ['REFUND', 'SETTLED', toMe, ['merchant', 'both', ...payers]],
    ['REFUND', 'SETTLED', mine, payers],
  ];
  it.each(made)('%s up to %s', (kind, upTo, owners, by) => {
    expect(those((one) => mayPay(one, pay(kind, upTo), owners)).sort()).toEqual([...by].sort());
  });

  it('are made as far as somebody’s word goes', () => {
    expect(farthestFor(user('customer'), 'MERCHANT')).toBe('CAPTURED');
    expect(farthestFor(user('customer'), 'REFUND')).toBeUndefined();
    expect(farthestFor(user('admin'), 'P2P')).toBeUndefined();
    expect(farthestFor(service('payments:write'), 'CASH_IN')).toBe('SETTLED');
    expect(farthestFor(service('payments:write'), 'WRITE_OFF_LOSS')).toBeUndefined();
    expect(farthestFor(service('ledger:correct'), 'WRITE_OFF_LOSS')).toBe('SETTLED');
  });

  it('of reconciliation are made by its scope, and nothing else is', () => {
    expect(mayPay(service('ledger:correct'), pay('CORRECTION_DEBIT', 'SETTLED'), mine)).toBe(true);
    expect(mayPay(service('ledger:correct'), pay('P2P', 'SETTLED'), mine)).toBe(false);
  });

  it('are not told what the provider takes, or what is captured, by people', () => {
    for (const of of [{ providerFee: 0n }, { captureAmount: 1n }]) {
      expect(those((one) => mayPay(one, pay('P2P', 'SETTLED', of), mine))).toEqual(payers);
    }
  });

  type Step = Exclude<PaymentRequest, PayRequest>;
  const on = { idempotencyKey: 'k', paymentId: 'p' };
  const steps: [step: Step, kind: PaymentKind, status: PaymentStatus, owners: typeof mine, by: string[]][] = [
    [{ type: 'Authorize', ...on }, 'P2P', 'INITIATED', mine, [...people, ...payers]],
    [{ type: 'Authorize', ...on }, 'P2P', 'INITIATED', toMe, payers],
    [{ type: 'Capture', ...on }, 'P2P', 'AUTHORIZED', mine, [...people, ...payers]],
    [{ type: 'Capture', ...on }, 'P2P', 'AUTHORIZED', toMe, payers],
    [{ type: 'Capture', ...on }, 'MERCHANT', 'AUTHORIZED', toMe, ['merchant', 'both', ...payers]],
    [{ type: 'Capture', ...on }, 'MERCHANT', 'AUTHORIZED', mine, payers],
    [{ type: 'Capture', ...on }, 'CASH_OUT', 'AUTHORIZED', mine, payers],
    [{ type: 'Capture', ...on }, 'FUNDING', 'AUTHORIZED', toMe, settlers],
    [{ type: 'Settle', ...on }, 'MERCHANT', 'CAPTURED', toMe, settlers],
    [{ type: 'Settle', ...on }, 'CASH_OUT', 'CAPTURED', mine, settlers],
    [{ type: 'Resolve', ...on, outcome: 'refused', reason: 'r' }, 'CASH_OUT', 'AUTHORIZED', mine, settlers],
    [{ type: 'Reverse', ...on, reason: 'requested' }, 'MERCHANT', 'CAPTURED', toMe, ['merchant', 'both', ...payers]],
    [{ type: 'Reverse', ...on, reason: 'requested' }, 'MERCHANT', 'CAPTURED', mine, payers],
    [{ type: 'Reverse', ...on, reason: 'requested' }, 'P2P', 'AUTHORIZED', mine, [...people, ...payers]],
    [{ type: 'Reverse', ...on, reason: 'requested' }, 'CASH_OUT', 'AUTHORIZED', mine, payers],
    [{ type: 'Reverse', ...on, reason: 'provider' }, 'MERCHANT', 'CAPTURED', toMe, payers],
    [{ type: 'Fail', ...on, reason: 'r' }, 'CASH_OUT', 'INITIATED', mine, [...people, ...payers]],
    [{ type: 'Fail', ...on, reason: 'r' }, 'CASH_OUT', 'AUTHORIZED', mine, payers],
    [{ type: 'Fail', ...on, reason: 'r' }, 'MERCHANT', 'AUTHORIZED', mine, payers],
    [{ type: 'Fail', ...on, reason: 'r' }, 'P2P', 'INITIATED', toMe, payers],
  ];
  it.each(steps)('%j of %s in %s', (step, kind, status, owners, by) => {
    expect(those((one) => mayStep(one, step, { kind, status }, owners)).sort()).toEqual([...by].sort());
  });
});
