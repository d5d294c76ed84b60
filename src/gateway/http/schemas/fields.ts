import { Type } from 'typebox';
import { AMOUNT_DIGITS_MAX } from '../../../kernel/money.ts';

/**
 * The fields that requests and answers share. A description is what a caller reads who sent something else
 * ("amount: …"), so it says what is wanted.
 */

export const accountId = Type.String({
  pattern: '^[A-Za-z0-9_.-]{1,64}$',
  description: 'id of a wallet: 1 to 64 of A-Z a-z 0-9 _ . and -',
  examples: ['ada'],
});

/** Wallets and system accounts: only the latter have a colon. */
export const anyAccountId = Type.String({
  pattern: '^[A-Za-z0-9_.:-]{1,128}$',
  description: 'id of a wallet, or of a system account such as float:cash:XOF',
  examples: ['ada'],
});

export const paymentId = Type.String({
  pattern: '^[A-Za-z0-9_-]{27}$',
  description: 'id of a payment, as it was answered: 27 characters',
  examples: ['q3Zp0m1bJ8yq3o0yYw6f2m9kq1E'],
});

export const amount = Type.String({
  pattern: `^(?:0|[1-9][0-9]{0,${AMOUNT_DIGITS_MAX - 1}})$`,
  description: `minor units as text: digits only, no leading zero, ${AMOUNT_DIGITS_MAX} at most`,
  examples: ['1250'],
});

/** Answers only: entries and balances may be below zero. */
export const signedAmount = Type.String({
  pattern: '^(?:0|-?[1-9][0-9]*)$',
  description: 'minor units as text, credit positive',
  examples: ['-1250'],
});

export const currency = Type.String({
  pattern: '^[A-Z]{3}$',
  description: 'a currency of ISO 4217',
  examples: ['XOF'],
});

export const instant = Type.String({
  format: 'date-time',
  description: 'an instant of ISO 8601 with a zone, such as 2024-02-29T12:00:00Z',
  examples: ['2024-02-29T12:00:00Z'],
});

export const reason = Type.String({
  minLength: 1,
  maxLength: 200,
  // No control characters, and no half of a surrogate pair: neither can be stored.
  pattern: '^[^\\p{Cc}\\p{Cs}]+$',
  description: 'why, in 1 to 200 characters of one line, without personal data',
  examples: ['reported as stolen'],
});

export const provider = Type.String({
  pattern: '^[A-Za-z0-9_.:-]{1,64}$',
  description: 'name of a provider',
  examples: ['cash'],
});

export const reference = Type.String({
  pattern: '^[A-Za-z0-9_.-]{1,64}$',
  description: 'a reference that the provider resolves, 1 to 64 of A-Z a-z 0-9 _ . and -; never a number or a name',
  examples: ['ben-4711'],
});

export const rail = Type.String({
  pattern: '^[A-Za-z0-9_.-]{1,64}$',
  description: 'name of a rail of the provider: 1 to 64 of A-Z a-z 0-9 _ . and -',
  examples: ['instant'],
});

export const providerRef = Type.String({
  minLength: 1,
  maxLength: 200,
  pattern: '^[^\\p{Cc}\\p{Cs}]+$',
  description: 'what the provider calls it: 1 to 200 characters of one line',
  examples: ['TX-0042'],
});

export const connectorId = Type.String({
  pattern: '^[A-Za-z0-9_.-]{1,64}$',
  description: 'id of a connector: 1 to 64 of A-Z a-z 0-9 _ . and -',
  examples: ['momo-1'],
});

export const position = Type.Integer({
  minimum: 0,
  maximum: Number.MAX_SAFE_INTEGER,
  description: 'a position of the log, from 0 on',
});

export const version = Type.Integer({ minimum: 1, description: 'counts the facts on it' });

/** Of lists: `limit` and `cursor` of the query. */
export const pageQuery = {
  limit: Type.Optional(Type.Integer({ minimum: 1, maximum: 200, default: 50, description: 'how many, 1 to 200' })),
  cursor: Type.Optional(
    Type.String({
      pattern: '^[A-Za-z0-9_-]{1,1024}$',
      description: '`next` of the page before, as it was answered',
    }),
  ),
};

/** Of lists: absent on the last page. */
export const next = Type.Optional(Type.String({ description: 'send it as `cursor` for the next page' }));
