import { fc, test } from '@fast-check/vitest';
import { describe, expect, it } from 'vitest';
import { formatDecimal } from '../../kernel/money.ts';
import { problemsOf, readAll, statementsOf } from '../testing/reading.ts';
import { csvMappingOf, type CsvMapping } from './csv-mapping.ts';
import { csvReader, type CsvOptions } from './csv-reader.ts';
import { readyMapping, readyMappingNames } from './ready-mappings.ts';

/** Reports of providers are read by their mapping exactly, or refused with the place: never shifted, rounded or thinned. */

const plain = {
  name: 'plain',
  amount: { rule: 'signed', column: 'amount' },
  currency: { fixed: 'EUR' },
  account: { fixed: 'A1' },
  bookingDate: { column: 'date', formats: ['iso'] },
  reference: 'ref',
};

function read(text: string | Uint8Array, document: object = plain, options?: CsvOptions) {
  const { parts, error } = readAll(csvReader(csvMappingOf(document), options), text);
  const statements = statementsOf(parts);
  const problems = problemsOf(parts);
  return { statements, lines: statements[0]?.lines ?? [], codes: problems.map(({ code }) => code), problems, error };
}
const row = (...cells: string[]) => `${cells.join(',')}\n`;
const header = row('date', 'amount', 'ref');
const one = (amount: string, more: object = {}) =>
  read(header.replaceAll(',', ';') + `2026-11-26;${amount};r\n`, { ...plain, delimiter: ';', ...more });

describe('amounts', () => {
  it.each([
    ['12.50', {}, 1250n],
    ['-12.5', {}, -1250n],
    ['12.50-', {}, -1250n],
    ['(12.50)', {}, -1250n],
    ['−12.50', {}, -1250n],
    ['+12', {}, 1200n],
    ['.5', {}, 50n],
    ['1,234,567.89', { thousandsMark: ',' }, 123456789n],
    ['1.234.567,89', { decimalMark: ',', thousandsMark: '.' }, 123456789n],
    ['1 234,50', { decimalMark: ',', thousandsMark: ' ' }, 123450n],
    ['1\u202f234,50', { decimalMark: ',', thousandsMark: ' ' }, 123450n],
    ["1'234.50", { thousandsMark: "'" }, 123450n],
    ['1250', { unit: 'minor' }, 1250n],
    ['5.000', { currency: { fixed: 'XOF' } }, 5n],
    ['90071992547409.93', {}, 9007199254740993n],
  ])('%s with %o is exactly %d', (text, more, minor) => {
    const { lines, error } = one(text, more);
    expect(error).toBeUndefined();
    expect(lines[0]?.amount).toBe(minor);
  });

  it.each([
    ['1.005', {}],
    ['1.5', { currency: { fixed: 'XOF' } }],
    ['1,234.50', {}],
    ['1,23.50', { thousandsMark: ',' }],
    ['1,2345.00', { thousandsMark: ',' }],
    ['12.50 EUR', {}],
    ['', {}],
    ['-', {}],
    ['--1', {}],
    ['(1', {}],
    ['-1-', {}],
    ['1e3', {}],
    ['١٢', {}],
    ['12.5', { unit: 'minor' }],
    ['9'.repeat(31), {}],
  ])('%j with %o is an error with its place, and never 0', (text, more) => {
    expect(one(text, more).error).toMatchObject({ code: 'AmountUnreadable', line: 2, column: 12 });
  });

  it('signed the other way round are turned', () => {
    expect(one('5.00', { amount: { rule: 'signed', column: 'amount', inverted: true } }).lines[0]?.amount).toBe(-500n);
  });
});

