import { setTimeout as sleep } from 'node:timers/promises';
import type { EventLog } from '../../eventstore/index.ts';
import { InvalidRunError } from '../harness/case.ts';
import type { AuthorizedPayment } from './cash-outs.ts';
import type { SimulatedProvider } from './simulated-provider.ts';

/** What a follower of the log saw of payments through providers, and when: as soon as anybody who waits for them. */
export class WatchedPayments {
  readonly settledAt = new Map<string, number>();
  /** Of the first intent. */
  readonly toldAt = new Map<string, number>();
  readonly inDoubt = new Set<string>();
  notSent = 0;
  readonly #stop = new AbortController();
  #following: Promise<void> = Promise.resolve();

  /** From now on: what was made to prepare is not seen. */
  async start(log: EventLog): Promise<void> {
    const after = await log.lastPosition();
    this.#following = this.#follow(log, after);
  }

  /** Resolves when so many are settled: the rest of what is in doubt is found out by asking. */
  async settledCount(count: number, limitMs: number, log: EventLog): Promise<void> {
    const until = performance.now() + limitMs;
    while (this.settledAt.size < count) {
      if (performance.now() > until) {
        const missing = [...this.toldAt.keys()].find((id) => !this.settledAt.has(id));
        const story = missing === undefined ? 'none of them was told' : await storyOf(missing, log);
        throw new InvalidRunError(`${this.settledAt.size} of ${count} payments are settled: ${story}`);
      }
      await sleep(20);
    }
  }

  /** Sorted: from held to settled, without the time that the provider takes for the first request. */
  ownMs(payments: readonly AuthorizedPayment[], providerOf: (name: string) => SimulatedProvider): Float64Array {
    return Float64Array.from(
      payments.map(
        ({ paymentId, at, provider }) =>
          (this.settledAt.get(paymentId) ?? NaN) - at - providerOf(provider).latencyMs(paymentId),
      ),
    ).sort();
  }

  async close(): Promise<void> {
    this.#stop.abort();
    await this.#following;
  }

  async #follow(log: EventLog, after: number): Promise<void> {
    for await (const { rows } of log.subscribe(after, this.#stop.signal)) {
      const now = performance.now();
      for (const { stream, events } of rows) {
        if (!stream.startsWith('payment/')) continue;
        const id = stream.slice('payment/'.length);
        for (const { type } of events) {
          if (type === 'PaymentSettled') this.settledAt.set(id, now);
          else if (type === 'InstructionInDoubt') this.inDoubt.add(id);
          else if (type === 'InstructionNotSent') this.notSent += 1;
          else if (type === 'InstructionIssued' && !this.toldAt.has(id)) this.toldAt.set(id, now);
        }
      }
    }
  }
}

async function storyOf(paymentId: string, log: EventLog): Promise<string> {
  const steps: string[] = [];
  for await (const { events, recordedAt } of log.readStream(`payment/${paymentId}`))
    steps.push(`${recordedAt.toISOString()} ${events.map(({ type }) => type).join(', ')}`);
  return [paymentId, ...steps].join('\n');
}
