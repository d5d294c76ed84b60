import type { Answer } from './answer.ts';
import type { NewPayment, Payment, PaymentFilter, Timeline } from './api.ts';
import type { CallOptions, Calls, CommandOptions } from './calls/calls.ts';
import type { BodyOf } from './calls/operations.ts';
import { Pages } from './pages.ts';

/**
 * Payments. Amounts are minor units: `bigint`s or decimal texts, never numbers; answers have texts. Every command has an
 * idempotency key, made here unless one is given, and is carried out once however often it has to be sent.
 */
export class PaymentCalls {
  readonly #calls: Calls;

  constructor(calls: Calls) {
    this.#calls = calls;
  }

  /**
   * Pays: makes the payment and takes it in one step as far as the caller's word goes, or up to `upTo`. What cannot be paid
   * is refused, and the refusal is kept: the same key gives the same answer again.
   */
  pay(payment: NewPayment, options?: CommandOptions): Promise<Answer<Payment>> {
    return this.#calls.answer('pay', { body: payment }, options);
  }

  /** Makes a payment and moves nothing yet: `authorize` and `capture` do. */
  create(payment: Omit<NewPayment, 'upTo'>, options?: CommandOptions): Promise<Answer<Payment>> {
    return this.pay({ ...payment, upTo: 'INITIATED' }, options);
  }

  /** Holds the amount on the payer. */
  authorize(id: string, options?: CommandOptions): Promise<Answer<Payment>> {
    return this.#calls.answer('authorizePayment', { path: { id }, body: {} }, options);
  }

  /** Takes what is held, or a part of it (`amount`): the rest is released. */
  capture(id: string, body: BodyOf<'capturePayment'> = {}, options?: CommandOptions): Promise<Answer<Payment>> {
    return this.#calls.answer('capturePayment', { path: { id }, body }, options);
  }

  /** For services: the money has arrived. */
  settle(id: string, body: BodyOf<'settlePayment'> = {}, options?: CommandOptions): Promise<Answer<Payment>> {
    return this.#calls.answer('settlePayment', { path: { id }, body }, options);
  }

  /** Undoes what is not settled yet, wholly. */
  reverse(id: string, body: BodyOf<'reversePayment'> = {}, options?: CommandOptions): Promise<Answer<Payment>> {
    return this.#calls.answer('reversePayment', { path: { id }, body }, options);
  }

  /** Calls off what has not begun. */
  cancel(id: string, body: BodyOf<'cancelPayment'> = {}, options?: CommandOptions): Promise<Answer<Payment>> {
    return this.#calls.answer('cancelPayment', { path: { id }, body }, options);
  }

  /** Gives a settled merchant payment back, or a part of it. The answer is the refund: a payment of its own. */
  refund(id: string, body: BodyOf<'refundPayment'>, options?: CommandOptions): Promise<Answer<Payment>> {
    return this.#calls.answer('refundPayment', { path: { id }, body }, options);
  }

  /** For services: what became of what a provider was told, and nobody knows. */
  resolve(id: string, body: BodyOf<'resolvePayment'>, options?: CommandOptions): Promise<Answer<Payment>> {
    return this.#calls.answer('resolvePayment', { path: { id }, body }, options);
  }

  /** For services: the provider sent a settled slice of a payout back, or a part of it. The answer is the return. */
  return(id: string, body: BodyOf<'returnPayment'>, options?: CommandOptions): Promise<Answer<Payment>> {
    return this.#calls.answer('returnPayment', { path: { id }, body }, options);
  }

  get(id: string, options?: CallOptions): Promise<Answer<Payment>> {
    return this.#calls.answer('getPayment', { path: { id } }, options);
  }

  /** The payments that the caller may see, the newest first. What happened a moment ago may be missing. */
  list(filter: PaymentFilter = {}, options?: CallOptions): Pages<Payment> {
    return new Pages((cursor) => this.#calls.answer('listPayments', { query: { ...filter, ...cursor } }, options));
  }

  /** What happened to it, in sentences. */
  timeline(id: string, options?: CallOptions): Promise<Answer<Timeline>> {
    return this.#calls.answer('getTimeline', { path: { id } }, options);
  }
}
