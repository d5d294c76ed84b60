import type { Answer } from './answer.ts';
import type { NewPayout, Payout, PayoutDetails, PayoutFilter, PayoutItem } from './api.ts';
import type { CallOptions, Calls, CommandOptions } from './calls/calls.ts';
import type { BodyOf } from './calls/operations.ts';
import { Pages } from './pages.ts';

/** Payouts of treasuries, for services. Amounts and keys are as for payments. */
export class PayoutCalls {
  readonly #calls: Calls;

  constructor(calls: Calls) {
    this.#calls = calls;
  }

  /** Pays out, in as many slices as the rail needs; all of it is held at once. What is refused is kept, as of a payment. */
  create(payout: NewPayout, options?: CommandOptions): Promise<Answer<Payout>> {
    return this.#calls.answer('createPayout', { body: payout }, options);
  }

  /** Cancels the slices that no provider has. What became of the others, `get` says. */
  cancel(id: string, body: BodyOf<'cancelPayout'> = {}, options?: CommandOptions): Promise<Answer<Payout>> {
    return this.#calls.answer('cancelPayout', { path: { id }, body }, options);
  }

  /** With each of its slices, and exactly which part of its money is where. */
  get(id: string, options?: CallOptions): Promise<Answer<PayoutDetails>> {
    return this.#calls.answer('getPayout', { path: { id } }, options);
  }

  /** The newest first. What happened a moment ago may be missing. */
  list(filter: PayoutFilter = {}, options?: CallOptions): Pages<PayoutItem> {
    return new Pages((cursor) => this.#calls.answer('listPayouts', { query: { ...filter, ...cursor } }, options));
  }
}
