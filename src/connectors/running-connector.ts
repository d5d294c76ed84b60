import { setTimeout as sleep } from 'node:timers/promises';
import {
  bulkhead,
  BulkheadRejectedError,
  type BulkheadPolicy,
  TaskCancelledError,
  timeout,
  TimeoutStrategy,
} from 'cockatiel';
import type { BankConnector, ConnectorConfig, HealthCheckResult } from './bank-connector.ts';
import type { TakesCallbacks } from './kind.ts';

/**
 * A kind keeps to its own time-outs, which know what was written. This one is for a kind that does not: a payment's outcome
 * may be unknown, but never outstanding for ever.
 */
const GUARD_SLACK_MS = 5_000;

/** The call was not begun: all places are taken, and all in the queue. */
export class Crowded extends Error {
  override readonly name = 'Crowded';
}

/** The kind did not come back in time. */
export class Overdue extends Error {
  override readonly name = 'Overdue';
}

/** One instance of a connector, from its `init` to its `shutdown`: its bulkheads, and what is in flight. */
export class RunningConnector {
  readonly config: ConnectorConfig;
  readonly connector: BankConnector & Partial<TakesCallbacks>;
  /** Of the configuration with its secrets: another one is another connector. */
  readonly fingerprint: string;
  /** The last one. */
  health: HealthCheckResult | undefined;
  readonly #payments: BulkheadPolicy;
  /** Places of its own: questions never keep a payment out, nor payments the questions that resolve what is in doubt. */
  readonly #questions: BulkheadPolicy;
  #inFlight = 0;
  #idle: (() => void) | undefined;

  constructor(config: ConnectorConfig, connector: BankConnector & Partial<TakesCallbacks>, fingerprint: string) {
    const { concurrencyMax, waitingMax } = config.limits;
    this.config = config;
    this.connector = connector;
    this.fingerprint = fingerprint;
    this.#payments = bulkhead(concurrencyMax, waitingMax);
    this.#questions = bulkhead(Math.ceil(concurrencyMax / 4), Math.max(waitingMax, concurrencyMax));
  }

  /** Keeps the instance alive until `work` is done, whatever is configured meanwhile. */
  async hold<Result>(work: () => Promise<Result>): Promise<Result> {
    this.#inFlight += 1;
    try {
      return await work();
    } finally {
      this.#inFlight -= 1;
      if (this.#inFlight === 0) this.#idle?.();
    }
  }

  /** @throws Crowded */
  inPaymentPlace<Result>(work: () => Promise<Result>): Promise<Result> {
    return admitted(this.#payments, work);
  }

  /** @throws Crowded */
  inQuestionPlace<Result>(work: () => Promise<Result>): Promise<Result> {
    return admitted(this.#questions, work);
  }

  /**
   * @param beginWithinMs how long the kind may wait until it writes the first byte
   * @throws Overdue
   */
  async guarded<Result>(beginWithinMs: number, work: () => Promise<Result>): Promise<Result> {
    const ms = Math.max(0, beginWithinMs) + this.config.limits.requestTimeoutMs + GUARD_SLACK_MS;
    try {
      // Its signal goes nowhere: aborting it after each call would only cost the making of an exception.
      const guard = timeout(ms, { strategy: TimeoutStrategy.Aggressive, abortOnReturn: false });
      return await guard.dangerouslyUnref().execute(work);
    } catch (error) {
      throw error instanceof TaskCancelledError ? new Overdue(`no answer after ${ms} ms`) : error;
    }
  }

  /** Resolves when nothing is in flight and the connector is shut down. New calls must not begin any more. */
  async retire(): Promise<void> {
    while (this.#inFlight > 0) {
      await new Promise<void>((resolve) => (this.#idle = resolve));
      // A call that held it ends in the turn in which another one, that was waiting, may begin.
      await sleep(0);
    }
    await this.connector.shutdown?.();
  }
}

async function admitted<Result>(policy: BulkheadPolicy, work: () => Promise<Result>): Promise<Result> {
  try {
    return await policy.execute(work);
  } catch (error) {
    throw error instanceof BulkheadRejectedError ? new Crowded('all places are taken') : error;
  }
}
