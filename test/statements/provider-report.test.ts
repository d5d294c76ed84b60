import { describe, expect, it } from 'vitest';
import type { Bank, Payment } from '../../ops/provider/bank.ts';
import type { Payments } from '../../ops/provider/payments.ts';
import { Settlement } from '../../ops/provider/settlement.ts';
import { csvReader } from '../../src/statements/csv/csv-reader.ts';
import { readyMapping } from '../../src/statements/csv/ready-mappings.ts';
import { problemsOf, readAll, statementsOf } from '../../src/statements/testing/reading.ts';

/** What the simulated provider writes at its day's end is what the shipped mapping reads. */

const payment = (more: object) => ({ status: 'confirmed', currency: 'XOF', fee: '0', ...more }) as unknown as Payment;

describe('the settlement report of the simulated provider', () => {
  it('is read by kora-provider: net as the amount, fees as charges', async () => {
    const payments = [
      payment({ id: 'p-1', reference: 'slice,1', operation: 'disburse', amount: '5000', fee: '25' }),
      payment({ id: 'p-2', reference: 'say "2"', operation: 'collect', amount: '900', fee: '9' }),
      payment({ id: 'p-3', reference: 'eur', operation: 'collect', amount: '1250', currency: 'EUR' }),
    ];
    const bank = { all: () => payments } as unknown as Bank;
    const told = { say: () => Promise.resolve() } as unknown as Payments;
    const { csv } = await new Settlement(bank, told, undefined).settle();
    const mapping = readyMapping('kora-provider');
    if (mapping === undefined) throw new Error('kora-provider is not shipped');
    const { parts, error } = readAll(csvReader(mapping), csv);
    expect([error, problemsOf(parts)]).toEqual([undefined, []]);
    expect(statementsOf(parts)).toMatchObject([
      {
        head: { format: 'csv', account: 'kora-provider', currency: 'XOF' },
        lines: [
          {
            amount: -5025n,
            reference: 'slice,1',
            bankReference: 'p-1',
            transactionCode: 'disburse',
            details: { charges: 25n },
          },
          {
            amount: 891n,
            reference: 'say "2"',
            bankReference: 'p-2',
            transactionCode: 'collect',
            details: { charges: 9n },
          },
        ],
      },
      { head: { currency: 'EUR' }, lines: [{ amount: 1250n }] },
    ]);
  });
});
