import type { Meta, Position, RecordedEvent, RecordedRow, RecordedUnit, StreamId } from '../event-log.ts';
import { LogCorruptionError } from '../event-log.ts';

/** A row of `eventstore.log` as selected by `logColumns`, in that order, everything as text or null. */
export type LogRow = readonly [
  position: string,
  count: string,
  unit: string,
  stream: StreamId,
  version: string,
  recordedAtMs: string | null,
  meta: string | null,
  events: string,
];

export const logColumns = `l.position::text, l.count::text, l.unit::text, l.stream, l.version::text,
  (extract(epoch from l.recorded_at) * 1000)::text, l.meta::text, l.events::text`;

interface StoredMeta extends Meta {
  readonly unit: string;
  readonly count: number;
}

/** Splits the stored meta into what the unit said and what the log added. */
export function parseMeta(json: string): { id: string; count: number; meta: Meta } {
  const { unit, count, ...meta } = JSON.parse(json) as StoredMeta;
  return { id: unit, count, meta };
}

export function parseRow(row: LogRow): RecordedRow {
  return {
    position: Number(row[0]),
    stream: row[3],
    version: Number(row[4]),
    events: JSON.parse(row[7]) as RecordedEvent[],
  };
}

/** Puts rows, read in the order of positions, together to whole units; notices a gap, and half a unit. */
export class UnitAssembler {
  #next: Position;
  #unit:
    { id: string; position: Position; end: Position; recordedAt: Date; meta: Meta; rows: RecordedRow[] } | undefined;

  constructor(after: Position) {
    this.#next = after + 1;
  }

  /** Position up to which rows were taken in. */
  get position(): Position {
    return this.#next - 1;
  }

  /** True when the last row ended its unit. */
  get whole(): boolean {
    return this.#unit === undefined;
  }

  /** Takes the next row; returns the unit that it completes, if it does. */
  take(row: LogRow): RecordedUnit | undefined {
    const parsed = parseRow(row);
    if (parsed.position !== this.#next) {
      throw new LogCorruptionError(
        `the log has no row at position ${this.#next}; the next one is at ${parsed.position}`,
        this.#next,
      );
    }
    if (this.#unit === undefined) {
      if (row[6] === null || row[5] === null) {
        throw new LogCorruptionError(`position ${this.#next} is in the middle of a unit`, this.#next);
      }
      const { id, count, meta } = parseMeta(row[6]);
      this.#unit = {
        id,
        position: parsed.position,
        end: parsed.position + count,
        recordedAt: new Date(Number(row[5])),
        meta,
        rows: [],
      };
    }
    const unit = this.#unit;
    this.#next += Number(row[1]);
    if (Number(row[2]) !== unit.position || this.#next > unit.end || parsed.events.length !== Number(row[1])) {
      throw new LogCorruptionError(`the row at ${parsed.position} does not fit its unit`, parsed.position);
    }
    unit.rows.push(parsed);
    if (this.#next < unit.end) return undefined;
    this.#unit = undefined;
    const { id, position, recordedAt, meta, rows } = unit;
    return { id, position, lastPosition: this.#next - 1, recordedAt, meta, rows };
  }
}
