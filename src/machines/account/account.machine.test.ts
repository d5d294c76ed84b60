import { describe, expect, it } from 'vitest';
import { evolveWallet } from '../evolve.ts';
import { figures } from '../testing/given.ts';
import type { WalletFact, WalletFigures } from './account.facts.ts';
import { walletFromFact } from './account.machine.ts';

/** Proves that no fact is legal whose figures do not follow, or that its status does not take. */
describe('a fact of a wallet', () => {
  const history = (of: Partial<WalletFigures>) =>
    walletFromFact({ type: 'AccountOpened', after: figures(of) }, 1, 'alice');
  const open = { posted: '10', held: '4', limit: '2' };
  const frozen = { ...open, status: 'FROZEN' } as const;
  const fact = (type: WalletFact['type'], of: object, after: Partial<WalletFigures>): WalletFact =>
    ({
      type,
      paymentId: 'p',
      step: 'CAPTURED',
      currency: 'XOF',
      ...of,
      after: figures({ ...open, ...after }),
    }) as WalletFact;

  it.each([
    ['a debit of what is available', open, fact('EntryPosted', { amount: '-8' }, { posted: '2' })],
    ['a debit with its hold', open, fact('EntryPosted', { amount: '-12', released: '4' }, { posted: '-2', held: '0' })],
    ['a forced debit', frozen, fact('EntryPosted', { amount: '-9', forced: true }, { ...frozen, posted: '1' })],
    ['a credit of a frozen wallet', frozen, fact('EntryPosted', { amount: '1' }, { ...frozen, posted: '11' })],
    ['a hold of what is available', open, fact('HoldPlaced', { amount: '8' }, { held: '12' })],
    ['a release of a frozen wallet', frozen, fact('HoldReleased', { amount: '4' }, { ...frozen, held: '0' })],
    [
      'whatever happens to the wallet of an owner',
      { ...open, owner: 'user:ada' },
      fact('EntryPosted', { amount: '-8' }, { posted: '2', owner: 'user:ada' }),
    ],
    ['a limit that is not used', open, fact('AccountLimitSet', {}, { limit: '0' })],
    [
      'a refusal on a closed wallet',
      { status: 'CLOSED' },
      { type: 'PaymentRefused', paymentId: 'p', reason: 'x', after: figures({ status: 'CLOSED' }) },
    ],
  ] as const)('is legal: %s', (_title, of, one) => {
    expect(evolveWallet(history(of), one, 'alice')).toEqual(walletFromFact(one, 2, 'alice'));
  });

  it.each([
    ['a sum that is off', open, fact('EntryPosted', { amount: '-6' }, { posted: '5' })],
    ['a hold that vanishes', open, fact('EntryPosted', { amount: '-6' }, { posted: '4', held: '0' })],
    ['a limit that appears', open, fact('EntryPosted', { amount: '-6' }, { posted: '4', limit: '9' })],
    ['a status that changes by itself', open, fact('EntryPosted', { amount: '-6' }, { posted: '4', status: 'FROZEN' })],
    ['another type', open, fact('EntryPosted', { amount: '-6' }, { posted: '4', type: 'merchant' })],
    ['a fee that appears', open, fact('EntryPosted', { amount: '-6' }, { posted: '4', feeBps: 1 })],
    ['an owner that appears', open, fact('EntryPosted', { amount: '-6' }, { posted: '4', owner: 'user:eve' })],
    ['an owner that is lost', { ...open, owner: 'user:ada' }, fact('AccountFrozen', {}, { status: 'FROZEN' })],
    [
      'another owner',
      { ...open, owner: 'user:ada' },
      fact('EntryPosted', { amount: '-6' }, { posted: '4', owner: 'user:eve' }),
    ],
    ['another currency', open, fact('EntryPosted', { amount: '-6', currency: 'EUR' }, { posted: '4' })],
    ['an entry of nothing', open, fact('EntryPosted', { amount: '0' }, {})],
    ['a debit that is not covered', open, fact('EntryPosted', { amount: '-9' }, { posted: '1' })],
    ['a debit of a frozen wallet', frozen, fact('EntryPosted', { amount: '-1' }, { ...frozen, posted: '9' })],
    [
      'more released than is held',
      open,
      fact('EntryPosted', { amount: '1', released: '5' }, { posted: '11', held: '-1' }),
    ],
    ['a hold of more than is available', open, fact('HoldPlaced', { amount: '9' }, { held: '13' })],
    ['a hold of less than nothing', open, fact('HoldPlaced', { amount: '-1' }, { held: '3' })],
    ['a hold on a frozen wallet', frozen, fact('HoldPlaced', { amount: '1' }, { ...frozen, held: '5' })],
    ['a release of more than is held', open, fact('HoldReleased', { amount: '5' }, { held: '-1' })],
    ['a limit below what is used', { ...open, held: '12' }, fact('AccountLimitSet', {}, { held: '12', limit: '1' })],
    ['a limit below nothing', open, fact('AccountLimitSet', {}, { limit: '-1' })],
    ['a close with money', { posted: '1' }, fact('AccountClosed', {}, figures({ posted: '1', status: 'CLOSED' }))],
    [
      'an entry after the close',
      { status: 'CLOSED' },
      fact('EntryPosted', { amount: '1' }, figures({ posted: '1', status: 'CLOSED' })),
    ],
    ['a second opening', open, fact('AccountOpened', {}, figures())],
  ] as const)('is illegal: %s', (_title, of, one) => {
    expect(evolveWallet(history(of), one, 'alice')).toBe('illegal');
  });

  it.each([{ posted: '1' }, { held: '1' }, { limit: '-1' }, { status: 'FROZEN' }] as const)(
    'is illegal: an opening with %o',
    (of) => expect(evolveWallet(undefined, { type: 'AccountOpened', after: figures(of) }, 'alice')).toBe('illegal'),
  );
});
