import { describe, expect, test } from 'vitest';
import { type Header, readHeader, readRow } from './history-row.ts';

// A line of the history is read exactly, or refused in words that its owner understands.

const columns = 'trans_id,date,account_id,direction,operation,symbol,amount,balance_after,partner_bank,partner_account';
const header = readHeader(columns) as Header;
const line = '695247,1993-01-01,2378,credit,cash_deposit,,700.00,700.00,,';

/** The line with one cell changed. */
function withCell(column: string, value: string): string {
  const cells = line.split(',');
  cells[columns.split(',').indexOf(column)] = value;
  return cells.join(',');
}

describe('a line', () => {
  test('is a payment', () => {
    expect(readRow(2, line, header)).toEqual({
      line: 2,
      transId: '695247',
      effectiveAt: '1993-01-01T00:00:00.000Z',
      account: '2378',
      direction: 'credit',
      amount: 70_000n,
      provider: 'cash',
    });
  });

  test('has its cells found by the names in the first line', () => {
    const other = readHeader('amount,account_id,extra,date,operation,symbol,direction,partner_bank,trans_id') as Header;
    expect(readRow(9, '3.5,7,x,2024-02-29,transfer_out,,debit,AB,t1', other)).toMatchObject({
      transId: 't1',
      account: '7',
      amount: 350n,
      provider: 'bank:AB',
      effectiveAt: '2024-02-29T00:00:00.000Z',
    });
  });

  test('may quote its cells', () => {
    expect(readRow(2, line.replace('700.00,700.00', '"700.00","700,00"'), header)).toMatchObject({ amount: 70_000n });
  });

  test.each([
    ['credit', 'cash_deposit', '', '', 'cash'],
    ['debit', 'cash_withdrawal', 'household', '', 'cash'],
    ['debit', 'cash_withdrawal', 'statement_fee', '', 'fee'],
    ['debit', 'cash_withdrawal', 'overdraft_interest', '', 'interest'],
    ['debit', 'card_withdrawal', '', '', 'card'],
    ['credit', 'interest', 'interest', '', 'interest'],
    ['credit', 'transfer_in', 'pension', 'QR', 'bank:QR'],
    ['debit', 'transfer_out', 'loan', '', 'bank:unknown'],
  ])('%s %s %s of bank %j is from or to %5$s', (direction, operation, symbol, bank, provider) => {
    const text = `1,1993-01-01,1,${direction},${operation},${symbol},1.00,,${bank},`;
    expect(readRow(2, text, header)).toMatchObject({ provider });
  });
});

describe('a line that cannot be read says why', () => {
  test.each([
    ['trans_id', '', 'trans_id is "": wanted are 1 to 255 characters'],
    ['date', '1993-02-30', 'date is "1993-02-30": wanted is a day as 1993-12-31'],
    ['date', '930101', 'date is "930101": wanted is a day as 1993-12-31'],
    ['account_id', 'a:b', 'account_id is "a:b": wanted are 1 to 64 letters, digits, dots, dashes, underscores'],
    ['direction', 'sideways', 'direction is "sideways": wanted is credit or debit'],
    ['operation', 'barter', 'operation is "barter": wanted is one of cash_deposit,'],
    ['operation', 'card_withdrawal', 'operation is "card_withdrawal": it cannot be a credit'],
    ['amount', '1.005', 'amount is "1.005": CZK has 2 decimals, not 3: 1.005'],
    ['amount', '1e3', 'amount is "1e3": not an amount'],
    ['amount', '-5.00', 'amount is "-5.00": wanted is an amount above 0'],
    ['amount', '0.00', 'amount is "0.00": wanted is an amount above 0'],
    ['amount', '', 'amount is "": not an amount'],
  ])('%s %j', (column, value, problem) => {
    expect(readRow(3, withCell(column, value), header)).toEqual({
      line: 3,
      problem: expect.stringContaining(problem) as string,
    });
  });

  test('a transfer with a bank that is no code', () => {
    const text = '1,1993-01-01,1,credit,transfer_in,,1.00,,the bank,';
    expect(readRow(3, text, header)).toMatchObject({ problem: expect.stringContaining('partner_bank') as string });
  });

  test('too few and too many columns', () => {
    expect(readRow(4, line.slice(0, -1), header)).toEqual({
      line: 4,
      problem: 'it has 9 columns, the first line has 10',
    });
    expect(readRow(4, `${line},`, header)).toMatchObject({ problem: 'it has 11 columns, the first line has 10' });
  });

  test('quotes that do not match', () => {
    expect(readRow(5, line.replace('700.00', '"700.00'), header)).toEqual({
      line: 5,
      problem: 'its quotes do not match',
    });
  });
});

test('a first line that lacks columns says which', () => {
  expect(readHeader('trans_id,date,account,direction,operation,amount')).toBe(
    'its first line must name the columns; missing: account_id, symbol, partner_bank',
  );
});
