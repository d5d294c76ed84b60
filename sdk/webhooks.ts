import type { Answer } from './answer.ts';
import type { AddedWebhook, Delivery, DeliveryFilter, NewWebhook, RotatedSecret, Webhook } from './api.ts';
import type { CallOptions, Calls } from './calls/calls.ts';
import type { BodyOf } from './calls/operations.ts';
import { Pages } from './pages.ts';

/** Webhooks: services have their own, admins see all. What is delivered, and how to read it: docs/webhooks.md. */
export class WebhookCalls {
  readonly #calls: Calls;

  constructor(calls: Calls) {
    this.#calls = calls;
  }

  /** Has what happens from now on told to a URL. The answer holds the secret, which is said once: keep it. */
  add(webhook: NewWebhook, options?: CallOptions): Promise<Answer<AddedWebhook>> {
    return this.#calls.answer('addWebhook', { body: webhook }, options);
  }

  /** With how much waits for each. */
  async list(options?: CallOptions): Promise<Answer<readonly Webhook[]>> {
    const answer = await this.#calls.answer('listWebhooks', {}, options);
    return answer.ok ? { ok: true, value: answer.value.items } : answer;
  }

  remove(id: string, options?: CallOptions): Promise<Answer<undefined>> {
    return this.#calls.answer('removeWebhook', { path: { id } }, options);
  }

  /** A new secret; deliveries are signed with both until `previousSecretUntil`. */
  rotate(id: string, body: BodyOf<'rotateWebhookSecret'> = {}, options?: CallOptions): Promise<Answer<RotatedSecret>> {
    return this.#calls.answer('rotateWebhookSecret', { path: { id }, body }, options);
  }

  /** The newest events first. */
  deliveries(id: string, filter: DeliveryFilter = {}, options?: CallOptions): Pages<Delivery> {
    return new Pages((cursor) =>
      this.#calls.answer('listWebhookDeliveries', { path: { id }, query: { ...filter, ...cursor } }, options),
    );
  }

  /** Delivers again: without a filter everything that is dead. */
  replay(
    id: string,
    filter: BodyOf<'replayWebhookDeliveries'> = {},
    options?: CallOptions,
  ): Promise<Answer<{ readonly replayed: number }>> {
    return this.#calls.answer('replayWebhookDeliveries', { path: { id }, body: filter }, options);
  }

  /** Gives a dead delivery up: what waits behind it of its payment comes without it. */
  skip(id: string, eventId: string, options?: CallOptions): Promise<Answer<undefined>> {
    return this.#calls.answer('skipWebhookDelivery', { path: { id }, body: { eventId } }, options);
  }
}
