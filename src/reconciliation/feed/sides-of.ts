import type { Expectation, ExternalLine } from '../matching/sides.ts';
import type { FedEvent } from './contract.ts';
import { FeedRefusedError } from './contract.ts';
import type { PaymentSeen } from './payment-seen.ts';

/** Kinds whose money passes through a provider, and which way. */
const directions: Readonly<Record<string, 'in' | 'out'>> = {
  CASH_IN: 'in',
  FUNDING: 'in',
  PAYOUT_RETURN: 'in',
  CASH_OUT: 'out',
  PAYOUT: 'out',
};

/** What a statement should show of a payment; undefined: nothing, so far. */
export function expectationOf(seen: PaymentSeen, position: number): Expectation | undefined {
  const { kind, provider, since, status, fee } = seen;
  const direction = directions[kind];
  if (direction === undefined || provider === undefined || since === undefined) return undefined;
  return {
    id: seen.id,
    profile: provider,
    direction,
    amount: BigInt(seen.amount),
    ...(fee !== undefined && { fee: BigInt(fee) }),
    currency: seen.currency,
    tokens: seen.tokens,
    groupTokens: seen.groupTokens,
    date: since,
    position,
    // Not missed: it has ended, or a provider may be at it. A line may still say that it was carried out.
    ...(status !== 'CAPTURED' && status !== 'SETTLED' && { withdrawn: true }),
  };
}

/** @throws FeedRefusedError where it is no line as the contract has it */
export function lineOf({ data }: FedEvent): ExternalLine {
  const text = (name: string): string => {
    const value = data[name];
    if (typeof value !== 'string') throw new FeedRefusedError('Malformed', `statement.line: ${name} is missing`);
    return value;
  };
  const texts = (name: string): string[] => {
    const value = data[name];
    if (value === undefined) return [];
    if (!Array.isArray(value) || !value.every((one) => typeof one === 'string'))
      throw new FeedRefusedError('Malformed', `statement.line: ${name} is no list of texts`);
    return value;
  };
  const optional = (name: string): string | undefined => (data[name] === undefined ? undefined : text(name));
  const entryDate = optional('entryDate');
  const counterparty = optional('counterparty');
  const kindCode = optional('transactionCode');
  return {
    id: text('lineId'),
    profile: text('profile'),
    account: text('account'),
    amount: BigInt(text('amount')),
    currency: text('currency'),
    valueDate: text('valueDate'),
    ...(entryDate !== undefined && { entryDate }),
    tokens: texts('references'),
    textTokens: texts('words'),
    ...(counterparty !== undefined && { counterparty }),
    ...(kindCode !== undefined && { kindCode }),
    ...(data['parts'] !== undefined && { parts: partsOf(data['parts']) }),
    reversal: data['reversal'] === true,
    held: false,
  };
}

function partsOf(value: unknown): { amount: bigint; tokens: string[] }[] {
  const parts = value as { amount?: unknown; references?: unknown }[];
  const isRight =
    Array.isArray(value) &&
    parts.every(({ amount, references }) => typeof amount === 'string' && Array.isArray(references));
  if (!isRight) throw new FeedRefusedError('Malformed', 'statement.line: parts are not as docs/events.md says');
  return parts.map(({ amount, references }) => ({ amount: BigInt(amount as string), tokens: references as string[] }));
}
