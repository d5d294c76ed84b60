import type { Meta, RecordedEvent, RecordedUnit, StreamId } from '../event-log.ts';
import { LogCorruptionError } from '../event-log.ts';
import type { IncomingEvent } from './stored-form.ts';

interface OpenRow {
  readonly position: number;
  readonly stream: StreamId;
  readonly version: number;
  readonly events: RecordedEvent[];
}

/**
 * Puts the units together again. The server has one writer, which writes the records of an append one after another: a
 * unit's events lie side by side in `$all`, with at most system records between them. Anything else is corruption.
 */
export class UnitAssembler {
  #first: IncomingEvent | undefined;
  #taken = 0;
  #rows: OpenRow[] = [];

  /** The unit, when this was its last event. */
  take(event: IncomingEvent): RecordedUnit | undefined {
    if (event.index !== this.#taken || (this.#first !== undefined && event.unit !== this.#first.unit)) {
      throw new LogCorruptionError(
        `event ${event.index} of unit ${event.unit} comes where event ${this.#taken} of ${this.#first?.unit ?? 'another unit'} is due`,
        event.position,
      );
    }
    this.#first ??= event;
    this.#taken += 1;
    const { stream, version, position } = event;
    const row = this.#rows.at(-1);
    if (event.rowIndex === 0) this.#rows.push({ position, stream, version, events: [event.event] });
    else if (row?.stream === stream && row.events.length === event.rowIndex) row.events.push(event.event);
    else throw new LogCorruptionError(`version ${version} of ${stream} comes out of its order`, position);
    if (this.#taken < event.count) return undefined;
    const { unit: id, position: from, recordedAt, meta } = this.#first;
    const unit = { id, position: from, lastPosition: position, recordedAt, meta: meta as Meta, rows: this.#rows };
    this.#first = undefined;
    this.#taken = 0;
    this.#rows = [];
    return unit;
  }
}