describe('signs by columns', () => {
  const columns = (debitSign?: string) => ({
    ...plain,
    amount: { rule: 'columns', credit: 'in', debit: 'out', ...(debitSign === undefined ? {} : { debitSign }) },
  });
  const cells = (credit: string, debit: string, sign?: string) =>
    read(row('date', 'in', 'out', 'ref') + row('2026-11-26', credit, debit, 'r'), columns(sign));

  it.each([
    ['5.00', '', undefined, 500n],
    ['', '5.00', undefined, -500n],
    ['0.00', '5.00', undefined, -500n],
    ['5.00', '0.00', undefined, 500n],
    ['0.00', '0.00', undefined, 0n],
    ['', '-5.00', 'minus', -500n],
    ['', '-5.00', 'either', -500n],
    ['', '5.00', 'either', -500n],
  ])('in %j and out %j (%s) is %d', (credit, debit, sign, amount) => {
    expect(cells(credit, debit, sign).lines[0]?.amount).toBe(amount);
  });

  it.each([
    ['', '', undefined, 'AmountUnreadable'],
    ['1.00', '2.00', undefined, 'SignUnreadable'],
    ['-1.00', '', undefined, 'SignUnreadable'],
    ['', '-5.00', undefined, 'SignUnreadable'],
    ['', '5.00', 'minus', 'SignUnreadable'],
  ])('in %j and out %j (%s) is an error', (credit, debit, sign, code) => {
    expect(cells(credit, debit, sign).error?.code).toBe(code);
  });
});

describe('signs by words', () => {
  const direction = {
    ...plain,
    amount: { rule: 'direction', column: 'amount', direction: 'ref', creditWords: ['C', 'collect'], debitWords: ['D'] },
  };
  const said = (word: string, amount = '5.00') => read(header + row('2026-11-26', amount, word), direction);

  it('are those of the mapping, and no others', () => {
    expect(said('collect').lines[0]?.amount).toBe(500n);
    expect(said('D').lines[0]?.amount).toBe(-500n);
    expect(said('d').error?.code).toBe('SignUnreadable');
    expect(said('').error?.code).toBe('SignUnreadable');
    expect(said('D', '-5.00').error?.code).toBe('SignUnreadable');
  });
});

describe('dates', () => {
  const dated = (cell: string, formats: string[], more: object = {}, zone: object = {}) =>
    read(`date;amount;ref\n${cell};1.00;r\n`, {
      ...plain,
      delimiter: ';',
      bookingDate: { column: 'date', formats, ...zone },
      ...more,
    });

  it.each([
    ['26/11/2026', ['dd/MM/yyyy'], '2026-11-26'],
    ['11/26/2026', ['MM/dd/yyyy'], '2026-11-26'],
    ['6.1.26', ['d.M.yy'], '2026-01-06'],
    ['26 Nov 2026, 11:59 pm', ['dd MMM yyyy, h:mm a'], '2026-11-26'],
    ['26-11-2026 at 10', ["dd-MM-yyyy 'at' HH"], '2026-11-26'],
    ['2026-11-26 23:59:59.123', ['iso'], '2026-11-26'],
    ['20261126', ['iso', 'yyyyMMdd'], '2026-11-26'],
    ['1795737599', ['epoch-seconds'], '2026-11-26'],
    ['2024-02-29', ['iso'], '2024-02-29'],
  ])('%s by %o is %s', (cell, formats, day) => {
    const { lines, error } = dated(cell, formats);
    expect(error).toBeUndefined();
    expect(lines[0]).toMatchObject({ entryDate: day, valueDate: day });
  });

  it.each([
    ['2026-02-29', ['iso']],
    ['31/11/2026', ['dd/MM/yyyy']],
    ['26/13/2026', ['dd/MM/yyyy']],
    ['26/11/2026x', ['dd/MM/yyyy']],
    ['2026-11-26 24:00', ['iso']],
    ['13:00 pm 26/11/2026', ['hh:mm a dd/MM/yyyy']],
    ['', ['iso']],
  ])('%j by %o is an error with its place', (cell, formats) => {
    expect(dated(cell, formats).error).toMatchObject({ code: 'DateUnreadable', line: 2, column: 1 });
  });

  it('of instants are the day in the provider’s zone, through summer time', () => {
    const paris = { timeZone: 'Europe/Paris' };
    expect(dated('2026-11-26T23:30:00Z', ['iso'], paris).lines[0]?.entryDate).toBe('2026-11-27');
    expect(dated('2026-07-01T22:30:00Z', ['iso'], paris).lines[0]?.entryDate).toBe('2026-07-02');
    expect(dated('2026-12-01T22:30:00Z', ['iso'], paris).lines[0]?.entryDate).toBe('2026-12-01');
    expect(dated('2026-11-27T01:00:00+03:00', ['iso']).lines[0]?.entryDate).toBe('2026-11-26');
    expect(dated('2026-11-26 23:30', ['iso'], paris, { zone: 'UTC' }).lines[0]?.entryDate).toBe('2026-11-27');
    expect(dated('2026-11-26 23:30', ['iso'], paris).lines[0]?.entryDate).toBe('2026-11-26');
  });
});

