import type {
  Append,
  AppendResult,
  EventLog,
  Meta,
  NewEvent,
  Position,
  RecordedUnit,
  StreamId,
  UnconstrainedStreamId,
  Unit,
} from '../event-log.ts';
import { append } from '../event-log.ts';

/** Units and waits for tests of the log. Nothing here knows an adapter. */

export const sampleMeta: Meta = {
  at: '2026-03-01T12:00:00.000Z',
  correlationId: 'correlation-1',
  principal: 'service:tests',
};

let units = 0;

export function unitOf(appends: readonly Append[], id = `unit-${(units += 1)}`): Unit {
  return { id, appends, meta: sampleMeta };
}

export function event(data: object = {}, type = 'SomethingHappened'): NewEvent {
  return { type, schema: 1, data };
}

/** `count` events that differ. */
export function events(count: number): NewEvent[] {
  return Array.from({ length: count }, (_, index) => event({ index }));
}

export function exact(stream: StreamId, expect: number, count = 1): Append {
  return { stream, expect, events: events(count) };
}

export function anywhere(stream: UnconstrainedStreamId, count = 1): Append {
  return { stream, expect: 'any', events: events(count) };
}

export type Settled = AppendResult | { readonly outcome: 'overloaded' };

/** Hands a unit to the log now; the promise is only for its outcome. Throws what `submit` throws. */
export function submitted(log: EventLog, unit: Unit): Promise<Settled> {
  const { promise, resolve } = Promise.withResolvers<Settled>();
  if (log.submit(unit, resolve) === 'overloaded') resolve({ outcome: 'overloaded' });
  return promise;
}

export async function collect<T>(source: AsyncIterable<T>): Promise<T[]> {
  const all: T[] = [];
  for await (const one of source) all.push(one);
  return all;
}

/** Follows the log until it has seen so many units. */
export async function followed(log: EventLog, after: Position, count: number): Promise<RecordedUnit[]> {
  const stop = new AbortController();
  const seen: RecordedUnit[] = [];
  if (count === 0) return seen;
  for await (const unit of log.subscribe(after, stop.signal)) {
    seen.push(unit);
    if (seen.length === count) stop.abort();
  }
  return seen;
}

export type Committed = Extract<AppendResult, { outcome: 'committed' }>;

/** Appends a unit that nothing speaks against. */
export async function committed(log: EventLog, unit: Unit): Promise<Committed> {
  const result = await append(log, unit);
  if (result.outcome !== 'committed') throw new Error(`${unit.id} was not committed: ${JSON.stringify(result)}`);
  return result;
}

/** The next turn of the event loop: timers and I/O may have run in between. */
export function nextTurn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}
