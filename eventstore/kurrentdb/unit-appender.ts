import type { KurrentDBClient } from '@kurrent/kurrentdb-client';
import { setTimeout as sleep } from 'node:timers/promises';
import type { StreamId } from '../event-log.ts';
import type { PlannedUnit } from '../planner/planned-unit.ts';
import type { UnitAnswer } from '../planner/unit-committer.ts';
import { OutcomeUnknownError } from '../outcome-unknown-error.ts';
import type { LogReader } from './log-reader.ts';
import type { IncomingEvent, OutgoingRow } from './stored-form.ts';
import { outgoingRows } from './stored-form.ts';

/** Errors by which the server says that it looked at this very append and wrote nothing, and would not later. */
const refusals: ReadonlySet<unknown> = new Set([
  'access-denied',
  'invalid-argument',
  'invalid-transaction',
  'stream-deleted',
  'stream-tombstoned',
  'maximum-append-size-exceeded',
  'transaction-max-size-exceeded',
  'append-record-size-exceeded',
  'missing-required-metadata-property',
  'unsupported',
]);
/** gRPC: a server before 25.1 does not know the call. */
const unimplemented = 12;

const backoffMs = { first: 20, max: 1_000 };

interface ServerError {
  readonly type?: unknown;
  readonly code?: unknown;
  readonly streamName?: unknown;
  readonly actualState?: unknown;
}

export interface UnitAppenderOptions {
  readonly client: KurrentDBClient;
  readonly reader: LogReader;
  /** Told when appends begin to wait for the store (with the reason) and when they go on (undefined). */
  readonly onTrouble?: (error: Error | undefined) => void;
}

/**
 * Appends one unit by one `multiStreamAppend`. When no answer comes the outcome is unknown: the store is asked by reading
 * whether the unit is there, and only when it is not is it sent again. That a late first append comes in between does no
 * harm: each unit has a stream whose exact version it expects, so the store can take it only once, whatever the server's
 * own search for doubles remembers.
 */
export class UnitAppender {
  readonly #options: UnitAppenderOptions;
  #askUntilMs = Infinity;
  #troubled = false;
  #recordedAtMs = 0;

  constructor(options: UnitAppenderOptions) {
    this.#options = options;
  }

  /** From this instant (milliseconds since 1970) on, a store that does not answer is not asked again. */
  askUntil(instantMs: number): void {
    this.#askUntilMs = instantMs;
  }

  async append(planned: PlannedUnit): Promise<UnitAnswer> {
    this.#recordedAtMs = Math.max(this.#recordedAtMs, Date.now());
    const sending = new Sending(planned, this.#recordedAtMs);
    for (let waitMs = backoffMs.first; ; waitMs = Math.min(waitMs * 2, backoffMs.max)) {
      try {
        const answer = await this.#attempt(sending);
        if (answer !== undefined) {
          this.#trouble(undefined);
          return answer;
        }
      } catch (error) {
        const cause = error instanceof Error ? error : new Error(String(error));
        this.#trouble(cause);
        if (Date.now() + waitMs >= this.#askUntilMs) {
          if (!sending.inDoubt) return { outcome: 'failed', error: cause };
          const message = 'the log was closed before the store said what became of a unit';
          return { outcome: 'unknown', error: new OutcomeUnknownError(message, { cause }) };
        }
      }
      await sleep(waitMs);
    }
  }

  /** Asks and sends once. Undefined: nothing was written, and it may be sent again. Throws what says nothing. */
  async #attempt(sending: Sending): Promise<UnitAnswer | undefined> {
    if (sending.inDoubt) {
      const found = await this.#find(sending);
      if (found !== undefined) return found;
    }
    const absent = await this.#heads(sending.planned.absent);
    if ([...absent.values()].some((version) => version > 0)) return { outcome: 'stale', heads: absent };
    const expected = await this.#expectations(sending);
    const { client, reader } = this.#options;
    const inDoubtBefore = sending.inDoubt;
    sending.inDoubt = true;
    try {
      const { responses } = await client.multiStreamAppend(
        sending.rows.map(({ row: { stream }, events }) => ({
          streamName: reader.names.stored(stream),
          expectedState: stateOf(expected.get(stream)),
          events: [...events],
        })),
      );
      for (const { streamName, revision } of responses)
        sending.endsAt(reader.names.ours(streamName), Number(revision) + 1);
    } catch (error) {
      const answer = await this.#answerOf(error as ServerError, sending, inDoubtBefore);
      if (answer === undefined) sending.inDoubt = inDoubtBefore;
      return answer;
    }
    const found = await this.#find(sending);
    if (found !== undefined) return found;
    throw new Error(`the store took unit ${sending.planned.unit.id}, but does not show it`);
  }

