import { exponentOf } from '../../kernel/currencies.ts';
import { isAccountId, isOwner, isPaymentId } from '../../kernel/ids.ts';
import { AMOUNT_DIGITS_MAX } from '../../kernel/money.ts';
import type { Refusal } from '../../kernel/refusal.ts';
import { instantOf } from '../instant.ts';

type Invalid = Refusal & { readonly code: 'Invalid' };

export const KEY_CHARS_MAX = 255;
export const REASON_CHARS_MAX = 200;
export const CORRELATION_CHARS_MAX = 128;

const AMOUNT = /^(?:0|[1-9][0-9]*)$/;
const CORRELATION = /^[\x21-\x7e]{1,128}$/;
const REFERENCE = /^[A-Za-z0-9_.-]{1,64}$/;
const PROVIDER_CHARS_MAX = 64;

/**
 * Reads the fields of one command after the other. What is wrong is not thrown but kept, the first of it: the caller
 * reads every field, then looks at `wrong`. So ten thousand commands cost no exception and no object per field.
 */
export class FieldReader {
  wrong: Invalid | undefined;

  fail(field: string, message: string): void {
    this.wrong ??= { code: 'Invalid', field, message: `${field}: ${message}` };
  }

  idempotencyKey(value: string): string {
    return this.text('idempotencyKey', value, KEY_CHARS_MAX, 'give every command a key of its own');
  }

  reason(value: string): string {
    return this.text('reason', value, REASON_CHARS_MAX, 'say why');
  }

  provider(value: string): string {
    return this.text('provider', value, PROVIDER_CHARS_MAX, 'name the provider, or leave the field out');
  }

  /** A reference that a provider resolves, or the name of one of its rails. */
  reference(field: string, value: string): string {
    if (!REFERENCE.test(value)) this.fail(field, 'is no reference: 1 to 64 of A-Z a-z 0-9 _ . and -');
    return value;
  }

  providerRef(value: string): string {
    return this.text('providerRef', value, REASON_CHARS_MAX, 'say what the provider calls it');
  }

  text(field: string, value: string, charsMax: number, hint: string): string {
    if (value.length === 0) this.fail(field, `is empty: ${hint}`);
    else if (value.length > charsMax) this.fail(field, `has ${value.length} characters: ${charsMax} at most`);
    // NUL cannot be stored by Postgres, a lone surrogate cannot be written in UTF-8.
    else if (value.includes('\0')) this.fail(field, 'holds a NUL character');
    else if (!value.isWellFormed()) this.fail(field, 'holds half a surrogate pair: it is no Unicode text');
    return value;
  }

  amount(field: string, value: string): bigint {
    if (value.length <= AMOUNT_DIGITS_MAX && AMOUNT.test(value)) return BigInt(value);
    const seen = JSON.stringify(value.slice(0, AMOUNT_DIGITS_MAX + 10));
    const rule = `digits only, no leading zero, ${AMOUNT_DIGITS_MAX} at most, such as "1250"`;
    this.fail(
      field,
      value === '' ? 'is empty: send minor units as text' : `${seen} is not minor units as text: ${rule}`,
    );
    return 0n;
  }

  currency(value: string): string {
    if (exponentOf(value) === undefined) {
      this.fail('currency', `${JSON.stringify(value.slice(0, 10))} is no currency of ISO 4217, such as "XOF"`);
    }
    return value;
  }

  accountId(field: string, value: string): string {
    if (!isAccountId(value)) this.fail(field, 'is no id of a wallet: 1 to 64 of A-Z a-z 0-9 _ . and -');
    return value;
  }

  owner(value: string): string {
    if (!isOwner(value)) this.fail('owner', 'is no owner of a wallet: "user:" and the id of the user');
    return value;
  }

  paymentId(field: string, value: string): string {
    if (!isPaymentId(value))
      this.fail(field, 'is no id of a payment: take the paymentId that the payment was answered with');
    return value;
  }

  payoutId(value: string): string {
    if (!isPaymentId(value))
      this.fail('payoutId', 'is no id of a payout: take the payoutId that the payout was answered with');
    return value;
  }

  /** @param names what a number of the wire stands for here; what is not in it is refused */
  oneOf<Name extends string>(
    field: string,
    value: number,
    names: Readonly<Record<number, Name>>,
    fallback: Name,
  ): Name {
    const name = names[value];
    if (name !== undefined) return name;
    this.fail(field, `${value === 0 ? 'is missing' : 'is none'}: one of ${Object.values(names).join(', ')}`);
    return fallback;
  }

  correlationId(field: string, value: string): string {
    if (!CORRELATION.test(value)) {
      this.fail(field, `is 1 to ${CORRELATION_CHARS_MAX} printable characters of ASCII, without spaces`);
    }
    return value;
  }

  effectiveAt(value: string): string {
    const instant = instantOf(value);
    if (instant !== undefined) return instant;
    const seen = JSON.stringify(value.slice(0, 40));
    this.fail('effectiveAt', `${seen} is no instant of ISO 8601 with a zone, such as "2024-02-29T12:00:00Z"`);
    return value;
  }
}
