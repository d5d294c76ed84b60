import { describe, expect, test } from 'vitest';
import { withChecks } from '../checks.ts';
import { problemsOf, readAll, statementsOf, type ReadStatement } from '../testing/reading.ts';
import type { StatementLine } from '../statement.ts';
import { mt940Reader, type Mt940Options } from './mt940-reader.ts';

// What banks really send as MT940 and MT942 is read as they mean it, and what cannot be read says where.

function read(
  file: string | Uint8Array,
  options: Mt940Options = {},
): { statements: ReadStatement[]; codes: string[]; error: unknown } {
  const { parts, error } = readAll(withChecks(mt940Reader(options)), file);
  return { statements: statementsOf(parts), codes: problemsOf(parts).map(({ code }) => code), error };
}

/** A statement of some lines; without problems where they add up. */
function statement(body: string, closing: string, opening = 'C260101EUR1000,00'): string {
  return `:20:REF\n:25:DE89370400440532013000\n:28C:1/1\n:60F:${opening}\n${body}\n:62F:${closing}\n-\n`;
}

function onlyLine(body: string, closing: string, opening?: string): StatementLine {
  const { statements, codes, error } = read(statement(body, closing, opening));
  expect({ codes, error, count: statements[0]?.lines.length }).toEqual({ codes: [], error: undefined, count: 1 });
  return statements[0]?.lines[0] as StatementLine;
}

