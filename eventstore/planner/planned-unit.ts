import type { AppendResult, NewEvent, StreamId, Unit } from '../event-log.ts';
import { InvalidUnitError } from '../event-log.ts';

/** One row of the log as it will be stored: the events of one unit on one stream, already bytes. */
export interface PlannedRow {
  readonly stream: StreamId;
  /** Expected version, or null for `any`. */
  readonly expect: number | null;
  readonly count: number;
  /** JSON array of `{type, schema, data}`; stored byte for byte, because the hash chain is over it. */
  readonly events: string;
}

export interface PlannedUnit {
  readonly unit: Unit;
  readonly rows: readonly PlannedRow[];
  /** Streams that must not exist. */
  readonly absent: readonly StreamId[];
  /** JSON of the meta with the unit's id and count of events; stored on the unit's first row. */
  readonly meta: string;
  readonly count: number;
  readonly size: number;
  readonly settled: (result: AppendResult) => void;
}

export interface UnitLimits {
  /** Largest JSON of one event, in UTF-16 units (bytes, for ASCII). */
  readonly eventSizeMax: number;
  readonly unitEventsMax: number;
  /** Largest JSON of all events of a unit, in UTF-16 units. Postgres takes no message above 1 GiB, whose text may be three times as long. */
  readonly unitSizeMax: number;
}

export const defaultUnitLimits: UnitLimits = {
  eventSizeMax: 64 * 1024,
  unitEventsMax: 50_000,
  unitSizeMax: 64 * 1024 * 1024,
};

// Zero bytes and half surrogate pairs are refused at the door of the log. Postgres stores neither in a name; in JSON it
// stores them as escapes, but one of them would stop every query that takes such a text out of the JSON.
const unstorableEscape = /(?<!\\)(?:\\\\)*\\u(?:0000|d[89a-f])/;

const none: readonly StreamId[] = [];
const absentMax = 8;

const streamPattern = /^[^\u0000/\s]{1,64}\/[^\u0000\s]{1,191}$/;

/** Checks a unit and makes its bytes. Throws `InvalidUnitError`; touches nothing. */
export function planUnit(unit: Unit, limits: UnitLimits, settled: PlannedUnit['settled']): PlannedUnit {
  if (unit.id.length === 0 || unit.id.length > 255)
    throw new InvalidUnitError('a unit needs an id of 1 to 255 characters');
  if (unit.appends.length === 0) throw new InvalidUnitError(`unit ${unit.id} is empty`);
  const rows: PlannedRow[] = [];
  const seen = unit.appends.length > 8 ? new Set<string>() : undefined;
  let count = 0;
  let size = 0;
  for (const [index, append] of unit.appends.entries()) {
    const { stream, expect, events } = append;
    const twice = seen
      ? seen.size === seen.add(stream).size
      : unit.appends.findIndex((other) => other.stream === stream) !== index;
    if (twice) throw new InvalidUnitError(`unit ${unit.id} names stream ${stream} twice: put its events in one append`);
    checkName(stream);
    if (events.length === 0) throw new InvalidUnitError(`unit ${unit.id} has no events for stream ${stream}`);
    checkExpectation(stream, expect);
    // Counted before any text is made: what is far too large is not worth the memory.
    count += events.length;
    if (count > limits.unitEventsMax) {
      throw new InvalidUnitError(`unit ${unit.id} has more than ${limits.unitEventsMax} events: split it`);
    }
    const json = eventsJson(append.events, limits, limits.unitSizeMax - size, stream);
    rows.push({ stream, expect: expect === 'any' ? null : expect, count: events.length, events: json });
    size += json.length;
  }
  const { absent = none } = unit;
  if (absent.length > 0) checkAbsent(unit.id, absent, rows);
  // The log's own fields come last: no field of the caller may stand in for them.
  const meta = jsonOf({ ...unit.meta, unit: unit.id, count }, () => `the meta of unit ${unit.id}`);
  return { unit, rows, absent, meta, count, size: size + meta.length, settled };
}

function checkName(stream: string): void {
  if (!streamPattern.test(stream) || !stream.isWellFormed())
    throw new InvalidUnitError(`"${stream}" is no stream name: it needs <category>/<id>`);
}

function checkAbsent(unit: string, absent: readonly string[], rows: readonly PlannedRow[]): void {
  if (absent.length > absentMax)
    throw new InvalidUnitError(`unit ${unit} wants ${absent.length} streams not to exist, more than ${absentMax}`);
  for (const [index, stream] of absent.entries()) {
    checkName(stream);
    if (absent.indexOf(stream) !== index || rows.some((row) => row.stream === stream))
      throw new InvalidUnitError(`unit ${unit} names stream ${stream} twice, once as absent`);
  }
}

function checkExpectation(stream: string, expect: unknown): void {
  if (stream.startsWith('system/')) {
    if (expect === 'any') return;
    throw new InvalidUnitError(`stream ${stream} is unconstrained: expect 'any', not ${String(expect)}`);
  }
  if (typeof expect === 'number' && Number.isSafeInteger(expect) && expect >= 0) return;
  throw new InvalidUnitError(
    `stream ${stream} needs its exact version (0, 1, 2 …) as expectation, not ${String(expect)}`,
  );
}

/** Up to so many events are made to text at once: cheaper by half, and never much more than what is too much anyway. */
const eventsAtOnceMax = 16;

function eventsJson(events: readonly NewEvent[], limits: UnitLimits, room: number, stream: string): string {
  if (events.length <= eventsAtOnceMax) {
    const json = jsonOf(events, () => `an event on ${stream}`);
    if (json.length <= limits.eventSizeMax && json.length <= room) return json;
  }
  const parts: string[] = [];
  let size = 1;
  for (const event of events) {
    const json = jsonOf(event, () => `a ${event.type} on ${stream}`);
    if (json.length > limits.eventSizeMax) {
      throw new InvalidUnitError(
        `a ${event.type} on ${stream} is ${json.length} characters, more than ${limits.eventSizeMax}`,
      );
    }
    size += json.length + 1;
    if (size > room) {
      throw new InvalidUnitError(`the events of one unit are more than ${limits.unitSizeMax} characters: split it`);
    }
    parts.push(json);
  }
  return `[${parts.join(',')}]`;
}

function jsonOf(value: object, what: () => string): string {
  let json: string;
  try {
    json = JSON.stringify(value);
  } catch (cause) {
    throw new InvalidUnitError(`${what()} is no JSON: ${String(cause)}`, { cause });
  }
  if (json.includes('\\u') && unstorableEscape.test(json)) {
    throw new InvalidUnitError(`${what()} holds a zero byte or half a surrogate pair`);
  }
  return json;
}
