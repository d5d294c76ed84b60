import { describe, expect, it } from 'vitest';
import type { AccountCommand, OpenAccount } from '../commands.ts';
import { figures, given, wallet } from '../testing/given.ts';
import type { WalletFigures } from './account.facts.ts';

/** Proves what a command on an account writes, that it is harmless when it comes again, and what each status allows. */
const by = { commandId: 'c1', fingerprint: 'f', accountId: 'alice' } as const;
const open = (of: Partial<OpenAccount> = {}): OpenAccount => ({
  type: 'OpenAccount',
  ...by,
  walletType: 'customer',
  currency: 'XOF',
  ...of,
});
const freeze: AccountCommand = { type: 'FreezeAccount', ...by, reason: 'police' };
const unfreeze: AccountCommand = { type: 'UnfreezeAccount', ...by, reason: 'cleared' };
const close: AccountCommand = { type: 'CloseAccount', ...by, reason: 'wish', openPayments: 0 };
const limit = (to: bigint): AccountCommand => ({ type: 'SetLimit', ...by, reason: 'agreed', limit: to });
const handled = (version: number, after: WalletFigures) => ({
  type: 'RequestHandled' as const,
  fingerprint: 'f',
  accountId: 'alice',
  version,
  after,
});

describe('open', () => {
  it('makes an empty wallet, and remembers the request', () => {
    expect(given({}).when(open({ limit: 50n }))).toEqual({
      wrote: {
        'account/alice': [{ type: 'AccountOpened', after: figures({ limit: '50' }) }],
        'request/c1': [handled(1, figures({ limit: '50' }))],
      },
    });
  });

  it('gives every merchant a fee, and nobody else', () => {
    expect(given({}).when(open({ walletType: 'merchant' })).wrote?.['account/alice']).toMatchObject([
      { after: { feeBps: 0 } },
    ]);
    expect(given({}).when(open({ feeBps: 10 })).refused).toMatchObject({ code: 'Invalid', field: 'feeBps' });
  });

  it.each([
    [{ accountId: 'float:cash:XOF' }, 'accountId'],
    [{ accountId: '' }, 'accountId'],
    [{ currency: 'XAU' }, 'currency'],
    [{ currency: 'xof' }, 'currency'],
    [{ limit: -1n }, 'limit'],
    [{ limit: 10n ** 30n }, 'limit'],
    [{ walletType: 'merchant', feeBps: 10_001 }, 'feeBps'],
    [{ walletType: 'merchant', feeBps: -1 }, 'feeBps'],
    [{ walletType: 'merchant', feeBps: 1.5 }, 'feeBps'],
    [{ owner: 'ada' }, 'owner'],
    [{ owner: 'service:pos' }, 'owner'],
    [{ owner: 'user:' }, 'owner'],
  ] as const)('refuses %o', (of, field) => {
    expect(given({}).when(open(of))).toMatchObject({ refused: { code: 'Invalid', field } });
  });

  it('of an account that exists is refused, closed or not', () => {
    for (const status of ['OPEN', 'CLOSED'] as const) {
      const before = { 'account/alice': wallet({ status }) };
      expect(given(before).when(open()).refused).toMatchObject({ code: 'AccountExists', accountId: 'alice' });
    }
  });
});

describe('freeze and unfreeze', () => {
  it('change the status and nothing else', () => {
    const before = figures({ posted: '7', held: '3', limit: '1' });
    expect(given({ 'account/alice': wallet(before) }).when(freeze)).toEqual({
      wrote: {
        'account/alice': [{ type: 'AccountFrozen', reason: 'police', after: { ...before, status: 'FROZEN' } }],
        'request/c1': [handled(2, { ...before, status: 'FROZEN' })],
      },
    });
    const frozen = { 'account/alice': wallet({ ...before, status: 'FROZEN' }) };
    expect(given(frozen).when(unfreeze).wrote?.['account/alice']).toMatchObject([{ after: before }]);
  });
});

describe('close', () => {
  it.each([
    [{}, 0, undefined],
    [{ status: 'FROZEN' }, 0, undefined],
    [{ posted: '1' }, 0, { posted: '1', held: '0', openPayments: 0 }],
    [{ posted: '-1', limit: '5' }, 0, { posted: '-1' }],
    [{ held: '1', limit: '5' }, 0, { held: '1' }],
    [{}, 2, { openPayments: 2 }],
  ] as const)('%o with %i open payments: %o', (of, openPayments, refusal) => {
    const { wrote, refused } = given({ 'account/alice': wallet(of) }).when({
      ...close,
      openPayments,
    });
    if (refusal === undefined) expect(wrote?.['account/alice']).toMatchObject([{ after: { status: 'CLOSED' } }]);
    else expect(refused).toMatchObject({ code: 'AccountNotEmpty', ...refusal });
  });
});

describe('limit', () => {
  it.each([
    [{ posted: '0' }, 100n, undefined],
    [{ posted: '-60', limit: '100' }, 60n, undefined],
    [{ posted: '-60', limit: '100' }, 59n, { code: 'InsufficientFunds', available: '40', asked: '41' }],
    [{ posted: '10', held: '50', limit: '40' }, 39n, { code: 'InsufficientFunds', available: '0', asked: '1' }],
    // A forced entry took it below: raising the limit is always possible.
    [{ posted: '-60' }, 20n, undefined],
    [{ posted: '0', status: 'FROZEN' }, 20n, undefined],
    [{ posted: '0' }, -1n, { code: 'Invalid', field: 'limit' }],
  ] as const)('%o to %s: %o', (of, to, refusal) => {
    const { wrote, refused } = given({ 'account/alice': wallet(of) }).when(limit(to));
    if (refusal === undefined) expect(wrote?.['account/alice']).toMatchObject([{ after: { limit: String(to) } }]);
    else expect(refused).toMatchObject(refusal);
  });
});

describe('what a status does not allow', () => {
  it.each([
    ['OPEN', [unfreeze], ['FreezeAccount', 'CloseAccount', 'SetLimit']],
    ['FROZEN', [freeze], ['UnfreezeAccount', 'CloseAccount', 'SetLimit']],
    ['CLOSED', [freeze, unfreeze, close, limit(1n)], []],
  ] as const)('%s', (state, commands, allowed) => {
    for (const command of commands) {
      expect(given({ 'account/alice': wallet({ status: state }) }).when(command)).toMatchObject({
        refused: { code: 'IllegalTransition', state, command: command.type, allowed },
      });
    }
  });

  it.each([freeze, unfreeze, close, limit(1n)])('an account that does not exist: $type', (command) => {
    expect(given({}).when(command).refused).toMatchObject({ code: 'NotFound', what: 'account', id: 'alice' });
  });

  it('a reason that is none', () => {
    for (const reason of ['', 'two\nlines', 'x'.repeat(201)]) {
      const command = { ...freeze, reason } as AccountCommand;
      expect(given({ 'account/alice': wallet() }).when(command).refused).toMatchObject({ field: 'reason' });
    }
  });
});

describe('a repeated command', () => {
  const done = { 'account/alice': wallet({ status: 'CLOSED' }), 'request/c1': [handled(2, figures())] };

  it('is answered from its request, whatever became of the account', () => {
    expect(given(done).when(freeze)).toEqual({ repeats: handled(2, figures()) });
    expect(given(done).when(open())).toEqual({ repeats: handled(2, figures()) });
  });

  it('with other contents is a conflict', () => {
    expect(given(done).when({ ...freeze, fingerprint: 'g' }).refused).toMatchObject({ code: 'IdempotencyConflict' });
  });
});
