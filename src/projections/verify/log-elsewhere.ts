import type pg from 'pg';
import {
  type EventLog,
  LogCorruptionError,
  type Position,
  readMirror,
  type RecordedUnit,
  type StreamId,
} from '../../../eventstore/index.ts';
import { MirrorComparison } from '../../../eventstore/mirror/compare-mirror.ts';
import { findStreamFaults } from '../../../eventstore/postgres/verify-streams.ts';
import type { Finding } from './finding.ts';

export interface VerifyElsewhereOptions {
  readonly log: Pick<EventLog, 'readAll' | 'lastPosition'>;
  /** In a REPEATABLE READ transaction. */
  readonly client: pg.ClientBase;
  readonly found: (finding: Finding) => void;
  readonly visit: (unit: RecordedUnit) => Promise<void>;
  readonly signal?: AbortSignal | undefined;
  readonly onProgress?: ((progress: { readonly position: Position; readonly end: Position }) => void) | undefined;
}

const reportEveryUnits = 1_000;

/**
 * One pass over a log that is kept elsewhere: whole units, versions without a gap, and the mirror in the database a copy
 * of it, row by row, as far as it has come.
 *
 * @returns the position up to which the log was read; `whole` says whether that is its end
 */
export async function verifyElsewhere(
  options: VerifyElsewhereOptions,
): Promise<{ readonly position: Position; readonly whole: boolean }> {
  const { log, client, found, visit, signal, onProgress } = options;
  const mirrored = (await readMirror(client))?.position ?? 0;
  // After the snapshot was taken: what was made from the log is nowhere further than this.
  const end = await log.lastPosition();
  const mirror = new MirrorComparison(client, mirrored, found);
  const versions = new LateVersions(client, mirrored, found);
  let position = 0;
  let units = 0;
  try {
    for await (const unit of log.readAll(0)) {
      if (unit.lastPosition > end) break;
      signal?.throwIfAborted();
      await visit(unit);
      await mirror.visit(unit);
      await versions.visit(unit);
      position = unit.lastPosition;
      if (++units % reportEveryUnits === 0) onProgress?.({ position, end });
    }
  } catch (error) {
    if (!(error instanceof LogCorruptionError)) throw error;
    const message = `${error.message}; what comes after it was not checked`;
    found({ check: 'units', position: error.position, message });
    return { position, whole: false };
  }
  if (position < end) {
    found({ check: 'units', position: position + 1, message: `the log ends at ${end}, and its units before that` });
  }
  await mirror.end();
  // The mirror is the log, or was told of above: its streams are those of the log.
  for (const finding of await findStreamFaults(client)) found(finding);
  return { position, whole: true };
}

/** Versions of what the mirror does not have yet; what it has the database sorts. */
class LateVersions {
  readonly #client: pg.ClientBase;
  readonly #after: Position;
  readonly #found: (finding: Finding) => void;
  readonly #versions = new Map<StreamId, number>();

  constructor(client: pg.ClientBase, after: Position, found: (finding: Finding) => void) {
    this.#client = client;
    this.#after = after;
    this.#found = found;
  }

  async visit(unit: RecordedUnit): Promise<void> {
    if (unit.lastPosition <= this.#after) return;
    for (const { stream, version, position, events } of unit.rows) {
      const before = this.#versions.get(stream) ?? (await this.#head(stream));
      if (version !== before + 1) {
        const message = `stream ${stream} has version ${version} where ${before + 1} should be`;
        this.#found({ check: 'versions', position, message });
      }
      this.#versions.set(stream, version + events.length - 1);
    }
  }

  async #head(stream: StreamId): Promise<number> {
    const { rows } = await this.#client.query<{ version: string }>(
      'select version from eventstore.heads where stream = $1',
      [stream],
    );
    return Number(rows[0]?.version ?? 0);
  }
}