describe(':61:', () => {
  test.each([
    ['C', '100,00', 10000n, false, 'C260101EUR1100,00'],
    ['D', '100,00', -10000n, false, 'C260101EUR900,00'],
    ['RC', '100,00', -10000n, true, 'C260101EUR900,00'],
    ['RD', '100,00', 10000n, true, 'C260101EUR1100,00'],
    ['CR', '100,', 10000n, false, 'C260101EUR1100,00'],
    ['DR', '100,5', -10050n, false, 'C260101EUR899,50'],
    ['RCR', '0,01', -1n, true, 'C260101EUR999,99'],
    ['D', '100.50', -10050n, false, 'C260101EUR899,50'],
    ['C', '000000000001,62', 162n, false, 'C260101EUR1001,62'],
  ])('%s %s', (mark, amount, minor, reversal, closing) => {
    const line = onlyLine(`:61:2601020102${mark}${amount}NTRFREF//BANK`, closing);
    expect(line).toMatchObject({
      amount: minor,
      reversal,
      reference: 'REF',
      bankReference: 'BANK',
      transactionCode: 'NTRF',
    });
  });

  test.each([
    ['2601020102', '2026-01-02', '2026-01-02'],
    ['260102', '2026-01-02', undefined],
    ['260102    ', '2026-01-02', undefined],
    ['2512310102', '2025-12-31', '2026-01-02'],
    ['2601021231', '2026-01-02', '2025-12-31'],
    ['2402290301', '2024-02-29', '2024-03-01'],
    ['991231', '1999-12-31', undefined],
  ])('dates %s', (dates, valueDate, entryDate) => {
    const { statements } = read(statement(`:61:${dates}C1,NTRFX`, 'C260102EUR1001,'));
    expect(statements[0]?.lines[0]).toMatchObject({ valueDate });
    expect(statements[0]?.lines[0]?.entryDate).toBe(entryDate);
  });

  test('an entry date that is no day is left out, and told', () => {
    const { statements, codes } = read(statement(':61:2601020230C1,NTRFX', 'C260102EUR1001,'));
    expect(statements[0]?.lines[0]?.entryDate).toBeUndefined();
    expect(codes).toEqual(['DateInvalid']);
  });

  test.each([
    ['NTRFNONREF', 'NONREF', '', undefined],
    ['NTRFNONREF//', 'NONREF', '', undefined],
    ['N192NONREF//9', 'NONREF', '9', undefined],
    [
      'NTRFBIPI-dvT1FzfMqvzF5HaU4oetlH7SGRkonU//2022070616391534000',
      'BIPI-dvT1FzfMqvzF5HaU4oetlH7SGRkonU',
      '2022070616391534000',
      undefined,
    ],
    ['NMSC341241773/1XXXXX//O/341241774\nPaiement', '341241773/1XXXXX', 'O/341241774', 'Paiement'],
    ['FCHGTRF SVC//200101ZCPB067071', 'TRF SVC', '200101ZCPB067071', undefined],
    ['NTRFNONREF\n//BANK-9\nmore', 'NONREF', 'BANK-9', 'more'],
    ['NTRFX\n/OCMT/CAD47,11\n- a dash', 'X', '', '/OCMT/CAD47,11\n- a dash'],
  ])('references %s', (rest, reference, bankReference, supplementary) => {
    const line = onlyLine(`:61:2601020102C1,${rest}\n:86:text`, 'C260102EUR1001,');
    expect(line).toMatchObject({ reference, bankReference, text: 'text' });
    expect(line.supplementary).toBe(supplementary);
  });

  test('broken behind the mark, and with a blank there', () => {
    expect(onlyLine(':61:2601020102C\n5,00NTRFX//Y', 'C260102EUR1005,').amount).toBe(500n);
    expect(onlyLine(':61:2601020102C 5,00NTRFX//Y', 'C260102EUR1005,').amount).toBe(500n);
  });

  test.each([
    [':61:2613010102C1,NTRFX', 'DateUnreadable', 5],
    [':61:2602300102C1,NTRFX', 'DateUnreadable', 5],
    [':61:26010201XXC1,NTRFX', 'DateUnreadable', 11],
    [':61:2601020102X1,NTRFX', 'MarkUnreadable', 15],
    [':61:2601020102CNTRFX', 'AmountUnreadable', 17],
    [':61:2601020102C1.234,56NTRFX', 'AmountUnreadable', 21],
    [':61:2601020102C11 274,21NTRFX', 'AmountUnreadable', 18],
    [':61:2601020102C1,234NTRFX', 'AmountTooPrecise', 16],
    [':61:2601020102C1.000NTRFX', 'AmountTooPrecise', 16],
    [':61:2601020102C,50NTRFX', 'AmountUnreadable', 16],
  ])('unreadable: %s', (body, code, column) => {
    expect(read(statement(body, 'C260102EUR1001,')).error).toEqual({ code, line: 5, column });
  });

  test('decimals are those of the currency, and nothing is rounded', () => {
    const amountIn = (currency: string, amount: string): unknown => {
      const { statements, error } = read(
        statement(`:61:260102C${amount}NTRFX`, `C260102${currency}1,`, `C260101${currency}0,`),
      );
      return error === undefined ? statements[0]?.lines[0]?.amount : (error as { code: string }).code;
    };
    expect(amountIn('XOF', '1500,')).toBe(1500n);
    expect(amountIn('XOF', '1500,00')).toBe(1500n);
    expect(amountIn('XOF', '1500,50')).toBe('AmountTooPrecise');
    expect(amountIn('TND', '1,234')).toBe(1234n);
    expect(amountIn('EUR', '9007199254740993,01')).toBe(900719925474099301n);
    expect(amountIn('QQQ', '1,')).toBe('CurrencyUnknown');
  });

  test('identical lines are all there', () => {
    const row = ':61:2601020102D1,NTRFSAME//SAME\n:86:same';
    const { statements, codes } = read(statement(`${row}\n${row}\n${row}`, 'C260102EUR997,'));
    expect(statements[0]?.lines.map(({ index }) => index)).toEqual([0, 1, 2]);
    expect(codes).toEqual([]);
  });
});

