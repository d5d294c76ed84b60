import type { Answer } from './answer.ts';
import type { Connector } from './api.ts';
import type { CallOptions, Calls, CommandOptions } from './calls/calls.ts';
import type { BodyOf } from './calls/operations.ts';

/** Connectors to providers, for operators. */
export class ConnectorCalls {
  readonly #calls: Calls;

  constructor(calls: Calls) {
    this.#calls = calls;
  }

  /** All of them, by id. What happened a moment ago may be missing. */
  list(options?: CallOptions): Promise<Answer<{ readonly items: readonly Connector[] }>> {
    return this.#calls.answer('listConnectors', {}, options);
  }

  get(id: string, options?: CallOptions): Promise<Answer<Connector>> {
    return this.#calls.answer('getConnector', { path: { id } }, options);
  }

  /** Opens or closes its breaker by hand. Open by hand, it stays so until somebody closes it. */
  force(id: string, body: BodyOf<'forceConnector'>, options?: CommandOptions): Promise<Answer<Connector>> {
    return this.#calls.answer('forceConnector', { path: { id }, body }, options);
  }
}