describe('rows', () => {
  it('that are the same are all kept', () => {
    expect(read(header + row('2026-11-26', '1.00', 'r').repeat(3)).lines).toHaveLength(3);
  });

  it('with quotes, delimiters and line ends inside are whole, and lines are counted on', () => {
    const text = header + '2026-11-26,1.00,"a, ""b""\r\nc"\r\n\n2026-11-26,2.00,plain\r\n2026-11-26,x,y\n';
    const { lines, error } = read(text);
    expect(lines.map(({ reference, at }) => [reference, at.line])).toEqual([
      ['a, "b"\r\nc', 2],
      ['plain', 5],
    ]);
    expect(error).toMatchObject({ code: 'AmountUnreadable', line: 6 });
  });

  it.each([
    ['a quote behind a quoted cell', '2026-11-26,"1" x,r\n', 'RowUnreadable', 12],
    ['a quote inside a bare cell', '2026-11-26,1"2",r\n', 'RowUnreadable', 12],
    ['a quote that is never closed', '2026-11-26,"1,r\n', 'RowUnreadable', 12],
    ['too few cells', '2026-11-26,1.00\n', 'RowUnreadable', 17],
    ['too many cells', '2026-11-26,1,00,r\n', 'RowUnreadable', 17],
  ])('with %s are an error with line and column; what was before is handed over', (_, broken, code, column) => {
    const good = row('2026-11-26', '"1.00"', 'r');
    const { lines, error } = read(header + good + broken);
    expect(error).toEqual({ code, line: 3, column });
    expect(lines).toHaveLength(1);
  });

  it('may end with a delimiter, and blank rows are none', () => {
    expect(read(header + '2026-11-26,1.00,r,,\n,,\n\n').lines).toHaveLength(1);
  });

  it('without an end do not fill the memory', () => {
    expect(read(`${header}"${'x'.repeat(1_000_000)}`).error?.code).toBe('RowTooLong');
    expect(read(`${header}"${'x\n'.repeat(10_000)}`).error?.code).toBe('RowTooLong');
  });

  it('of another status are counted and are no lines', () => {
    const { statements } = read(header + row('2026-11-26', '1.00', 'Completed') + row('2026-11-26', 'n/a', 'Failed'), {
      ...plain,
      status: { column: 'ref', values: ['Completed'] },
    });
    expect(statements[0]?.lines).toHaveLength(1);
    expect(statements[0]?.foot?.notBookedCounts).toEqual({ Failed: 1 });
  });

  it('of another currency or account begin another statement', () => {
    const text =
      row('date', 'amount', 'ref', 'cur') +
      ['eur', 'EUR', 'XOF', 'eur'].map((cur) => row('2026-11-26', '5', 'r', cur)).join('');
    const { statements } = read(text, { ...plain, currency: { column: 'cur' } });
    expect(statements.map(({ head, lines }) => [head.currency, lines.map(({ amount }) => amount)])).toEqual([
      ['EUR', [500n, 500n]],
      ['XOF', [5n]],
      ['EUR', [500n]],
    ]);
    expect(read(text.replace('XOF', 'XXX'), { ...plain, currency: { column: 'cur' } }).error).toMatchObject({
      code: 'CurrencyUnknown',
      line: 4,
    });
  });
});

