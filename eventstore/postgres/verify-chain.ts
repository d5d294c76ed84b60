import type pg from 'pg';
import type { Position, RecordedRow, RecordedUnit } from '../event-log.ts';
import { digestOf, linkOf, type DigestUnit } from '../planner/digest.ts';
import type { LogFinding } from './log-finding.ts';
import { parseMeta } from './row-assembler.ts';
import { type Commit, readCommits, type ReadOptions, type ReadRow, readRows } from './verify-reads.ts';
import { findStreamFaults } from './verify-streams.ts';

export type { LogFinding };

/** A commit, with the hash that follows from the stored bytes of everything up to it, whatever the stored hashes say. */
export interface VerifiedCommit {
  readonly position: Position;
  readonly count: number;
  readonly hash: Buffer;
}

export interface VerifyLogOptions extends ReadOptions {
  /** In a REPEATABLE READ transaction: everything is held against one state of the log. */
  readonly client: pg.ClientBase;
  readonly found: (finding: LogFinding) => void;
  /** Given every whole unit, in order, so that whoever knows what the events mean can check that in the same pass. */
  readonly visit?: (unit: RecordedUnit) => Promise<void> | undefined;
  /** Told of every commit, in order. */
  readonly visitCommit?: ((commit: VerifiedCommit) => void) | undefined;
}

/**
 * Checks everything that the log promises by itself, in one pass over its rows and one sort of its streams. The memory
 * that it takes is that of one commit, whatever the size of the log.
 *
 * @returns the last position of the log
 */
export async function verifyLog(options: VerifyLogOptions): Promise<Position> {
  const { client, found } = options;
  const pass = new LogPass(options);
  const commits = readCommits(client);
  let commit = (await commits.next()).value;
  for await (const read of readRows(options)) {
    while (commit !== undefined && read.row.position >= commit.position + commit.count) {
      pass.endCommit(commit);
      commit = (await commits.next()).value;
    }
    const visiting = pass.take(read, commit);
    if (visiting !== undefined) await visiting;
  }
  for (; commit !== undefined; commit = (await commits.next()).value) pass.endCommit(commit);
  const end = pass.end();
  for (const finding of await findStreamFaults(client)) found(finding);
  return end;
}

/** What the pass over the rows carries from one to the next. */
class LogPass {
  readonly #options: VerifyLogOptions;
  /** Position that the next row must have. */
  #nextRow: Position = 1;
  /** Position that the next commit must have, its predecessor's link and time. */
  #nextCommit: Position = 1;
  /** Links that the next commit may follow from: the stored one, and what it should have been. One fault, one finding. */
  #hashes: readonly Buffer[] = [Buffer.alloc(0)];
  /** Link of the last commit if every one of them were made anew from what is stored. */
  #recomputed: Buffer = Buffer.alloc(0);
  #recordedAtMicros = 0n;
  /** Rows of the commit that is being read, by unit. */
  #units: { meta: string; rows: DigestUnit['rows'][number][] }[] = [];
  #unit: { first: ReadRow; id: string; count: number; rows: RecordedRow[]; unit: RecordedUnit } | undefined;

  constructor(options: VerifyLogOptions) {
    this.#options = options;
  }

