import { randomUUID } from 'node:crypto';
import type { Meta, NewEvent, Position, RecordedEvent, StreamId } from '../event-log.ts';
import { LogCorruptionError } from '../event-log.ts';
import type { PlannedRow, PlannedUnit } from '../planner/planned-unit.ts';

/**
 * How a unit lies in KurrentDB: one record per event, so that a stream's revision is its version − 1 and any other client
 * of the store sees plain events. The store knows no units; each record says in its metadata which unit it is of, and
 * where in it. All values are strings: `multiStreamAppend` takes no others.
 */
interface StoredMetadata {
  readonly 'kora-unit': string;
  /** Where in the unit, from 0, and how many events the unit has. */
  readonly 'kora-index': string;
  readonly 'kora-count': string;
  /** Where in its row (the unit's events on this stream), and how many events the row has. */
  readonly 'kora-row-index': string;
  readonly 'kora-row-count': string;
  readonly 'kora-schema': string;
  /**
   * Milliseconds since 1970 at the process that appended, which never goes back there. The store's own time comes out of
   * this client in whole seconds on some ways and in milliseconds on others.
   */
  readonly 'kora-recorded': string;
  /** JSON of the unit's meta, on the first event of each row. */
  readonly 'kora-meta'?: string;
}

/** A record as the client reads it. */
export interface StoredRecord {
  readonly streamId: string;
  readonly id: string;
  readonly revision: bigint;
  readonly type: string;
  readonly data: unknown;
  readonly metadata?: unknown;
  readonly position?: { readonly commit: bigint; readonly prepare: bigint };
}

/** An event to be appended, with the id by which it is known again after an unknown outcome. */
export interface OutgoingEvent {
  readonly contentType: 'application/json';
  readonly id: string;
  readonly type: string;
  readonly data: Record<string, unknown>;
  readonly metadata: Record<string, string>;
}

export interface OutgoingRow {
  readonly row: PlannedRow;
  readonly events: readonly OutgoingEvent[];
}

/**
 * The records of a unit. Their ids are made once per submission and kept over every resend: a unit that was submitted
 * twice is judged by its expected versions, as on the other stores, and never taken for the first one.
 */
export function outgoingRows({ unit, rows, count }: PlannedUnit, recordedAtMs: number): OutgoingRow[] {
  const meta = JSON.stringify(unit.meta);
  let index = 0;
  return rows.map((row) => ({
    row,
    events: (JSON.parse(row.events) as NewEvent[]).map((event, rowIndex) => {
      const metadata: StoredMetadata = {
        'kora-unit': unit.id,
        'kora-index': String(index),
        'kora-count': String(count),
        'kora-row-index': String(rowIndex),
        'kora-row-count': String(row.count),
        'kora-schema': String(event.schema),
        'kora-recorded': String(recordedAtMs),
        ...(rowIndex === 0 && { 'kora-meta': meta }),
      };
      index += 1;
      return {
        contentType: 'application/json',
        id: randomUUID(),
        type: event.type,
        data: event.data as Record<string, unknown>,
        metadata: { ...metadata },
      };
    }),
  }));
}

/** An event as it was read, its unit's words parsed. */
export interface IncomingEvent {
  readonly id: string;
  readonly stream: StreamId;
  /** From 1. */
  readonly version: number;
  readonly position: Position;
  readonly recordedAt: Date;
  readonly unit: string;
  readonly index: number;
  readonly count: number;
  readonly rowIndex: number;
  readonly rowCount: number;
  readonly meta: Meta | undefined;
  readonly event: RecordedEvent;
}

/** Kora's streams carry the name of their log first, so that several logs, and others' streams, share one server. */
export class StreamNames {
  readonly prefix: string;
  constructor(namespace: string) {
    if (!/^[a-z0-9][a-z0-9-]{0,63}$/.test(namespace)) throw new Error(`"${namespace}" is no name for a log`);
    this.prefix = `${namespace}:`;
  }

  stored(stream: StreamId): string {
    return `${this.prefix}${stream}`;
  }

  ours(stored: string): StreamId | undefined {
    return stored.startsWith(this.prefix) ? (stored.slice(this.prefix.length) as StreamId) : undefined;
  }
}

/** Undefined for a record that is none of this log's: a system record, another log's. */
export function incomingEvent(stored: StoredRecord | undefined, names: StreamNames): IncomingEvent | undefined {
  if (stored === undefined) return undefined;
  const stream = names.ours(stored.streamId);
  if (stream === undefined) return undefined;
  const position = positionOf(stored);
  // The client leaves metadata that it cannot read as bytes; anybody may have written such a record to our stream.
  const metadata = (stored.metadata ?? {}) as Partial<StoredMetadata>;
  const unit = metadata['kora-unit'];
  const [index, count, rowIndex, rowCount, schema, recordedAtMs] = [
    metadata['kora-index'],
    metadata['kora-count'],
    metadata['kora-row-index'],
    metadata['kora-row-count'],
    metadata['kora-schema'],
    metadata['kora-recorded'],
  ].map(Number) as [number, number, number, number, number, number];
  const meta = metadata['kora-meta'];
  const numbers = [index, count, rowIndex, rowCount, schema, recordedAtMs].every(
    (one) => Number.isSafeInteger(one) && one >= 0,
  );
  if (typeof unit !== 'string' || !numbers || (rowIndex === 0 && meta === undefined))
    throw new LogCorruptionError(`${stored.streamId}@${stored.revision} was not written by this log`, position);
  return {
    id: stored.id,
    stream,
    version: Number(stored.revision) + 1,
    position,
    recordedAt: new Date(recordedAtMs),
    unit,
    index,
    count,
    rowIndex,
    rowCount,
    meta: meta === undefined ? undefined : (JSON.parse(meta) as Meta),
    event: { type: stored.type, schema, data: stored.data as object },
  };
}

/**
 * The byte of the server's log at which a record begins. Commit and prepare position are the same for all that is written
 * since version 5 (only explicit transactions, which nobody can write over gRPC, had two).
 */
function positionOf({ position, streamId, revision }: StoredRecord): Position {
  if (position === undefined) throw new Error('this server says no positions in stream reads: 25.1 or later is needed');
  const number = Number(position.commit);
  if (position.commit !== position.prepare || !Number.isSafeInteger(number))
    throw new LogCorruptionError(`${streamId}@${revision} is at ${position.commit}/${position.prepare}`, number);
  return number;
}
