import {
  stillWritten,
  upcasts,
  type FactData,
  type KnownFact,
  type StillWritten,
  type Upcast,
} from './event-versions.ts';

/** An event as the log stores it. */
export interface StoredEvent {
  readonly type: string;
  readonly schema: number;
  readonly data: object;
}

/** Events as they lie in the log: the first is at `position`, the others follow it. */
export interface StoredEvents {
  readonly position: number;
  readonly events: readonly StoredEvent[];
}

/**
 * The log holds an event that this process is too old to understand. It is never guessed at: whatever needs the event
 * stops here, and nothing that was decided without it is written.
 */
export class UnknownEventVersionError extends Error {
  override readonly name = 'UnknownEventVersionError';
  readonly code = 'UnknownEventVersion';
  readonly type: string;
  /** Version of the event. */
  readonly version: number;
  /** The newest version that this process knows; 0: it does not know the type. */
  readonly known: number;
  readonly position: number;
  constructor({ type, schema }: StoredEvent, known: number, position: number) {
    const knows = known === 0 ? 'no such event' : `version ${known}`;
    super(`${type} at position ${position} is of version ${schema}, this process knows ${knows}: upgrade this process`);
    this.type = type;
    this.version = schema;
    this.known = known;
    this.position = position;
  }
}

export interface FactCodec {
  /** A fact as the log stores it, in its newest version. */
  readonly eventOf: (fact: { readonly type: string }) => StoredEvent;
  /**
   * Events in their newest versions: what every reader reads, of whatever age the log is. Those that are of today are
   * given as they are. Throws `UnknownEventVersionError`.
   */
  readonly currentEvents: (stored: StoredEvents) => readonly StoredEvent[];
}

/** The codec of a set of versions. There is one in the product; tests make those of other releases. */
export function factCodec(
  steps: Readonly<Record<string, readonly Upcast[]>>,
  older: Readonly<Partial<Record<string, StillWritten>>> = {},
): FactCodec {
  const known = new Map(Object.entries(steps).map(([type, { length }]) => [type, length + 1]));
  const written = new Map(Object.entries(older));

  function upToDate(event: StoredEvent, position: number): StoredEvent {
    const newest = known.get(event.type) ?? 0;
    if (event.schema === newest) return event;
    if (event.schema > newest) throw new UnknownEventVersionError(event, newest, position);
    let data = event.data as FactData;
    for (const step of steps[event.type]?.slice(event.schema - 1) ?? []) data = step(data);
    return { type: event.type, schema: newest, data };
  }

  return {
    eventOf(fact) {
      const { type, ...data } = fact;
      const old = written.size === 0 ? undefined : written.get(type);
      if (old !== undefined) return { type, schema: old.version, data: old.downcast(data) };
      return { type, schema: known.get(type) ?? 1, data };
    },
    currentEvents({ position, events }) {
      // Nearly all are of today, and are read on the hottest path: nothing is made for them.
      if (events.every(({ type, schema }) => known.get(type) === schema)) return events;
      return events.map((event, index) => upToDate(event, position + index));
    },
  };
}

export const { eventOf, currentEvents } = factCodec(upcasts, stillWritten);

/** Events as the facts that they were. The log holds what the machines wrote: the category of its stream says which. */
export function factsOf(stored: StoredEvents): KnownFact[] {
  return currentEvents(stored).map(({ type, data }) => ({ type, ...data }) as KnownFact);
}
