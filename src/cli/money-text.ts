import { exponentOf } from '../kernel/currencies.ts';
import { formatDecimal } from '../kernel/money.ts';

/** An amount for people: 70000 CZK → `700.00 CZK`. */
export function moneyText(minor: bigint | string, currency: string): string {
  const amount = BigInt(minor);
  return exponentOf(currency) === undefined
    ? `${amount.toString()} ${currency}`
    : `${formatDecimal(amount, currency)} ${currency}`;
}

/** An instant for people: `2026-03-01 12:34:56.789`, in UTC. */
export function timeText(instant: string): string {
  return instant.replace('T', ' ').replace(/Z$/, '');
}

/** The same, without a time of day that says nothing: what a bank books holds from the start of its day. */
export function dayText(instant: string): string {
  return timeText(instant).replace(/ 00:00:00(\.0+)?$/, '');
}