describe('messages', () => {
  const body = ':61:2601020102C1,NTRFX//Y\n:86:one\n- two\n-three\n:08 four\n:46:08 five\n\n:20:15 six';

  test.each([
    ['bare, ended by -', (text: string) => text],
    [
      'in blocks',
      (text: string) => `{1:F01BANKDEFFXXXX0000000000}{2:I940CUSTDEFFXXXXN}{4:\n${text.replace(/-\n$/, '-}')}`,
    ],
    [
      'in blocks with a trailer',
      (text: string) => `{1:F01BANK}{2:O9401200}{3:{108:X}}{4:\n${text.replace(/-\n$/, '-}{5:{CHK:123}}\n')}`,
    ],
    ['the first field behind the brace', (text: string) => `{1:F01BANK}{2:O940}{4:${text}`],
    ['without any end', (text: string) => text.replace(/-\n$/, '')],
    ['CRLF', (text: string) => text.replaceAll('\n', '\r\n')],
    ['CR', (text: string) => text.replaceAll('\n', '\r')],
    ['behind a head of the bank', (text: string) => `BANKNL2A\n940\nBANKNL2A\n${text}`],
    ['with control characters', (text: string) => `\x01${text}\x03`],
    ['with a byte order mark', (text: string) => `\ufeff${text}`],
  ])('%s', (_, dress) => {
    const one = statement(body, 'C260102EUR1001,');
    const { statements, codes, error } = read(dress(one));
    expect({ codes, error }).toEqual({ codes: [], error: undefined });
    expect(statements).toHaveLength(1);
    expect(statements[0]?.head).toEqual({
      format: 'mt940',
      account: 'DE89370400440532013000',
      currency: 'EUR',
      reference: 'REF',
      sequence: '1',
      page: 1,
      opening: { amount: 100000n, date: '2026-01-01', kind: ':60F:' },
    });
    expect(statements[0]?.lines[0]?.text).toBe('one\n- two\n-three\n:08 four\n:46:08 five\n\n:20:15 six');
    expect(statements[0]?.foot).toEqual({
      closing: { amount: 100100n, date: '2026-01-02', kind: ':62F:' },
      otherBalances: [],
      linesCount: 1,
    });
  });

  test('many in one file, ended only by the next', () => {
    const first = statement(':61:260102C1,NTRFA', 'C260102EUR1001,').replace('-\n', '');
    const second = statement(':61:260103D1,NTRFB', 'C260103EUR1000,', 'C260102EUR1001,')
      .replace('-\n', '')
      .replace('1/1', '2/1');
    const { statements, codes } = read(first + second);
    expect(statements.map(({ lines }) => lines.map(({ reference }) => reference))).toEqual([['A'], ['B']]);
    expect(codes).toEqual([]);
  });

  test('a message without its end in which the next begins is told', () => {
    const { statements, codes } = read(
      `:20:A\n:25:1\n:60F:C260101EUR0,\n:61:260101C1,NTRFA\n:86:text\n${statement('', 'C260102EUR1000,')}`,
    );
    expect(statements).toHaveLength(2);
    expect(codes).toEqual(['ClosingMissing']);
  });

  test('a debit balance is negative once, at both ends', () => {
    const { statements, codes } = read(statement(':61:260102D1,NTRFA', 'D260102EUR11,', 'D260101EUR10,'));
    expect(statements[0]?.head.opening?.amount).toBe(-1000n);
    expect(statements[0]?.foot?.closing?.amount).toBe(-1100n);
    expect(codes).toEqual([]);
  });

  test('text of the statement, further balances, fields that are not known', () => {
    const { statements, codes } = read(
      ':20:A\n:21:B\n:25:1\n:28C:7\n:NSF:x\n:60F:C260101EUR1,\n:61:260101C1,NTRFA\n:NS:22x\n:86:of the line\n:62F:C260101EUR2,\n' +
        ':64:C260101EUR3,\n:65:C260102EUR4,\n:86:of the\nstatement\n-}',
    );
    expect(statements[0]?.lines[0]?.text).toBe('of the line');
    expect(statements[0]?.foot).toMatchObject({ text: 'of the\nstatement', linesCount: 1 });
    expect(statements[0]?.foot?.otherBalances.map(({ kind, amount }) => [kind, amount])).toEqual([
      [':64:', 300n],
      [':65:', 400n],
    ]);
    expect(codes).toEqual([]);
  });

  test('several accounts in one message', () => {
    const { statements, codes } = read(
      ':20:A\n:25:1\n:60F:C260101EUR1,\n:62F:C260101EUR1,\n:25:2\n:60F:C260101USD2,\n:61:260101D1,NTRFA\n:62F:C260101USD1,\n-',
    );
    expect(statements.map(({ head }) => [head.account, head.currency, head.reference])).toEqual([
      ['1', 'EUR', 'A'],
      ['2', 'USD', 'A'],
    ]);
    expect(codes).toEqual([]);
  });

  test.each([
    [':25:NL20INGB0001234567EUR', 'C260101'],
    [':25:NL20INGB0001234567 EUR', 'C260101'],
  ])('the currency behind the account %s', (account, opening) => {
    const { statements } = read(`:20:A\n${account}\n:60F:${opening}1,\n:61:260101C1,NTRFA\n:62F:C2601012,\n-`);
    expect(statements[0]?.head).toMatchObject({ account: 'NL20INGB0001234567', currency: 'EUR' });
    expect(statements[0]?.foot?.closing?.amount).toBe(200n);
  });

  test('balances without a currency: of the other balance, of the caller, or an error', () => {
    const file = (closing: string): string =>
      `:20:A\n:25:X\n:60F:C2601011,\n:61:260101C1,NTRFA\n:86:t\n:62F:${closing}\n-`;
    const late = read(file('C260101XOF2,'));
    expect(late.codes).toEqual([]);
    expect(late.statements[0]?.lines[0]).toMatchObject({ amount: 1n, text: 't' });
    expect(read(file('C2601012,'), { currency: 'EUR' }).statements[0]?.lines[0]?.amount).toBe(100n);
    expect(read(file('C2601012,')).error).toMatchObject({ code: 'CurrencyMissing' });
  });

  test('lines outside of a statement are not passed over', () => {
    const file = `${statement('', 'C260101EUR1000,')}:61:260101C1,NTRFX\n`;
    expect(read(file).error).toEqual({ code: 'HeaderMissing', line: 8, column: 1 });
  });

  test.each(['', 'hello\nworld', '\u0000\u0001'])('what is no MT940: %j', (file) => {
    expect(read(file).error).toMatchObject({ code: 'NoStatement' });
  });

  test('a line without an end is refused, not hoarded', () => {
    const reader = mt940Reader();
    const chunk = new Uint8Array(64 * 1024).fill(0x41);
    reader.push(new TextEncoder().encode(':20:A\n:25:1\n:60F:C260101EUR1,\n:86:'));
    const pushed = (): void => {
      for (let i = 0; i < 160; i++) reader.push(chunk);
    };
    expect(pushed).toThrow(expect.objectContaining({ code: 'LineTooLong' }));
  });

  test('a text without an end is refused', () => {
    const file = statement(`:61:260101C1,NTRFX\n:86:${'a\n'.repeat(200_000)}`, 'C260101EUR1001,');
    expect(read(file).error).toMatchObject({ code: 'TextTooLong' });
  });
});

