import { type Client, createClient } from '@connectrpc/connect';
import { createConnectTransport } from '@connectrpc/connect-node';
import { type Command, PaymentService } from '../gateway/rpc/gen/kora/v1/payment_pb.js';
import type { Payment } from '../gateway/rpc/gen/kora/v1/payment_pb.js';
import type { Random } from './random.ts';
import type { Tally } from './tally.ts';

/** How many calls are sent twice, as networks and impatient users do. */
const retried = 0.07;
const batchSize = 250;
const batchesAtOnce = 4;

/** Sends commands through rpc, some of them twice, and times them. */
export class Driver {
  readonly latenciesMs: number[] = [];
  readonly #client: Client<typeof PaymentService>;
  readonly #random: Random;
  readonly #tally: Tally;

  constructor(rpcUrl: string, token: string, random: Random, tally: Tally) {
    const transport = createConnectTransport({
      baseUrl: rpcUrl,
      httpVersion: '2',
      interceptors: [
        (next) => (request) => {
          request.header.set('authorization', `Bearer ${token}`);
          return next(request);
        },
      ],
    });
    this.#client = createClient(PaymentService, transport);
    this.#random = random;
    this.#tally = tally;
  }

  /** Sends all commands in batches; returns the payments of first answers. */
  async batches(commands: readonly Command[], signal: AbortSignal): Promise<Payment[]> {
    const chunks: Command[][] = [];
    for (let at = 0; at < commands.length; at += batchSize)
      chunks.push(this.#someTwice(commands.slice(at, at + batchSize)));
    const payments: Payment[] = [];
    await inParallel(chunks, batchesAtOnce, signal, async (chunk) => {
      const { results } = await this.#client.batch({ commands: chunk }, { signal });
      if (results.length !== chunk.length) throw new Error(`${chunk.length} commands, ${results.length} answers`);
      for (const [index, result] of results.entries()) {
        const payment = this.#tally.take(chunk[index] as Command, result);
        if (payment !== undefined) payments.push(payment);
      }
    });
    return payments;
  }

  /** Sends commands one by one, `atOnce` at a time, and takes the time of each. */
  async singly(commands: readonly Command[], atOnce: number, signal: AbortSignal): Promise<Payment[]> {
    const payments: Payment[] = [];
    await inParallel(this.#someTwice(commands), atOnce, signal, async (command) => {
      const start = performance.now();
      const { results } = await this.#client.batch({ commands: [command] }, { signal });
      this.latenciesMs.push(performance.now() - start);
      const payment = results[0] && this.#tally.take(command, results[0]);
      if (payment !== undefined) payments.push(payment);
    });
    return payments;
  }

  /** Asks for payments as they are now: a provider's word comes after the answer to who asked for the payment. */
  async latest(paymentIds: readonly string[], signal: AbortSignal): Promise<void> {
    await inParallel(paymentIds, 16, signal, async (paymentId) => {
      const { payment } = await this.#client.getPayment({ paymentId }, { signal });
      if (payment !== undefined) this.#tally.see(payment);
    });
  }

  #someTwice(commands: readonly Command[]): Command[] {
    this.#tally.commands += commands.length;
    return commands.flatMap((command) => {
      if (!this.#random.chance(retried)) return [command];
      this.#tally.sentTwice += 1;
      return [command, command];
    });
  }
}

async function inParallel<T>(
  list: readonly T[],
  atOnce: number,
  signal: AbortSignal,
  work: (item: T) => Promise<void>,
): Promise<void> {
  const items = list.values();
  const worker = async (): Promise<void> => {
    for (const item of items) {
      signal.throwIfAborted();
      await work(item);
    }
  };
  await Promise.all(Array.from({ length: Math.min(atOnce, list.length) }, worker));
}
