import type { Filter, KurrentDBClient } from '@kurrent/kurrentdb-client';
import type { Position, RecordedRow, RecordedUnit, StreamId, StreamRow } from '../event-log.ts';
import { LogCorruptionError } from '../event-log.ts';
import type { IncomingEvent, StreamNames } from './stored-form.ts';
import { incomingEvent } from './stored-form.ts';
import { UnitAssembler } from './unit-assembler.ts';

/** The client's words, which are constants of a module that is loaded late. */
const start = 'start';
const end = 'end';
const forwards = 'forwards';
const backwards = 'backwards';

export type From = typeof start | Position;

/** Streams that are asked for at once. */
const readsAtOnceMax = 16;
/** Events that a look at the end of a stream fetches: nearly always the whole last row. */
const lastEventsMax = 8;
/** Unit ends that are remembered, so that a position which is no record's need not be looked for from the beginning. */
const landmarksMax = 1_024;

function isMissingStream(error: unknown): boolean {
  return (error as { readonly type?: unknown }).type === 'stream-not-found';
}

/** Reads one log's units and rows out of the records of a server. */
export class LogReader {
  readonly names: StreamNames;
  readonly #client: KurrentDBClient;
  #landmarks: Position[] = [];

  constructor(client: KurrentDBClient, names: StreamNames) {
    this.#client = client;
    this.names = names;
  }

  /** The server leaves out what is not this log's. */
  get filter(): Filter {
    return { filterOn: 'streamName', prefixes: [this.names.prefix], checkpointInterval: 1_000 };
  }

  /** Events of a stream; none where there is no such stream. Revisions count from 0. */
  async *stream(
    stream: StreamId,
    fromRevision: number | typeof end,
    direction: typeof forwards | typeof backwards,
    maxCount?: number,
  ): AsyncGenerator<IncomingEvent, void, undefined> {
    const options = {
      fromRevision: fromRevision === end ? end : BigInt(fromRevision),
      direction,
      ...(maxCount !== undefined && { maxCount }),
    } as const;
    try {
      for await (const { event } of this.#client.readStream(this.names.stored(stream), options)) {
        const incoming = incomingEvent(event, this.names);
        if (incoming !== undefined) yield incoming;
      }
    } catch (error) {
      if (!isMissingStream(error)) throw error;
    }
  }

  async versionOf(stream: StreamId): Promise<number> {
    for await (const { version } of this.stream(stream, end, backwards, 1)) return version;
    return 0;
  }

  /** Rows of a stream from the one that holds version `after` + 1. */
  async *rows(stream: StreamId, after: number): AsyncGenerator<StreamRow, void, undefined> {
    let from = after;
    for await (const { rowIndex } of this.stream(stream, after, forwards, 1)) from -= rowIndex;
    let version = from;
    let row: IncomingEvent[] = [];
    for await (const event of this.stream(stream, from, forwards)) {
      if (event.version !== version + 1 || event.rowIndex !== row.length) {
        throw new LogCorruptionError(
          `stream ${stream} has no version ${version + 1}; the next is ${event.version}`,
          event.position,
        );
      }
      version = event.version;
      row.push(event);
      if (row.length < event.rowCount) continue;
      const first = row[0] as IncomingEvent & { readonly meta: StreamRow['meta'] };
      const unit = await this.#firstOfUnit(first);
      yield {
        ...rowOf(row),
        unitPosition: unit.position,
        unitId: first.unit,
        recordedAt: unit.recordedAt,
        meta: first.meta,
      };
      row = [];
    }
  }

  async lastRows(streams: readonly StreamId[]): Promise<Map<StreamId, RecordedRow>> {
    const found = new Map<StreamId, RecordedRow>();
    const asked = [...new Set(streams)];
    const ask = async (): Promise<void> => {
      for (let stream = asked.pop(); stream !== undefined; stream = asked.pop()) {
        const row = await this.#lastRow(stream);
        if (row !== undefined) found.set(stream, row);
      }
    };
    await Promise.all(Array.from({ length: Math.min(readsAtOnceMax, asked.length) }, ask));
    return found;
  }

