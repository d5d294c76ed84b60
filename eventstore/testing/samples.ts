import type {
  Append,
  AppendResult,
  EventLog,
  Meta,
  NewEvent,
  RecordedUnit,
  StreamId,
  UnconstrainedStreamId,
  Unit,
} from '../event-log.ts';

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

/** Follows the log until it has seen `position`, which must be the end of a unit. */
export async function followUpTo(log: EventLog, after: number, position: number): Promise<RecordedUnit[]> {
  const stop = new AbortController();
  const seen: RecordedUnit[] = [];
  if (after >= position) return seen;
  for await (const unit of log.subscribe(after, stop.signal)) {
    seen.push(unit);
    if (unit.lastPosition >= position) stop.abort();
  }
  return seen;
}

/** The next turn of the event loop: timers and I/O may have run in between. */
export function nextTurn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}