describe('MT942', () => {
  const interim = (rest: string): string =>
    `:20:A\n:25:DE89370400440532013000\n:28C:13/1\n:34F:EURD12,\n:34F:EURC12,\n:13D:2601091733+0100\n${rest}`;

  test('has no balances, and its totals are compared', () => {
    const lines = ':61:260109C5,NTRFA\n:86:x\n:61:260109D2,NTRFB\n:61:260109RC1,NTRFC\n';
    const right = read(interim(`${lines}:90D:2EUR3,\n:90C:1EUR5,\n-`));
    expect(right.codes).toEqual([]);
    expect(right.statements[0]?.head).toMatchObject({ format: 'mt942', currency: 'EUR' });
    expect(right.statements[0]?.lines.map(({ amount }) => amount)).toEqual([500n, -200n, -100n]);
    expect(read(interim(`${lines}:90D:2EUR3,\n:90C:1EUR5,01\n-`)).codes).toEqual(['TotalsMismatch']);
    expect(read(interim(`${lines}:90D:1EUR3,\n:90C:1EUR5,\n-`)).codes).toEqual(['TotalsMismatch']);
  });

  test('what is expected is no booking: counted, told, and no line', () => {
    const { statements, codes } = read(interim(':61:260109EC5,NTRFA\n:86:x\n:61:260109C2,NTRFB\n-'));
    expect(statements[0]?.lines.map(({ reference, index }) => [reference, index])).toEqual([['B', 0]]);
    expect(statements[0]?.foot?.notBookedCounts).toEqual({ EC: 1 });
    expect(codes).toEqual(['ExpectedNotBooked']);
  });
});

