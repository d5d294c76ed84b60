import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { http } from './person.ts';
import type { ServingProduct } from './serving.ts';
import { StreamConnection } from './stream.ts';

const PAUSE_MS = 100;
/** Both cores are busy with the attack; an honest client waits so long at most. */
const ANSWER_MS_MAX = 15_000;

/** Honest clients of every door, who came before the attack and use the product during it. */
export class Watchful {
  readonly #serving: ServingProduct;
  readonly #stream: StreamConnection;
  readonly #account: string;
  readonly #over = new AbortController();
  readonly #failed: string[] = [];
  #answered = 0;
  #work: Promise<unknown> = Promise.resolve();

  private constructor(serving: ServingProduct, account: string, stream: StreamConnection) {
    this.#serving = serving;
    this.#account = account;
    this.#stream = stream;
  }

  static async start(serving: ServingProduct): Promise<Watchful> {
    const { token } = serving;
    const account = `honest-${randomUUID()}`;
    const body = { type: 'customer', currency: 'XOF', accountId: account };
    const opened = await http(serving.http, 'POST', '/v1/accounts', { token, body });
    if (opened.status !== 201) throw new Error(`no account: ${opened.status} ${opened.text}`);
    const stream = await StreamConnection.must(serving.stream, { authorization: `Bearer ${token}` });
    stream.send({ subscribe: { topic: `account/${account}` } });
    await stream.about(`account/${account}`);
    const watchful = new Watchful(serving, account, stream);
    watchful.#work = Promise.all([watchful.#repeat('http'), watchful.#repeat('rpc')]);
    return watchful;
  }

  /** Ends it; every payment that was answered has to have come over the stream as well. */
  async stop(): Promise<{ readonly answered: number; readonly failed: readonly string[] }> {
    this.#over.abort();
    await this.#work;
    const deadline = Date.now() + ANSWER_MS_MAX;
    while (this.#eventsSeen() < this.#answered && Date.now() < deadline) await sleep(20);
    if (this.#eventsSeen() < this.#answered)
      this.#failed.push(`stream: ${this.#eventsSeen()} of ${this.#answered} events`);
    this.#stream.close();
    return { answered: this.#answered, failed: this.#failed };
  }

  #eventsSeen(): number {
    return this.#stream.messages.filter((message) => 'unit' in message).length;
  }

  async #repeat(door: 'http' | 'rpc'): Promise<void> {
    while (!this.#over.signal.aborted) {
      const before = Date.now();
      try {
        const { status, text } = await this.#payIn(door);
        if (status >= 300) this.#failed.push(`${door}: ${status} ${text}`);
        else this.#answered += 1;
      } catch (error) {
        this.#failed.push(`${door}: ${String(error)} ${String((error as Error).cause)}`);
      }
      const tookMs = Date.now() - before;
      if (tookMs > ANSWER_MS_MAX) this.#failed.push(`${door}: answered after ${tookMs} ms`);
      await sleep(PAUSE_MS);
    }
  }

  #payIn(door: 'http' | 'rpc') {
    const { token } = this.#serving;
    const payment = { amount: '1', currency: 'XOF', payee: this.#account, provider: 'cash' };
    if (door === 'http') {
      return http(this.#serving.http, 'POST', '/v1/payments', { token, body: { ...payment, kind: 'CASH_IN' } });
    }
    const body = { ...payment, idempotencyKey: randomUUID(), kind: 'PAYMENT_KIND_CASH_IN', upTo: 'PAY_UP_TO_SETTLED' };
    return http(this.#serving.rpc, 'POST', '/kora.v1.PaymentService/Pay', { token, body });
  }
}