describe('headers and footers', () => {
  it('are skipped as the mapping says', () => {
    const text = `Report\nAccount,12\n${header}${row('2026-11-26', '1.00', 'r')}Total,1.00,\n2026-11-26,9.00,late\n`;
    const skipping = { ...plain, skipRows: 2, footers: ['Total'] };
    expect(read(text, skipping).lines.map(({ amount }) => amount)).toEqual([100n]);
    expect(read(text, { ...skipping, skipRows: 0, header: 'search' }).lines).toHaveLength(1);
    expect(read(text).error).toMatchObject({ code: 'HeaderMissing', line: 1 });
  });

  it('are not needed where columns are numbers', () => {
    const numbers = {
      ...plain,
      header: 'none',
      amount: { rule: 'signed', column: 1 },
      bookingDate: { column: 0, formats: ['iso'] },
      reference: 2,
    };
    expect(read(row('2026-11-26', '1.00', 'r'), numbers).lines[0]).toMatchObject({
      amount: 100n,
      reference: 'r',
      at: { line: 1 },
    });
  });

  it('without a column of the mapping are an error, before any row is read', () => {
    expect(read(row('date', 'ref') + row('2026-11-26', 'r')).error?.code).toBe('HeaderMissing');
    expect(read('').error?.code).toBe('HeaderMissing');
  });

  it('alone are a statement without lines', () => {
    const { statements, codes } = read(header);
    expect(statements).toMatchObject([
      { head: { account: 'A1', currency: 'EUR' }, lines: [], foot: { linesCount: 0 } },
    ]);
    expect(codes).toEqual([]);
    expect(read(header, { ...plain, currency: { column: 'ref' } }).codes).toEqual(['NoStatement']);
  });

  it('may begin with a byte order mark', () => {
    expect(read(`\uFEFF${header}${row('2026-11-26', '1.00', 'r')}`).lines).toHaveLength(1);
  });
});

describe('balances', () => {
  const rows = (...cells: [string, string][]) =>
    row('date', 'amount', 'ref', 'bal') +
    cells.map(([amount, balance]) => row('2026-11-26', amount, 'r', balance)).join('');
  const running = (order?: string) => ({
    ...plain,
    balance: { column: 'bal', ...(order === undefined ? {} : { order }) },
  });

  it('after each row, oldest first, give opening and closing', () => {
    const { statements, codes } = read(rows(['1.00', '11.00'], ['-2.00', '9.00']), running());
    expect(statements[0]?.head.opening?.amount).toBe(1000n);
    expect(statements[0]?.foot?.closing).toEqual({ amount: 900n, date: '2026-11-26', kind: 'running' });
    expect(codes).toEqual([]);
  });

  it('newest first give the closing', () => {
    const { statements, codes } = read(rows(['-2.00', '9.00'], ['1.00', '11.00']), running('newest-first'));
    expect(statements[0]?.head.opening).toBeUndefined();
    expect(statements[0]?.foot?.closing?.amount).toBe(900n);
    expect(codes).toEqual([]);
  });

  it('that do not follow from one another are a problem with its line, said once', () => {
    const { problems } = read(rows(['1.00', '11.00'], ['1.00', '13.00'], ['1.00', '15.00']), running());
    expect(problems).toMatchObject([{ code: 'BalanceMismatch', at: { line: 3 } }]);
  });

  it('in rows of their own are no bookings', () => {
    const text =
      header +
      row('2026-11-26', '10.00', 'OPEN') +
      row('2026-11-26', '1.00', 'r') +
      row('2026-11-26', '11.00', 'CLOSE');
    const { statements } = read(text, {
      ...plain,
      balance: { rows: { column: 'ref', opening: ['OPEN'], closing: ['CLOSE'], amount: 'amount' } },
    });
    expect(statements[0]).toMatchObject({
      head: { opening: { amount: 1000n } },
      lines: [{ amount: 100n }],
      foot: { closing: { amount: 1100n } },
    });
  });
});

describe('character sets', () => {
  const bytes = (text: string) => Uint8Array.from(text, (character) => character.charCodeAt(0));

  it('are that of the mapping, and what contradicts it is an error with its line', () => {
    const text = header + row('2026-11-26', '1.00', 'M\xfcller');
    expect(read(bytes(text), { ...plain, charset: 'iso-8859-1' }).lines[0]?.reference).toBe('Müller');
    expect(read(bytes(text)).error).toMatchObject({ code: 'CharsetContradicted', line: 2 });
    expect(read(bytes(text.replace('\xfc', '\x80')), { ...plain, charset: 'iso-8859-1' }).codes).toEqual([
      'CharsetContradicted',
    ]);
  });
});