describe('checks', () => {
  const page = (number: string, opening: string, closing: string, body = ''): string =>
    `:20:A\n:25:1\n:28C:${number}\n:60${opening}\n${body}:62${closing}\n-\n`;
  const line = ':61:260101C1,NTRFX\n';

  test('opening and lines make the closing balance', () => {
    expect(read(statement(':61:260102C1,NTRFX', 'C260102EUR1001,01')).codes).toEqual(['BalanceMismatch']);
  });

  test('pages follow one another, each with what the one before closed with', () => {
    const first = page('5/1', 'F:C260101EUR1,', 'M:C260101EUR2,', line);
    const second = page('5/2', 'M:C260101EUR2,', 'M:C260101EUR3,', line);
    const third = page('5/3', 'M:C260101EUR3,', 'F:C260101EUR4,', line);
    expect(read(first + second + third).codes).toEqual([]);
    expect(read(first + third).codes).toEqual(['PageMissing', 'PageBalanceMismatch']);
    expect(read(first + second + second + third).codes).toContain('PageDuplicate');
    expect(read(second).codes).toEqual(['PageMissing', 'PageMissing']);
    expect(read(first).codes).toEqual(['PageMissing']);
    const other = page('5/2', 'M:C260101EUR2,01', 'F:C260101EUR3,01', line);
    expect(read(first + other).codes).toEqual(['PageBalanceMismatch']);
  });

  test('the next statement opens with what the one before closed with, in either order', () => {
    const monday = page('5/1', 'F:C260101EUR1,', 'F:C260101EUR2,', line);
    const tuesday = page('6/1', 'F:C260101EUR2,', 'F:C260101EUR3,', line);
    const friday = page('9/1', 'F:C260101EUR7,', 'F:C260101EUR8,', line);
    expect(read(monday + tuesday).codes).toEqual([]);
    expect(read(tuesday + monday).codes).toEqual([]);
    expect(read(monday + friday).codes).toEqual(['OpeningMismatch']);
  });

  test('days that are far from the statement', () => {
    expect(read(statement(':61:240102C1,NTRFX', 'C260102EUR1001,')).codes).toEqual(['DateImplausible']);
    expect(read(statement(':61:2601020402C1,NTRFX', 'C260102EUR1001,')).codes).toEqual(['DateImplausible']);
    expect(read(statement(':61:260102C1,NTRFX', 'C251102EUR1001,')).codes).toContain('DateImplausible');
    const impossible = read(statement(':61:260102C1,NTRFX', 'C260231EUR1001,'));
    expect(impossible.codes).toEqual(['DateInvalid']);
    expect(impossible.statements[0]?.foot?.closing).toEqual({ amount: 100100n, kind: ':62F:' });
  });

  test('currencies', () => {
    expect(read(statement('', 'C260102USD1000,')).codes).toEqual(['CurrencyMismatch']);
    expect(read(statement(':61:260102CD1,NTRFX', 'C260102EUR1001,')).codes).toEqual(['FundsCodeMismatch']);
    expect(read(statement('', 'C260102DEM1,', 'C260101DEM1,')).codes).toEqual(['CurrencyWithdrawn']);
  });
});

describe('character sets', () => {
  const bytesOf = (...pieces: (string | number[])[]): Uint8Array =>
    Uint8Array.from(
      pieces.flatMap((piece) => (typeof piece === 'string' ? [...new TextEncoder().encode(piece)] : piece)),
    );
  const [before, after] = statement(':61:260102C1,NTRFX\n:86:#', 'C260102EUR1001,').split('#') as [string, string];

  test.each<[string, number[], string, string[], Mt940Options]>([
    ['UTF-8', [0xc3, 0xbc, 0xe2, 0x82, 0xac], 'ü€', [], {}],
    ['ISO-8859-1', [0xfc, 0x20, 0xdf], 'ü ß', [], {}],
    ['CP1252', [0x80, 0xfc, 0x96], '€ü–', [], {}],
    ['a byte that is none', [0x81, 0x41], '\u0081A', ['CharsetUnknown'], {}],
    ['the euro sign of ISO-8859-15, unknown', [0xa4], '¤', ['CharsetAmbiguous'], {}],
    ['the euro sign of ISO-8859-15, configured', [0xa4], '€', [], { charset: 'iso-8859-15' }],
    ['two mixed', [0xc3, 0xbc, 0x20, 0xfc, 0x41], 'ü üA', ['CharsetMixed'], {}],
    ['UTF-8 configured, and not', [0xfc, 0x41], 'üA', ['CharsetContradicted'], { charset: 'utf-8' }],
    ['ISO-8859-1 configured, and UTF-8', [0xc3, 0xbc], 'Ã¼', ['CharsetContradicted'], { charset: 'iso-8859-1' }],
    ['ASCII', [0x41], 'A', [], { charset: 'windows-1252' }],
  ])('%s', (_, bytes, text, codes, options) => {
    const result = read(bytesOf(before, bytes, after), options);
    expect(result.statements[0]?.lines[0]?.text).toBe(text);
    expect(result.codes).toEqual(codes);
  });

  test.each([true, false])('UTF-16 with its mark, little endian: %s', (littleEndian) => {
    const text = `\ufeff${before}ü€${after}`;
    const view = new DataView(new ArrayBuffer(text.length * 2));
    for (let i = 0; i < text.length; i++) view.setUint16(i * 2, text.charCodeAt(i), littleEndian);
    const result = read(new Uint8Array(view.buffer));
    expect(result.statements[0]?.lines[0]?.text).toBe('ü€');
    expect(result.codes).toEqual([]);
  });
});