  take(read: ReadRow, commit: Commit | undefined): Promise<void> | undefined {
    const { row, raw, count } = read;
    if (row.position !== this.#nextRow) {
      const [from, to] = [Math.min(this.#nextRow, row.position), row.position - 1];
      const message = from > to ? `two rows hold position ${row.position}` : `no row holds positions ${from} to ${to}`;
      this.#found('positions', from, message);
      this.#breakUnit();
    }
    this.#nextRow = row.position + count;
    if (row.events.length !== count) {
      this.#found('units', row.position, `the row says ${count} events and holds ${row.events.length}`);
    }
    if (commit === undefined) {
      if (this.#nextCommit <= row.position)
        this.#found('positions', row.position, 'no commit covers the end of the log');
      this.#nextCommit = Infinity;
    } else if (row.position >= commit.position) {
      const { stream, version } = row;
      const expect = stream.startsWith('system/') ? null : version - 1;
      if (raw[6] !== null) this.#units.push({ meta: raw[6], rows: [] });
      this.#units.at(-1)?.rows.push({ stream, expect, count, events: raw[7] });
      if (read.recordedAtMicros !== undefined && read.recordedAtMicros !== commit.recordedAtMicros) {
        this.#found(
          'time',
          row.position,
          `the unit at position ${row.position} has not the recorded time of its commit`,
        );
      }
    }
    return this.#takeIntoUnit(read);
  }

  /** Puts units together; what does not fit is reported once, and the next unit that begins is believed again. */
  #takeIntoUnit(read: ReadRow): Promise<void> | undefined {
    const { row, raw } = read;
    if (raw[6] !== null) {
      this.#breakUnit();
      const { id, count, meta } = parseMeta(raw[6]);
      const rows: RecordedRow[] = [];
      const lastPosition = row.position + count - 1;
      const recordedAt = new Date(Number(raw[5]));
      this.#unit = {
        first: read,
        id,
        count,
        rows,
        unit: { id, position: row.position, lastPosition, recordedAt, meta, rows },
      };
    }
    const unit = this.#unit;
    if (unit === undefined || read.unit !== unit.first.row.position) {
      this.#found('units', row.position, `the row at position ${row.position} does not belong to the unit before it`);
      this.#unit = undefined;
      return undefined;
    }
    unit.rows.push(row);
    if (this.#nextRow <= unit.unit.lastPosition) return undefined;
    this.#unit = undefined;
    if (this.#nextRow > unit.unit.lastPosition + 1) {
      this.#found('units', unit.unit.position, `unit ${unit.id} says ${unit.count} events and has more`);
      return undefined;
    }
    return this.#options.visit?.(unit.unit);
  }

  #breakUnit(): void {
    if (this.#unit === undefined) return;
    const { id, position, lastPosition } = this.#unit.unit;
    this.#found('units', position, `unit ${id} says that it reaches to position ${lastPosition}, and does not`);
    this.#unit = undefined;
  }

  endCommit(commit: Commit): void {
    const { position, count, recordedAtMicros, digest, hash } = commit;
    const linked = this.#hashes.map((before) => linkOf(before, position, count, recordedAtMicros, digest));
    if (position !== this.#nextCommit) {
      const [from, to] = [Math.min(position, this.#nextCommit), position - 1];
      const message =
        from > to ? `two commits hold position ${position}` : `no commit covers positions ${from} to ${to}`;
      this.#found('positions', from, message);
    } else {
      // After a lost commit its link cannot be checked; the digest still can.
      if (!linked.some((link) => link.equals(hash))) {
        this.#found(
          'chain',
          position,
          `the link of the commit at position ${position} does not follow from the one before`,
        );
      }
    }
    if (this.#nextRow < position + count) {
      this.#found('positions', this.#nextRow, `no row holds positions ${this.#nextRow} to ${position + count - 1}`);
      this.#nextRow = position + count;
      this.#breakUnit();
    }
    const stored = digestOf(this.#units);
    this.#recomputed = linkOf(this.#recomputed, position, count, recordedAtMicros, stored);
    this.#options.visitCommit?.({ position, count, hash: this.#recomputed });
    if (!stored.equals(digest)) {
      const range = `positions ${position} to ${position + count - 1}`;
      this.#found(
        'chain',
        position,
        `the content of the commit of ${range} is not what was committed`,
        position + count - 1,
      );
    }
    if (recordedAtMicros < this.#recordedAtMicros) {
      this.#found('time', position, `recorded time goes back at position ${position}`);
    }
    this.#units = [];
    this.#nextCommit = position + count;
    this.#hashes = [hash, ...linked.filter((link) => !link.equals(hash)).slice(0, 1)];
    this.#recordedAtMicros = recordedAtMicros;
  }

  end(): Position {
    this.#breakUnit();
    return this.#nextRow - 1;
  }

  #found(check: LogFinding['check'], position: Position, message: string, until?: Position): void {
    this.#options.found({ position, ...(until !== undefined && { until }), check, message });
  }
}
