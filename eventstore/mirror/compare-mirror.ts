import type pg from 'pg';
import type { Position, RecordedUnit } from '../event-log.ts';
import type { LogFinding } from '../postgres/log-finding.ts';
import { type ReadRow, readRows } from '../postgres/verify-reads.ts';
import { metaOf } from './write-units.ts';

/**
 * Holds a mirror row by row against the log that it is of, while somebody reads the log. Memory is that of one page of
 * rows.
 */
export class MirrorComparison {
  readonly #rows: AsyncGenerator<ReadRow, unknown>;
  readonly #until: Position;
  readonly #found: (finding: LogFinding) => void;
  #next: ReadRow | undefined;

  /**
   * @param client in a REPEATABLE READ transaction, which nobody else uses meanwhile
   * @param until where the mirror is in that transaction
   */
  constructor(client: pg.ClientBase, until: Position, found: (finding: LogFinding) => void) {
    this.#rows = readRows({ client });
    this.#until = until;
    this.#found = found;
  }

  /** The next unit of the log. */
  async visit(unit: RecordedUnit): Promise<void> {
    if (unit.lastPosition > this.#until) return;
    for (const [index, row] of unit.rows.entries()) {
      const at = row.position;
      // A row of which the log knows nothing is told of, and left; one that is missing leaves the next where it is.
      for (let copy = await this.#peek(); ; copy = await this.#peek()) {
        if (copy === undefined || copy.row.position > at) {
          this.#tell(at, `the mirror has no row of ${row.stream} at position ${at}`);
          break;
        }
        this.#next = undefined;
        if (copy.row.position < at) {
          this.#tell(copy.row.position, `the mirror has a row at position ${copy.row.position}, and the log has none`);
          continue;
        }
        if (!isCopyOf(copy, unit, index)) {
          this.#tell(at, `the row of ${row.stream} at position ${at} of the mirror is not what the log has`);
        }
        break;
      }
    }
  }

  /** After the last unit: nothing may be left. */
  async end(): Promise<void> {
    for (let copy = await this.#peek(); copy !== undefined; copy = await this.#peek()) {
      this.#next = undefined;
      const { position } = copy.row;
      this.#tell(position, `the mirror has a row at position ${position}, and the log has none`);
    }
  }

  async #peek(): Promise<ReadRow | undefined> {
    if (this.#next === undefined) {
      const next = await this.#rows.next();
      this.#next = next.done === true ? undefined : next.value;
    }
    return this.#next;
  }

  #tell(position: Position, message: string): void {
    this.#found({ check: 'mirror', position, message });
  }
}

function isCopyOf(
  { raw, row: copy, count, unit: unitAt, recordedAtMicros }: ReadRow,
  unit: RecordedUnit,
  index: number,
): boolean {
  const row = unit.rows[index];
  if (row === undefined) return false;
  const { stream, version, events } = row;
  if (copy.stream !== stream || copy.version !== version || count !== events.length || unitAt !== unit.position)
    return false;
  if (raw[7] !== JSON.stringify(events)) return false;
  if (index > 0) return raw[6] === null && recordedAtMicros === undefined;
  return raw[6] === metaOf(unit) && recordedAtMicros === BigInt(unit.recordedAt.getTime()) * 1000n;
}
