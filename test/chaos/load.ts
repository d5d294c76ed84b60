import { setTimeout as sleep } from 'node:timers/promises';
import type { Seeded } from '../../bench/load/seeded.ts';
import type { Dealt } from './check.ts';
import type { Berth, Fleet } from './fleet.ts';
import { type Answer, firstOrder, nextOrder, type Order } from './orders.ts';

/** Of a hundred orders: given up when their first sending is not answered; sent once more after the answer; over http. */
const shares = { givenUp: 30, again: 10, http: 20 };

/** Clients that pay through whichever process they think of, and send what is not answered again with the same key. */
export class Load {
  readonly dealt: Dealt[] = [];
  /** Answers that were not the first one. */
  readonly findings: string[] = [];
  /** What is not answered yet. */
  readonly atWork = new Set<Order>();
  /** Clients in the middle of a payment: between two orders about it nothing is at work. */
  busy = 0;
  readonly acknowledgedBy = new Map<Berth, number>();
  acknowledged = 0;
  resent = 0;
  /** The longest time without an acknowledgement since `silentFrom` was set, in milliseconds. */
  silenceMs = 0;
  lastAt = performance.now();
  readonly #fleet: Fleet;
  readonly #random: Seeded;
  readonly #pauseMs: number;
  readonly #clients: Promise<unknown>;
  #orders = 0;
  #paused = true;
  #ended = false;

  constructor(options: {
    readonly fleet: Fleet;
    readonly random: Seeded;
    readonly clients: number;
    readonly pauseMs: number;
  }) {
    this.#fleet = options.fleet;
    this.#random = options.random;
    this.#pauseMs = options.pauseMs;
    this.#clients = Promise.all(Array.from({ length: options.clients }, () => this.#client()));
    this.#clients.catch((error: unknown) => this.findings.push(`a client cannot go on: ${String(error)}`));
  }

  resume(): void {
    this.#paused = false;
    this.lastAt = performance.now();
  }

  /** Begins nothing new. What is at work goes on until it is answered. */
  pause(): void {
    this.#paused = true;
  }

  end(): void {
    this.#ended = true;
  }

  async #client(): Promise<void> {
    while (!this.#ended) {
      if (this.#paused) {
        await sleep(10);
        continue;
      }
      let order: Order | undefined = firstOrder(this.#random, `order ${++this.#orders}`);
      this.busy += 1;
      while (order !== undefined) {
        const answer: Answer | undefined = await this.#dealWith(order);
        order = answer && nextOrder(this.#random, order, answer);
      }
      this.busy -= 1;
      await sleep(this.#pauseMs);
    }
  }

  /** Undefined: it was given up. */
  async #dealWith(order: Order): Promise<Answer | undefined> {
    this.atWork.add(order);
    const givesUp = this.#random.below(100) < shares.givenUp;
    const answer = await this.#answered(order, givesUp ? 1 : Infinity);
    if (this.#ended && answer === undefined) return undefined;
    if (answer !== undefined && this.#random.below(100) < shares.again) {
      const second = await this.#answered(order, Infinity);
      if (second !== undefined && JSON.stringify(second) !== JSON.stringify(answer)) {
        this.findings.push(
          `${order.type} ${order.key} was answered ${JSON.stringify(answer)} first, and ${JSON.stringify(second)} then`,
        );
      }
    }
    this.atWork.delete(order);
    this.dealt.push({ order, answer });
    return answer;
  }

  async #answered(order: Order, attemptsMax: number): Promise<Answer | undefined> {
    for (let attempt = 1; !this.#ended; attempt++) {
      const { berths } = this.#fleet;
      const berth = berths[this.#random.below(berths.length)];
      const answer = await berth?.doors?.send(order, this.#random.below(100) < shares.http ? 'http' : 'rpc');
      if (answer !== undefined && berth !== undefined) {
        this.#heard(berth);
        return answer;
      }
      if (attempt >= attemptsMax) return undefined;
      this.resent += 1;
      await sleep(30 + this.#random.below(100));
    }
    return undefined;
  }

  #heard(berth: Berth): void {
    this.acknowledged += 1;
    this.acknowledgedBy.set(berth, (this.acknowledgedBy.get(berth) ?? 0) + 1);
    const now = performance.now();
    this.silenceMs = Math.max(this.silenceMs, now - this.lastAt);
    this.lastAt = now;
  }
}