  /** What an error says of the append. Undefined: nothing was written, and it may be sent again. Throws what says nothing. */
  async #answerOf(error: ServerError, sending: Sending, inDoubt: boolean): Promise<UnitAnswer | undefined> {
    if (error.type === 'wrong-expected-version') {
      if (inDoubt) {
        // It may be the first append of this very unit that is in the way.
        const found = await this.#find(sending);
        if (found !== undefined) return found;
      }
      const heads = await this.#staleHeads(error, sending.rows);
      // Only a stream that nobody else guards was in the way, or the one in the way is gone: ask again.
      return heads.size === 0 ? undefined : { outcome: 'stale', heads };
    }
    if (error.type === 'not-leader') return undefined;
    // Once an append is in doubt, a server that refuses the next one for a reason of its own proves nothing about it.
    if (!inDoubt && (refusals.has(error.type) || error.code === unimplemented))
      return { outcome: 'failed', error: error as Error };
    throw error as Error;
  }

  async #staleHeads(error: ServerError, rows: readonly OutgoingRow[]): Promise<ReadonlyMap<StreamId, number>> {
    const exact = rows.flatMap(({ row }) => (row.expect === null ? [] : [row]));
    const named = exact.find(({ stream }) => this.#options.reader.names.stored(stream) === error.streamName);
    const { actualState } = error;
    if (named !== undefined && (actualState === 'no_stream' || typeof actualState === 'bigint')) {
      const actual = actualState === 'no_stream' ? 0 : Number(actualState) + 1;
      if (actual !== named.expect) return new Map([[named.stream, actual]]);
    }
    const heads = await this.#heads(exact.map(({ stream }) => stream));
    return new Map(
      [...heads].filter(([stream, version]) => exact.some((row) => row.stream === stream && row.expect !== version)),
    );
  }

  async #heads(streams: readonly StreamId[]): Promise<ReadonlyMap<StreamId, number>> {
    const { reader } = this.#options;
    return new Map(await Promise.all(streams.map(async (one) => [one, await reader.versionOf(one)] as const)));
  }

  /**
   * The version to expect of each stream. A unit of unconstrained streams only stands on nothing by which a second append
   * of it would be refused: for it they are read, and expected exactly.
   */
  async #expectations(sending: Sending): Promise<ReadonlyMap<StreamId, number | null>> {
    const { rows } = sending;
    if (rows.some(({ row }) => row.expect !== null)) return new Map(rows.map(({ row }) => [row.stream, row.expect]));
    const heads = await this.#heads(rows.map(({ row }) => row.stream));
    for (const [stream, version] of heads) sending.mayBeginAfter(stream, version);
    return heads;
  }

  /** Looks for the unit in the store. */
  async #find(sending: Sending): Promise<(UnitAnswer & { outcome: 'committed' }) | undefined> {
    // First where it would be: only when it is there need the other streams be searched.
    const guarded = sending.rows.find(({ row }) => sending.placesOf(row.stream).length > 0);
    if (guarded === undefined || (await this.#findEvent(sending, guarded, 0)) === undefined) return undefined;
    const first = sending.rows[0] as OutgoingRow;
    const last = sending.rows.at(-1) as OutgoingRow;
    const [from, to] = await Promise.all([
      this.#findEvent(sending, first, 0),
      this.#findEvent(sending, last, last.events.length - 1),
    ]);
    if (from === undefined || to === undefined) return undefined;
    const { position, recordedAt } = from;
    return { outcome: 'committed', position, lastPosition: to.position, recordedAt };
  }

  async #findEvent(sending: Sending, { row, events }: OutgoingRow, index: number): Promise<IncomingEvent | undefined> {
    const id = events[index]?.id;
    const { reader } = this.#options;
    const places = sending.placesOf(row.stream);
    for (const place of places) {
      for await (const event of reader.stream(row.stream, place + index, 'forwards', 1)) {
        if (event.id === id) return event;
        break;
      }
    }
    if (places.length > 0) return undefined;
    for await (const event of reader.stream(row.stream, 'end', 'backwards')) if (event.id === id) return event;
    return undefined;
  }

  #trouble(error: Error | undefined): void {
    if (error === undefined && !this.#troubled) return;
    this.#troubled = error !== undefined;
    this.#options.onTrouble?.(error);
  }
}

/** A unit on its way, and what is known of where it may have got. */
class Sending {
  readonly planned: PlannedUnit;
  readonly rows: readonly OutgoingRow[];
  /** It was sent, and nobody said what became of it. */
  inDoubt = false;
  /** Per stream: the versions after which the unit's events may stand there. None: anywhere. */
  readonly #places = new Map<StreamId, number[]>();

  constructor(planned: PlannedUnit, recordedAtMs: number) {
    this.planned = planned;
    this.rows = outgoingRows(planned, recordedAtMs);
    for (const { row } of this.rows) if (row.expect !== null) this.mayBeginAfter(row.stream, row.expect);
  }

  placesOf(stream: StreamId): readonly number[] {
    return this.#places.get(stream) ?? [];
  }

  mayBeginAfter(stream: StreamId, version: number): void {
    const places = this.#places.get(stream) ?? [];
    if (!places.includes(version)) this.#places.set(stream, [...places, version]);
  }

  /** The store took it, and said where its last event on a stream is. */
  endsAt(stream: StreamId | undefined, version: number): void {
    const row = this.rows.find(({ row }) => row.stream === stream)?.row;
    if (row !== undefined) this.#places.set(row.stream, [version - row.count]);
  }
}

/** KurrentDB counts revisions from 0: a stream of version 3 is at revision 2. */
function stateOf(expected: number | null | undefined): bigint | 'any' | 'no_stream' {
  if (expected === null || expected === undefined) return 'any';
  return expected === 0 ? 'no_stream' : BigInt(expected - 1);
}
