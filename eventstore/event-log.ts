/**
 * The port of the log: what every adapter (Postgres, memory, KurrentDB) offers. It knows nothing of payments.
 *
 * A *unit* is what is appended together: events for one or more streams, all of them or none. *Position* numbers events
 * over the whole log (1, 2, 3 … without a gap where the adapter declares `densePositions`), *version* numbers them within
 * a stream (1, 2, 3 …).
 */
export type Position = number;
export type UnitId = string;

/** `<category>/<id>`. */
export type StreamId = `${string}/${string}`;
/** Streams that nobody guards: appended at whatever version they have. Only they may be appended with `any`. */
export type UnconstrainedStreamId = `system/${string}`;

export interface NewEvent {
  /** Past tense: `PaymentCaptured`. */
  readonly type: string;
  /** Version of the event's schema, from 1. Old ones are upcast on read. */
  readonly schema: number;
  /**
   * JSON object without personal data. Plain: what JSON changes (dates, undefined, bigints) is not for here, and nobody
   * changes it after it was handed in, because followers of the same process are given this very object.
   */
  readonly data: object;
}

export type Append =
  /** `expect` is the version that the stream must have: the number of its events; 0 means that it must not exist. */
  | { readonly stream: StreamId; readonly expect: number; readonly events: readonly NewEvent[] }
  | { readonly stream: UnconstrainedStreamId; readonly expect: 'any'; readonly events: readonly NewEvent[] };

/** Said once per unit. Instants are ISO 8601 in UTC. */
export interface Meta {
  /** When it was decided (the decider's clock; the log adds its own, monotone, recorded time). */
  readonly at: string;
  /** When it holds in the world, where that is not `at`. */
  readonly effectiveAt?: string;
  readonly correlationId: string;
  readonly causationId?: string;
  /** Who asked: a service or user id, never a name. */
  readonly principal: string;
  /** The session that it was asked in, where a person asked. */
  readonly session?: string;
  readonly tenant?: string;
  readonly commandId?: string;
}

export interface Unit {
  readonly id: UnitId;
  readonly appends: readonly Append[];
  /**
   * Streams that must not exist when the unit is written; nothing is appended to them. Where one exists the unit is
   * stale there (expected 0). Nothing of it is stored. At most 8, none of them among the appends. Default: none.
   */
  readonly absent?: readonly StreamId[];
  readonly meta: Meta;
}

/** What became of a unit. Only `committed` means that anything was written. */
export type AppendResult =
  | {
      readonly outcome: 'committed';
      /** Position of the unit's first event; the others follow it in the order of the unit. */
      readonly position: Position;
      /** Position of its last event. */
      readonly lastPosition: Position;
      readonly recordedAt: Date;
    }
  | {
      /** A stream was not at its expected version, or the unit stood on one that was refused. Load and decide again. */
      readonly outcome: 'stale';
      readonly stream: StreamId;
      readonly expected: number;
      /** Version that the stream has; undefined where the unit was refused only because of one that it stood on. */
      readonly actual?: number;
    }
  /** The log cannot take it and it was certainly not written (the store refused it for another reason, or is closing). */
  | { readonly outcome: 'failed'; readonly error: Error };

export interface RecordedEvent {
  readonly type: string;
  readonly schema: number;
  readonly data: object;
}

/** The events of one unit on one stream: a row of the log. */
export interface RecordedRow {
  readonly position: Position;
  readonly stream: StreamId;
  /** Version of its first event. */
  readonly version: number;
  readonly events: readonly RecordedEvent[];
}

export interface RecordedUnit {
  readonly id: UnitId;
  readonly position: Position;
  readonly lastPosition: Position;
  readonly recordedAt: Date;
  readonly meta: Meta;
  readonly rows: readonly RecordedRow[];
}

/** A row as read from its stream, with what its unit said. */
export interface StreamRow extends RecordedRow {
  readonly unitPosition: Position;
  readonly unitId: UnitId;
  readonly recordedAt: Date;
  readonly meta: Meta;
}

/** What an adapter tells of a commit that it asked of its store, for metrics. Adapters that take a unit at a time tell of each. */
export interface CommitTold {
  readonly outcome: 'committed' | 'stale' | 'failed' | 'unknown';
  readonly units: number;
  readonly events: number;
  readonly tookMs: number;
}

/** What an adapter can do beyond the least; the contract suite registers the tests of declared capabilities only. */
export interface LogCapabilities {
  readonly densePositions: boolean;
  readonly hashChain: boolean;
  /** Units may stand on units that are not durable yet. Without it a stream takes one unit at a time. */
  readonly speculation: boolean;
  /** `absent` is checked in the commit itself. Without it, just before: another writer may come between. */
  readonly atomicAbsence: boolean;
}

/** Which units a subscriber wants. */
export type Whose = 'everything' | 'foreign';

export interface EventLog {
  readonly capabilities: LogCapabilities;

  /**
   * Hands a unit to the log. `settled` is called once, synchronously in the turn in which the log learns the outcome, so
   * that whoever speculated on the unit rolls back before anything else is decided. While the outcome is unknown
   * (connection lost during the commit) it is not called: the log asks until it knows.
   *
   * Returns `overloaded` (and never calls `settled`) when too many units wait, or the log is closing. Throws
   * `InvalidUnitError` for a unit that can never be right: empty, a stream twice, an unknown expectation, an event over
   * the size limit.
   *
   * All units that fall together are told in one go. Within it nothing may be handed in: it could rest on a unit that
   * fell and has not been told yet. `submit` throws then; decide again in a microtask or later.
   */
  submit(unit: Unit, settled: (result: AppendResult) => void): 'queued' | 'overloaded';

  /** Rows of one stream in order, from the row that holds version `after` + 1. Throws where versions are not dense. */
  readStream(stream: StreamId, after?: number): AsyncIterable<StreamRow>;

  /** The last row of each stream that exists: waking an actor whose last fact says everything reads one row. */
  readLast(streams: readonly StreamId[]): Promise<ReadonlyMap<StreamId, RecordedRow>>;

  /** Whole units in order, from the one that holds position `after` + 1, up to what is durable when it gets there. */
  readAll(after: Position): AsyncIterable<RecordedUnit>;

  /**
   * Like `readAll`, then everything that is appended later by any process, with no seam. Ends when `signal` aborts.
   *
   * @param whose `foreign`: what this very process appended may be left out. Default: everything.
   */
  subscribe(after: Position, signal: AbortSignal, whose?: Whose): AsyncIterable<RecordedUnit>;

  /** Position of the last durable event; 0 when the log is empty. */
  lastPosition(): Promise<Position>;

  /** Takes no more units, waits for those that it has, lets go of its connections. */
  close(): Promise<void>;
}

/** A unit that no state of the log could make right: a programmer's error, found before the store is touched. */
export class InvalidUnitError extends Error {
  override readonly name = 'InvalidUnitError';
  readonly code = 'InvalidUnit';
}

/** The stored log breaks its own promise (a gap in positions or versions, half a unit). Never read past it. */
export class LogCorruptionError extends Error {
  override readonly name = 'LogCorruptionError';
  readonly code = 'LogCorrupted';
  readonly position: Position;
  constructor(message: string, position: Position) {
    super(message);
    this.position = position;
  }
}

/** `submit` as a promise; `overloaded` becomes a result like the others. */
export function append(log: EventLog, unit: Unit): Promise<AppendResult | { readonly outcome: 'overloaded' }> {
  return new Promise((resolve) => {
    if (log.submit(unit, resolve) === 'overloaded') resolve({ outcome: 'overloaded' });
  });
}