describe('a mapping', () => {
  it.each([
    ['without what it needs', { ...plain, amount: undefined }, 'amount', 'is missing: add it'],
    ['with what is not known', { ...plain, colour: 1 }, 'colour', 'is not known here: leave it out'],
    ['with a wrong choice', { ...plain, header: 'last' }, 'header', 'one of first, search, none is wanted'],
    [
      'with a currency that is none',
      { ...plain, currency: { fixed: 'EURO' } },
      'currency.fixed',
      'a currency of ISO 4217 is wanted, such as XOF',
    ],
    [
      'with a time zone that is none',
      { ...plain, timeZone: 'Mars' },
      'timeZone',
      'a time zone is wanted, such as Africa/Abidjan',
    ],
    [
      'with a date format that says no day',
      { ...plain, bookingDate: { column: 'd', formats: ['MM/yyyy'] } },
      'bookingDate.formats.0',
      undefined,
    ],
    [
      'with letters in a date format that are no token',
      { ...plain, bookingDate: { column: 'd', formats: ['DD/MM/YYYY'] } },
      'bookingDate.formats.0',
      undefined,
    ],
    ['without any date', { ...plain, bookingDate: undefined }, 'bookingDate', undefined],
    [
      'with half a rule of sign',
      { ...plain, amount: { rule: 'columns', credit: 'in' } },
      'amount.debit',
      'is missing: the rule columns needs it',
    ],
    [
      'with a field of another rule',
      { ...plain, amount: { rule: 'signed', column: 'a', debit: 'b' } },
      'amount.debit',
      undefined,
    ],
    [
      'with a word for both directions',
      { ...plain, amount: { rule: 'direction', column: 'a', direction: 'b', creditWords: ['x'], debitWords: ['x'] } },
      'amount.debitWords',
      undefined,
    ],
    ['with one mark for two things', { ...plain, decimalMark: ',', thousandsMark: ',' }, 'thousandsMark', undefined],
    ['that is none', 'x', '', undefined],
  ])('%s is refused with the place', (_, document, place, what) => {
    const wrong = JSON.parse(JSON.stringify(document)) as unknown;
    expect(() => csvMappingOf(wrong)).toThrow(expect.objectContaining({ code: 'CsvMapping', place }) as Error);
    if (what !== undefined) expect(() => csvMappingOf(wrong)).toThrow(what);
  });

  it('is not changed by being checked', () => {
    const document = structuredClone(plain);
    csvMappingOf(document);
    expect(document).toEqual(plain);
  });
});