  async #lastRow(stream: StreamId): Promise<RecordedRow | undefined> {
    const events: IncomingEvent[] = [];
    for await (const event of this.stream(stream, end, backwards, lastEventsMax)) events.unshift(event);
    const last = events.at(-1);
    if (last === undefined) return undefined;
    if (events.length >= last.rowCount) return rowOf(events.slice(-last.rowCount));
    const row: IncomingEvent[] = [];
    for await (const event of this.stream(stream, last.version - last.rowCount, forwards, last.rowCount))
      row.push(event);
    return rowOf(row);
  }

  /** The unit's first event: all that is said once of a unit is what that one says. */
  async #firstOfUnit(event: IncomingEvent): Promise<IncomingEvent> {
    let first = event;
    if (event.index > 0) for await (const before of this.#before(event.position, event.index)) first = before;
    if (first.index === 0 && first.unit === event.unit) return first;
    throw new LogCorruptionError(`unit ${event.unit} has lost its beginning`, event.position);
  }

  /** Up to so many events of this log before the one at a position, the nearest first. */
  async *#before(position: Position, maxCount: number): AsyncGenerator<IncomingEvent, void, undefined> {
    const at = BigInt(position);
    const fromPosition = { commit: at, prepare: at };
    yield* this.#all({ direction: backwards, fromPosition, maxCount });
  }

  async *#all(
    options: Omit<NonNullable<Parameters<KurrentDBClient['readAll']>[0]>, 'filter'>,
  ): AsyncGenerator<IncomingEvent, void, undefined> {
    for await (const { event } of this.#client.readAll({ ...options, filter: this.filter })) {
      const incoming = incomingEvent(event, this.names);
      if (incoming !== undefined) yield incoming;
    }
  }

  async lastPosition(): Promise<Position> {
    for await (const { position } of this.#all({ direction: backwards, fromPosition: end, maxCount: 1 }))
      return position;
    return 0;
  }

  /** Whole units from the one that ends after a position. A unit of which the server shows only a part is left for later. */
  async *units(after: Position): AsyncGenerator<RecordedUnit, void, undefined> {
    if (after >= (await this.lastPosition())) return;
    const from = await this.boundaryAtOrBefore(after);
    const assembler = new UnitAssembler();
    const fromPosition = from === start ? start : { commit: BigInt(from), prepare: BigInt(from) };
    for await (const event of this.#all({ direction: forwards, fromPosition })) {
      // A read begins with the record at its position, and that one ends the unit before.
      if (event.position === from) continue;
      const unit = assembler.take(event);
      if (unit === undefined) continue;
      this.passed(unit.lastPosition);
      if (unit.lastPosition > after) yield unit;
    }
  }

  /**
   * The end of a unit at or before a position, from which the server can be asked to read on. Only where a record begins
   * may it be asked, and it cannot be asked where that is: so the record at the position itself is read, and is believed
   * only if it is one of ours at exactly this position. Any other position is led back to the nearest known end.
   */
  async boundaryAtOrBefore(after: Position): Promise<From> {
    if (after <= 0) return start;
    const landmark = this.#landmarks.findLast((position) => position <= after) ?? start;
    if (landmark === after) return after;
    try {
      const at = BigInt(after);
      for await (const event of this.#all({
        direction: forwards,
        fromPosition: { commit: at, prepare: at },
        maxCount: 1,
      })) {
        if (event.position === after && event.index === event.count - 1) return after;
        break;
      }
    } catch {
      // The client says the same of a server that is away and of one that found no record there. One that is away does
      // not answer a question that is always right either.
      await this.lastPosition();
    }
    return landmark;
  }

  /** Remembers the end of a unit. */
  passed(position: Position): void {
    const last = this.#landmarks.at(-1);
    if (last !== undefined && position <= last) return;
    this.#landmarks.push(position);
    // Every second one goes: they get rarer towards the beginning, where nobody asks any more.
    if (this.#landmarks.length > landmarksMax) this.#landmarks = this.#landmarks.filter((_, index) => index % 2 === 1);
  }
}

function rowOf(events: readonly IncomingEvent[]): RecordedRow {
  const first = events[0];
  if (first?.rowIndex !== 0 || events.length !== first.rowCount)
    throw new LogCorruptionError(`a row of unit ${first?.unit ?? '?'} is not whole`, first?.position ?? 0);
  const { position, stream, version } = first;
  return { position, stream, version, events: events.map(({ event }) => event) };
}
