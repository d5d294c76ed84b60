import type { AppendResult, EventLog, Unit } from '../../eventstore/index.ts';
import { MemoryLog, type MemoryStore } from '../../eventstore/index.ts';

/**
 * A memory log whose commits happen when the test says so: what a decision does before it is durable can be seen.
 * Several on one store behave like several processes.
 */
export class HeldLog extends MemoryLog {
  #held: (() => void)[] = [];
  #holding = false;
  /** Makes the next unit that is submitted fail for good. */
  failNext: Error | undefined;

  constructor(store?: MemoryStore) {
    let hold: (work: () => void) => void = setImmediate;
    super({ ...(store && { store }), schedule: (work) => hold(work) });
    hold = (work) => {
      if (this.#holding) this.#held.push(work);
      else setImmediate(work);
    };
  }

  override submit(unit: Unit, settled: (result: AppendResult) => void): 'queued' | 'overloaded' {
    const error = this.failNext;
    this.failNext = undefined;
    if (error === undefined) return super.submit(unit, settled);
    const fail = (): void => settled({ outcome: 'failed', error });
    if (this.#holding) this.#held.push(fail);
    else setImmediate(fail);
    return 'queued';
  }

  hold(): void {
    this.#holding = true;
  }

  /** Lets what is held happen, and everything after it. */
  release(): void {
    this.#holding = false;
    const held = this.#held;
    this.#held = [];
    for (const work of held) work();
  }
}

/** Lets every promise that can go on go on, and one turn of the event loop pass. */
export async function turns(count = 5): Promise<void> {
  for (let turn = 0; turn < count; turn++) await new Promise((resolve) => setImmediate(resolve));
}

/** Events of a log, for comparing. */
export async function eventTypes(log: EventLog, stream: `${string}/${string}`): Promise<string[]> {
  const types: string[] = [];
  for await (const row of log.readStream(stream)) types.push(...row.events.map((event) => event.type));
  return types;
}
