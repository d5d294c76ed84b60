import { AMOUNT_DIGITS_MAX } from '../../kernel/money.ts';

export interface AmountWriting {
  readonly decimalMark: string;
  /** Undefined: amounts are written without one, and one in a cell is an error. */
  readonly thousandsMark: string | undefined;
  readonly unit: 'decimal' | 'minor';
}

/**
 * Reads a cell as people write amounts: `1234.50`, `-12.5`, `12.50-`, `(12.50)`, `1,234.50` with a thousands mark, whose
 * groups must be of three. Exact: decimals beyond the currency's are an error unless zeros. Undefined: it is no amount.
 */
export function minorReader(writing: AmountWriting): (text: string, exponent: number) => bigint | undefined {
  const decimal = literal(writing.decimalMark);
  // Spaces between groups are written as any of the spaces there are.
  const thousands = writing.thousandsMark === ' ' ? '[ \u00a0\u2009\u202f]' : literal(writing.thousandsMark ?? '');
  const whole = writing.thousandsMark === undefined ? '\\d*' : `\\d{1,3}(?:${thousands}\\d{3})+|\\d*`;
  const shape = new RegExp(
    writing.unit === 'minor'
      ? `^([-+\u2212(]?)(${whole})()([-)]?)$`
      : `^([-+\u2212(]?) ?(${whole})(?:${decimal}(\\d*))?([-)]?)$`,
  );
  const marks = writing.thousandsMark === undefined ? undefined : new RegExp(thousands, 'g');
  return (text, exponent) => {
    const match = shape.exec(text.trim());
    if (match === null) return undefined;
    const [, before = '', written = '', fraction = '', after = ''] = match;
    if ((before === '(') !== (after === ')') || (before !== '' && after === '-')) return undefined;
    const digits = marks === undefined ? written : written.replace(marks, '');
    if (digits + fraction === '' || digits.length + fraction.length > AMOUNT_DIGITS_MAX) return undefined;
    const decimals = writing.unit === 'minor' ? 0 : exponent;
    if (fraction.length > decimals && /[1-9]/.test(fraction.slice(decimals))) return undefined;
    const size = BigInt(digits + fraction.slice(0, decimals).padEnd(decimals, '0'));
    return before === '-' || before === '\u2212' || before === '(' || after === '-' ? -size : size;
  };
}

function literal(mark: string): string {
  return mark.replaceAll(/[.*+?^${}()|[\]\\]/g, '\\$&');
}
