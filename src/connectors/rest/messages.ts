import { Type, type Static } from 'typebox';
import type { BankPaymentStatus, BankSendResult, PayoutSlice } from '../bank-connector.ts';
import { checkOf } from '../validate.ts';
import type { RestSettings } from './settings.ts';

/**
 * What is said to a provider and by it, in JSON. An answer is believed only where it is exactly what was agreed: anything
 * else (a page of a proxy, half a document, a code without a body) leaves the payment in doubt. Fields that we do not know
 * are allowed.
 */
const reference = Type.String({ minLength: 1, maxLength: 255 });
const providerId = Type.String({ pattern: '^[\\x21-\\x7e]{1,128}$' });
const minorUnits = Type.String({ pattern: '^(?:0|[1-9][0-9]{0,29})$' });
const code = Type.String({ pattern: '^[A-Za-z0-9_.-]{1,64}$' });

const payment = Type.Object({
  id: providerId,
  reference,
  status: Type.Unsafe<'pending' | 'confirmed' | 'settled' | 'refused'>({
    type: 'string',
    enum: ['pending', 'confirmed', 'settled', 'refused'],
  }),
  amount: Type.Optional(minorUnits),
  currency: Type.Optional(Type.String({ pattern: '^[A-Z]{3}$' })),
  fee: Type.Optional(minorUnits),
  code: Type.Optional(code),
});

const refusal = Type.Object({ status: Type.Literal('refused'), code });
/** Of 404: the provider itself says so, and not somebody on the way to it. */
const nothing = Type.Object({ status: Type.Literal('not_found') });

export const isPayment = checkOf(payment);
const isRefusal = checkOf(refusal);
const isNothing = checkOf(nothing);

export type PaymentMessage = Static<typeof payment>;
type Rules = Pick<RestSettings, 'elsewhereCodes' | 'notTakenIsFinal'>;

/** The body of a payment. The key is its reference always; whether it is elsewhere too is a setting. */
export function requestBody(slice: PayoutSlice, { idempotency }: Pick<RestSettings, 'idempotency'>): string {
  const { idempotencyKey, amount, currency, account, rail } = slice;
  return JSON.stringify({
    reference: idempotencyKey,
    amount,
    currency,
    account,
    ...(rail === undefined ? {} : { rail }),
    ...(idempotency.in === 'body' ? { [idempotency.name]: idempotencyKey } : {}),
  });
}

/** What an answer to a payment says. */
export function readSendAnswer(status: number, body: Buffer, slice: PayoutSlice, rules: Rules): BankSendResult {
  const said = parse(body);
  if (status >= 200 && status < 300 && isPayment(said)) {
    const differs = contradiction(said, slice);
    if (differs !== undefined) return { outcome: 'unknown', reason: `AnswerContradicts: ${differs}` };
    if (said.status === 'refused') return refused(said, rules, status);
    return {
      outcome: 'accepted',
      providerRef: said.id,
      status: said.status === 'pending' ? 'pending' : 'confirmed',
      ...feeOf(said),
    };
  }
  if (isRefusal(said)) {
    // Something is under our key that is not this payment: nobody knows what has become of it.
    if (status === 409) return { outcome: 'unknown', reason: `KeyConflict: ${said.code}` };
    if (status === 401 || status === 403) {
      return { outcome: 'refused', code: said.code, elsewhere: true, ofConnector: true };
    }
    if (status === 429 || status === 503) {
      if (rules.notTakenIsFinal) return { outcome: 'refused', code: said.code, elsewhere: true, ofConnector: true };
    } else if (status >= 400 && status < 500) return refused(said, rules, status);
  }
  return { outcome: 'unknown', reason: `Unreadable: status ${status}` };
}

/** What an answer to a question says. */
export function readStatusAnswer(
  status: number,
  body: Buffer,
  asked: { readonly reference?: string; readonly id?: string },
  rules: Rules,
): BankPaymentStatus {
  const said = parse(body);
  if (status === 404 && isNothing(said)) return { status: 'not_found' };
  if (status !== 200 || !isPayment(said)) return { status: 'unknown', reason: `Unreadable: status ${status}` };
  if ((asked.reference ?? said.reference) !== said.reference || (asked.id ?? said.id) !== said.id) {
    return { status: 'unknown', reason: 'AnswerContradicts: it is about another payment' };
  }
  return statusOf(said, rules);
}

/** A payment as the provider sees it, in our words. */
export function statusOf(said: PaymentMessage, { elsewhereCodes }: Pick<Rules, 'elsewhereCodes'>): BankPaymentStatus {
  const { id: providerRef, status, code: refusalCode = 'Refused' } = said;
  switch (status) {
    case 'pending':
      return { status, providerRef };
    case 'confirmed':
    case 'settled':
      return { status, providerRef, ...feeOf(said) };
    case 'refused':
      return { status, providerRef, code: refusalCode, elsewhere: elsewhereCodes.includes(refusalCode) };
  }
}

/** The JSON in a body; undefined where it is none. */
export function parse(body: Buffer): unknown {
  try {
    return JSON.parse(body.toString('utf8')) as unknown;
  } catch {
    return undefined;
  }
}

function refused(said: { readonly code?: string }, { elsewhereCodes }: Rules, status: number): BankSendResult {
  const refusalCode = said.code ?? `Status${status}`;
  return { outcome: 'refused', code: refusalCode, elsewhere: elsewhereCodes.includes(refusalCode) };
}

function contradiction(said: PaymentMessage, slice: PayoutSlice): string | undefined {
  if (said.reference !== slice.idempotencyKey) return 'reference';
  if (said.amount !== undefined && said.amount !== slice.amount) return 'amount';
  if (said.currency !== undefined && said.currency !== slice.currency) return 'currency';
  return undefined;
}

function feeOf({ fee }: PaymentMessage): { readonly providerFee?: string } {
  return fee === undefined ? {} : { providerFee: fee };
}
