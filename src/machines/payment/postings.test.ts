import { test as property, fc } from '@fast-check/vitest';
import { describe, expect, it } from 'vitest';
import type { PaymentKind } from './payment.facts.ts';
import { amountOf, feeOf, POSTINGS, systemAccountId, type Posting } from './postings.ts';

/** Proves that the postings table is the one that was agreed, and that no column of it can make or lose money. */
describe('the postings table', () => {
  // As the design has it, word for word.
  const AGREED: Readonly<Record<PaymentKind, readonly string[]>> = {
    P2P: ['hold payer', 'Dr payer, Cr payee N', 'same unit', '–'],
    CASH_IN: [
      '–',
      'Dr receivable, Cr payee N',
      'Dr float N−c, Dr cost c, Cr receivable N',
      'Dr payee, Cr receivable N',
    ],
    CASH_OUT: [
      'hold payer',
      'Dr payer, Cr payable N',
      'Dr payable N, Dr cost c, Cr float N+c',
      'Dr payable, Cr payer N',
    ],
    MERCHANT: [
      'hold payer',
      'Dr payer, Cr clearing N',
      'Dr clearing N, Cr payee N−f, Cr fees f',
      'Dr clearing, Cr payer N',
    ],
    REFUND: ['hold payer', 'Dr payer, Cr payee N', 'same unit', '–'],
    FUNDING: ['–', 'Dr float, Cr payee N', 'same unit', '–'],
    PAYOUT: ['hold payer', 'Dr payer, Cr payable N', 'Dr payable N, Dr cost c, Cr float N+c', 'Dr payable, Cr payer N'],
    PAYOUT_RETURN: ['–', 'Dr float, Cr payee N', 'same unit', '–'],
    STATEMENT_FEE: ['–', 'Dr cost, Cr float N', 'same unit', '–'],
    STATEMENT_INTEREST: ['–', 'Dr float, Cr income N', 'same unit', '–'],
    UNIDENTIFIED_CREDIT: ['–', 'Dr float, Cr suspense N', 'same unit', '–'],
    UNIDENTIFIED_DEBIT: ['–', 'Dr suspense, Cr float N', 'same unit', '–'],
    LATE_COLLECTION: ['–', 'Dr float N−c, Dr cost c, Cr receivable N', 'same unit', '–'],
    CORRECTION_CREDIT: ['–', 'Dr suspense, Cr payee N', 'same unit', '–'],
    CORRECTION_DEBIT: ['hold payer', 'Dr payer, Cr suspense N', 'same unit', '–'],
    WRITE_OFF_LOSS: ['–', 'Dr cost, Cr suspense N', 'same unit', '–'],
    WRITE_OFF_GAIN: ['–', 'Dr suspense, Cr income N', 'same unit', '–'],
  };

  it('is as agreed', () => {
    // Rows of N alone are written short: "Dr payer, Cr payee N".
    const said = (rows: readonly Posting[] | undefined, none: string): string => {
      if (rows === undefined) return none;
      const isShort = rows.every(({ figure }) => figure === 'N');
      const words = rows.map(({ direction, side, figure }) => `${direction} ${side}${isShort ? '' : ` ${figure}`}`);
      return words.join(', ') + (isShort ? ' N' : '');
    };
    for (const [kind, agreed] of Object.entries(AGREED)) {
      const { holds, captured, settled, reversed } = POSTINGS[kind as PaymentKind];
      expect([
        holds ? 'hold payer' : '–',
        said(captured, '–'),
        said(settled, 'same unit'),
        said(reversed, '–'),
      ]).toEqual(agreed);
    }
  });

  const figure = fc.bigInt({ min: 0n, max: 10n ** 30n });
  property.prop([figure, figure, figure])(
    'sums to zero in every column, for every N, f and c',
    (captured, fee, providerFee) => {
      for (const { captured: first, settled = [], reversed = [] } of Object.values(POSTINGS)) {
        for (const column of [first, settled, reversed]) {
          let sum = 0n;
          for (const row of column) {
            const value = amountOf(row.figure, { captured, fee, providerFee });
            sum += row.direction === 'Cr' ? value : -value;
          }
          expect(sum).toBe(0n);
        }
      }
    },
  );

  it('reverses what it captured', () => {
    for (const { captured, reversed } of Object.values(POSTINGS)) {
      const mirrored = captured.map((row) => ({ ...row, direction: row.direction === 'Dr' ? 'Cr' : 'Dr' }));
      if (reversed !== undefined) expect(new Set(reversed)).toEqual(new Set(mirrored));
    }
  });

  it('holds exactly where a wallet pays', () => {
    for (const { holds, payer } of Object.values(POSTINGS)) expect(holds).toBe(payer !== undefined);
  });
});

describe('our fee', () => {
  property.prop([fc.bigInt({ min: 1n, max: 10n ** 30n }), fc.nat({ max: 10_000 })])(
    'is between 0 and N, at most the rate, and short of it by less than one minor unit',
    (captured, bps) => {
      const fee = feeOf(captured, bps);
      expect(fee >= 0n && fee <= captured).toBe(true);
      const exact = captured * BigInt(bps);
      expect(fee * 10_000n <= exact && exact < (fee + 1n) * 10_000n).toBe(true);
    },
  );
});

describe('system accounts', () => {
  it('are kept per provider where a provider reports on them', () => {
    expect(systemAccountId('float', 'XOF', 'bank:AB')).toBe('float:bank:AB:XOF');
    expect(systemAccountId('clearing', 'XOF', undefined)).toBe('clearing:XOF');
    expect(systemAccountId('suspense', 'EUR', 'cash')).toBe('suspense:EUR');
  });
});
