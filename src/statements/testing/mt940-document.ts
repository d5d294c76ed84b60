import fc from 'fast-check';
import { formatDecimal } from '../../kernel/money.ts';

/** A statement as it is meant, and how a bank may write it: for round trips. */
export interface MeantLine {
  readonly valueDate: string;
  readonly entryDate: string | undefined;
  readonly amount: bigint;
  readonly reversal: boolean;
  readonly reference: string;
  readonly bankReference: string;
  readonly supplementary: string | undefined;
  readonly text: string;
}

export interface MeantStatement {
  readonly account: string;
  readonly currency: string;
  readonly sequence: number;
  readonly opening: bigint;
  readonly closing: bigint;
  readonly lines: readonly MeantLine[];
}

export interface Writing {
  readonly newline: '\n' | '\r\n' | '\r';
  readonly envelope: 'bare' | 'blocks' | 'next';
  readonly fundsCode: boolean;
  readonly blankEntryDate: boolean;
  readonly blankLines: boolean;
}

const day = (date: Date): string => date.toISOString().slice(0, 10);

const dates = fc
  .tuple(
    fc.date({ min: new Date('2001-03-01'), max: new Date('2078-12-31'), noInvalidDate: true }),
    fc.option(fc.integer({ min: -150, max: 150 }), { nil: undefined }),
  )
  .map(([date, days]) => ({
    valueDate: day(date),
    entryDate: days === undefined ? undefined : day(new Date(date.getTime() + days * 86_400_000)),
  }));

/** Characters that banks send, with those that a reader could take for something else. */
const character = fc.constantFrom(...Array.from('abcXYZ019 ?:/+-{}.,<>~^äöüßŁ€'));
const words = (maxLength: number): fc.Arbitrary<string> =>
  fc.string({ unit: character, minLength: 1, maxLength }).filter((text) => text === text.trim());

/** Below the first one: no blank line at the end, no beginning of a field or of a message's end. */
const below = words(65).filter((text) => !/^[:-]/.test(text) || /^(?:- |-[a-z]|:[a-z])/.test(text));
const text = fc.tuple(words(65), fc.array(below, { maxLength: 5 })).map(([first, rest]) => [first, ...rest].join('\n'));

const reference = fc.string({ unit: fc.constantFrom(...Array.from('ABC019-/. ')), minLength: 1, maxLength: 40 });
const plainReference = reference.filter(
  (said) => said === said.trim() && !said.includes('//') && !said.startsWith('/') && !said.endsWith('/'),
);

const meantLine: fc.Arbitrary<MeantLine> = fc
  .record({
    dates,
    size: fc.bigInt({ min: 0n, max: 10n ** 14n }),
    credit: fc.boolean(),
    reversal: fc.boolean(),
    reference: plainReference,
    bankReference: fc.oneof(fc.constant(''), plainReference),
    supplementary: fc.option(
      below.filter((said) => !/^[-/:{]/.test(said)),
      { nil: undefined },
    ),
    text: fc.oneof(fc.constant(''), text),
  })
  .map(({ dates: days, size, credit, ...rest }) => ({ ...days, amount: credit ? size : -size, ...rest }));

export const meantStatement: fc.Arbitrary<MeantStatement> = fc
  .record({
    account: fc.constantFrom('DE89370400440532013000', '10020030/1234567', '517852257'),
    currency: fc.constantFrom('EUR', 'XOF', 'TND', 'USD'),
    sequence: fc.nat(99_999),
    opening: fc.bigInt({ min: -(10n ** 13n), max: 10n ** 13n }),
    lines: fc.array(meantLine, { maxLength: 8 }),
  })
  .map((meant) => ({ ...meant, closing: meant.lines.reduce((sum, { amount }) => sum + amount, meant.opening) }));

export const writing: fc.Arbitrary<Writing> = fc.record({
  newline: fc.constantFrom('\n', '\r\n', '\r'),
  envelope: fc.constantFrom('bare', 'blocks', 'next'),
  fundsCode: fc.boolean(),
  blankEntryDate: fc.boolean(),
  blankLines: fc.boolean(),
});

export function mt940File(statements: readonly MeantStatement[], how: Writing): string {
  return statements
    .map((meant) => written(meant, how))
    .join('')
    .replaceAll('\n', how.newline);
}

function written(meant: MeantStatement, how: Writing): string {
  const { account, currency, sequence, opening, closing, lines } = meant;
  const balance = (amount: bigint): string => `${amount < 0n ? 'D' : 'C'}260101${currency}${swift(amount, currency)}`;
  const head = how.envelope === 'blocks' ? '{1:F01BANKDEFFXXXX0000000000}{2:I940CUSTDEFFXXXXN}{4:\n' : '';
  const tail = { bare: '-\n', blocks: '-}{5:{CHK:0123456789AB}}\n', next: '' }[how.envelope];
  const body = lines.map((line) => writtenLine(line, currency, how)).join('');
  return `${head}:20:R\n:25:${account}\n:28C:${sequence}\n:60F:${balance(opening)}\n${body}:62F:${balance(closing)}\n${tail}`;
}

function writtenLine(line: MeantLine, currency: string, how: Writing): string {
  const { valueDate, entryDate, amount, reversal, reference: said, bankReference, supplementary, text: about } = line;
  const entry = entryDate?.slice(5).replace('-', '') ?? (how.blankEntryDate ? '    ' : '');
  // A credit that is taken back debits the account.
  const mark = amount >= 0n === reversal ? 'D' : 'C';
  const funds = how.fundsCode ? currency.charAt(2) : '';
  const first =
    `:61:${valueDate.slice(2).replaceAll('-', '')}${entry}${reversal ? 'R' : ''}${mark}${funds}` +
    `${swift(amount, currency)}NTRF${said}${bankReference === '' ? '' : `//${bankReference}`}\n`;
  const more = supplementary === undefined ? '' : `${supplementary}\n`;
  return `${first}${more}${about === '' ? '' : `:86:${about}\n`}${how.blankLines ? '\n' : ''}`;
}

function swift(amount: bigint, currency: string): string {
  const text = formatDecimal(amount < 0n ? -amount : amount, currency);
  return text.includes('.') ? text.replace('.', ',') : `${text},`;
}
