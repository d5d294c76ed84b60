import {
  MemoryLog,
  type RecordedRow,
  type RecordedUnit,
  type StreamId,
  type StreamRow,
} from '../../../eventstore/index.ts';

/** Holds whoever comes to it until it is opened. */
export class Barrier {
  #held = false;
  #waiting: (() => void)[] = [];
  #arrivals: (() => void)[] = [];

  hold(): void {
    this.#held = true;
  }

  open(): void {
    this.#held = false;
    const waiting = this.#waiting;
    this.#waiting = [];
    for (const resolve of waiting) resolve();
  }

  /** Resolves when somebody is being held. */
  async someone(): Promise<void> {
    if (this.#waiting.length === 0) await new Promise<void>((resolve) => this.#arrivals.push(resolve));
  }

  async pass(): Promise<void> {
    if (!this.#held) return;
    await new Promise<void>((resolve) => {
      this.#waiting.push(resolve);
      for (const arrived of this.#arrivals.splice(0)) arrived();
    });
  }
}

/** A memory log on which the test says when a read is answered, after it has seen what it sees, and when units are followed. */
export class HeldReadsLog extends MemoryLog {
  /** On the same store: following does not go through the reads that are held. */
  readonly #followed = new MemoryLog({ store: this.store });
  readonly reads = new Barrier();
  readonly following = new Barrier();

  override async *readStream(stream: StreamId, after = 0): AsyncGenerator<StreamRow, void, undefined> {
    const rows: StreamRow[] = [];
    for await (const row of super.readStream(stream, after)) rows.push(row);
    await this.reads.pass();
    yield* rows;
  }

  override async readLast(streams: readonly StreamId[]): Promise<ReadonlyMap<StreamId, RecordedRow>> {
    const rows = await super.readLast(streams);
    await this.reads.pass();
    return rows;
  }

  override async *readAll(after: number): AsyncGenerator<RecordedUnit, void, undefined> {
    const units: RecordedUnit[] = [];
    for await (const unit of super.readAll(after)) units.push(unit);
    await this.reads.pass();
    yield* units;
  }

  override async *subscribe(after: number, signal: AbortSignal): AsyncGenerator<RecordedUnit, void, undefined> {
    for await (const unit of this.#followed.subscribe(after, signal)) {
      await this.following.pass();
      yield unit;
    }
  }
}