describe('mappings that are shipped', () => {
  const shipped = (name: string): CsvMapping => {
    const mapping = readyMapping(name);
    if (mapping === undefined) throw new Error(name);
    return mapping;
  };

  it('are found by name', () => {
    expect(readyMappingNames.map((name) => readyMapping(name)?.name)).toEqual([
      'kora-provider',
      'mobile-money',
      'stripe-balance',
    ]);
    expect(readyMapping('nobody')).toBeUndefined();
  });

  it('stripe-balance: net of the fee, currencies in small letters, payouts as rows of their own', () => {
    const text =
      'balance_transaction_id,created_utc,available_on_utc,currency,gross,fee,net,reporting_category,source_id,description\n' +
      'txn_1,2026-11-25 22:10:05,2026-11-27 00:00:00,usd,100.00,3.20,96.80,charge,ch_1,"Order 7, thanks"\n' +
      'txn_2,2026-11-26 00:00:00,2026-11-26 00:00:00,usd,-96.80,0.00,-96.80,payout,po_1,STRIPE PAYOUT\n' +
      'txn_3,2026-11-26 09:00:00,2026-11-28 00:00:00,jpy,5000,180,4820,charge,ch_2,\n';
    const { parts, error } = readAll(csvReader(shipped('stripe-balance')), text);
    expect(error).toBeUndefined();
    expect(statementsOf(parts)).toMatchObject([
      {
        head: { account: 'stripe', currency: 'USD' },
        lines: [
          {
            amount: 9680n,
            entryDate: '2026-11-25',
            valueDate: '2026-11-27',
            reference: 'ch_1',
            bankReference: 'txn_1',
            text: 'Order 7, thanks',
            transactionCode: 'charge',
            details: { charges: 320n },
          },
          { amount: -9680n, transactionCode: 'payout', details: { charges: 0n } },
        ],
      },
      { head: { currency: 'JPY' }, lines: [{ amount: 4820n, text: '' }] },
    ]);
  });

  it('mobile-money: a preamble, two columns of amounts, the newest first, only what is completed', () => {
    const text =
      'Organization Report\nShort Code:,600000\nTime Period:,01-11-2026 - 26-11-2026\n\n' +
      'Receipt No.,Completion Time,Initiation Time,Details,Transaction Status,Paid In,Withdrawn,Balance,Balance Confirmed,Reason Type,Other Party Info,Linked Transaction ID,A/C No.\n' +
      'SKQ3,2026-11-26 10:02:00,2026-11-26 10:01:58,Business Payment to 254700000001,Completed,,"-1,500.00","8,500.00",true,Business Payment,254700000001 - AMA,,\n' +
      'SKQ2,26-11-2026 09:00:00,26-11-2026 09:00:00,Pay Bill from 254700000002,Failed,100.00,,,true,Pay Bill,,,INV-2\n' +
      'SKQ1,25-11-2026 23:59:59,25-11-2026 23:59:58,Pay Bill from 254700000003,Completed,"10,000.00",,"10,000.00",true,Pay Bill,254700000003 - KOFI,,INV-1\n';
    const { parts, error } = readAll(csvReader(shipped('mobile-money'), { account: '600000' }), text);
    expect(error).toBeUndefined();
    expect(problemsOf(parts)).toEqual([]);
    expect(statementsOf(parts)).toMatchObject([
      {
        head: { account: '600000', currency: 'KES' },
        lines: [
          {
            amount: -150000n,
            entryDate: '2026-11-26',
            bankReference: 'SKQ3',
            reference: '',
            transactionCode: 'Business Payment',
          },
          {
            amount: 1000000n,
            entryDate: '2026-11-25',
            bankReference: 'SKQ1',
            reference: 'INV-1',
            details: { counterpartyName: '254700000003 - KOFI' },
          },
        ],
        foot: { closing: { amount: 850000n }, notBookedCounts: { Failed: 1 }, linesCount: 2 },
      },
    ]);
  });
});

describe('round trip', () => {
  const cell = fc.string({ maxLength: 20 }).map((text) => text.replaceAll('\uFEFF', ''));
  const line = fc.record({ amount: fc.bigInt({ min: -(10n ** 18n), max: 10n ** 18n }), reference: cell });
  const document = fc.record({
    lines: fc.array(line, { maxLength: 20 }),
    delimiter: fc.constantFrom(',', ';', '\t', '|'),
    end: fc.constantFrom('\n', '\r\n'),
    currency: fc.constantFrom('EUR', 'XOF', 'TND'),
  });
  const quoted = (text: string, delimiter: string) =>
    text.includes(delimiter) || /["\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
  const written = ({ lines, delimiter, end, currency }: typeof document extends fc.Arbitrary<infer T> ? T : never) =>
    [
      ['date', 'amount', 'ref'],
      ...lines.map(({ amount, reference }) => ['2026-11-26', formatDecimal(amount, currency), reference]),
    ]
      .map((cells) => cells.map((text) => quoted(text, delimiter)).join(delimiter) + end)
      .join('');

  test.prop([document], { numRuns: 300 })('what is written is what is read', (made) => {
    const { lines, error } = read(written(made), {
      ...plain,
      delimiter: made.delimiter,
      currency: { fixed: made.currency },
    });
    expect(error).toBeUndefined();
    expect(lines.map(({ amount, reference }) => ({ amount, reference }))).toEqual(made.lines);
  });

  test.prop(
    [document, fc.array(fc.integer({ min: 1, max: 23 }), { minLength: 1, maxLength: 6 }), fc.nat(), fc.boolean()],
    { numRuns: 300 },
  )('any chunking gives the same parts and the same error', (made, sizes, cut, cuts) => {
    const mapping = csvMappingOf({ ...plain, delimiter: made.delimiter, currency: { fixed: made.currency } });
    const whole = new TextEncoder().encode(written(made));
    const file = cuts ? whole.subarray(0, cut % whole.length) : whole;
    expect(readAll(csvReader(mapping), file, sizes)).toEqual(readAll(csvReader(mapping), file));
  });
});
