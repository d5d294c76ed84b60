import { BatchDoubt } from '../../../eventstore/postgres/batch-doubt.ts';
import type { Batch } from '../../../eventstore/planner/batch-planner.ts';
import type { CommitAnswer } from '../../../eventstore/planner/group-committer.ts';
import type { SimulatedDatabase } from './database.ts';
import type { Random } from './random.ts';
import type { Owner, Simulator } from './simulator.ts';
import { ConnectionLostError, notAllowed } from './store-errors.ts';
import type { Weather } from './weather.ts';

export interface ConnectionOptions {
  readonly simulator: Simulator;
  readonly database: SimulatedDatabase;
  readonly owner: Owner;
  /** Of this process in this life: batch ids are made from it. */
  readonly name: string;
  readonly weather: () => Weather;
  /** Told when commits begin to wait for the store, each time that it says why, and (undefined) when they go on. */
  readonly onTrouble: (error: Error | undefined) => void;
}

/**
 * The one connection that appends: `CommitterConnection` over a simulated network. One call at a time, the identical
 * batch until it is answered; what an error says about it is decided by the product's own code.
 */
export class SimulatedConnection {
  readonly #options: ConnectionOptions;
  readonly #random: Random;
  #batches = 0;

  constructor(options: ConnectionOptions, random: Random) {
    this.#options = options;
    this.#random = random;
  }

  async commit(batch: Batch): Promise<CommitAnswer> {
    const { simulator, database, owner, name, onTrouble } = this.#options;
    const id = `${name}-${this.#batches++}`;
    const doubt = new BatchDoubt();
    for (let retryMs = 20; ; retryMs = Math.min(retryMs * 2, 1_000)) {
      try {
        const answer = await this.#call(id, batch);
        onTrouble(undefined);
        return answer;
      } catch (caught) {
        const error = asError(caught);
        doubt.callFailed(error);
        if (doubt.isSettledBy(error)) {
          onTrouble(undefined);
          database.failed(id);
          return { outcome: 'failed', error };
        }
        onTrouble(error);
      }
      await simulator.sleep(retryMs, owner);
    }
  }

  /** One call, and what may become of it on the way. */
  async #call(id: string, batch: Batch): Promise<CommitAnswer> {
    const { simulator, owner, weather } = this.#options;
    const { commitLostBefore, commitLostAfter, commitLate, commitFailed } = weather();
    if (this.#random.chance(commitLostBefore)) {
      // The server may get to a call whose connection is long gone.
      if (this.#random.chance(commitLate)) this.#send(id, batch, this.#random.between(5, 3_000)).catch(() => undefined);
      throw new ConnectionLostError();
    }
    if (this.#random.chance(commitFailed)) {
      await simulator.sleep(2 * this.#wayMs(), owner);
      throw notAllowed();
    }
    const answer = await this.#send(id, batch, this.#wayMs());
    if (this.#random.chance(commitLostAfter)) throw new ConnectionLostError();
    return answer;
  }

  /** What is on its way arrives, whether its sender still lives or not; only a living one gets the answer. */
  #send(id: string, batch: Batch, wayMs: number): Promise<CommitAnswer> {
    const { simulator, database, owner } = this.#options;
    const backMs = this.#wayMs();
    return new Promise((resolve, reject) => {
      simulator.after(wayMs, () => {
        let answer: () => void;
        try {
          const committed = database.append(id, batch);
          answer = () => resolve(committed);
        } catch (error) {
          answer = () => reject(asError(error));
        }
        simulator.after(backMs, answer, owner);
      });
    });
  }

  #wayMs(): number {
    const { slow, busy } = this.#options.weather();
    if (this.#random.chance(slow)) return this.#random.between(5, 500);
    return this.#random.chance(busy) ? this.#random.between(5, 40) : this.#random.between(0.1, 3);
  }
}

function asError(caught: unknown): Error {
  return caught instanceof Error ? caught : new Error(String(caught));
}
