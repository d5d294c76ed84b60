import type pg from 'pg';
import { setTimeout as sleep } from 'node:timers/promises';
import type { EventLog, Position, RecordedUnit } from '../event-log.ts';
import { checkMirrorOf, readMirror } from './mirror-state.ts';
import { writeUnits } from './write-units.ts';

export interface MirrorOptions {
  readonly log: Pick<EventLog, 'subscribe' | 'readStream'>;
  /** Of the role that owns the log's tables. */
  readonly pool: pg.Pool;
  /** Ends it: what is being written is finished, what was only read is read again by the next run. */
  readonly signal: AbortSignal;
  /** Units in one transaction. Default 1,000. */
  readonly batchUnitsMax?: number;
  /** How long the first unit of a batch waits for others. Default 20 ms. */
  readonly lingerMs?: number;
  /** Told of what keeps it from going on; it is tried again. */
  readonly onError?: (error: Error) => void;
}

const backoffMs = { first: 50, max: 2_000 };

/**
 * Follows a log that is kept elsewhere and copies it into `eventstore.log`, for the views that read it there. Any number
 * of processes may run it: each unit is written once. Returns when the signal aborts.
 */
export async function runMirror(options: MirrorOptions): Promise<void> {
  const { signal, onError } = options;
  const ended = (): boolean => signal.aborted;
  for (let waitMs = backoffMs.first; !ended(); waitMs = Math.min(waitMs * 2, backoffMs.max)) {
    try {
      await checkMirrorOf(options.log, options.pool);
      await follow(options, () => (waitMs = backoffMs.first));
    } catch (error) {
      if (!ended()) onError?.(error instanceof Error ? error : new Error(String(error)));
    }
    await sleep(waitMs, undefined, { signal }).catch(() => undefined);
  }
}

/** Until the signal aborts, something fails, or another process turns out to be doing the work. */
async function follow(options: MirrorOptions, onWritten: () => void): Promise<void> {
  const { log, pool, batchUnitsMax = 1_000, lingerMs = 20 } = options;
  const mirror = await readMirror(pool);
  if (mirror === undefined) throw new Error('this database mirrors no log');
  const over = new AbortController();
  const signal = AbortSignal.any([options.signal, over.signal]);
  let { position } = mirror;
  let gathered: RecordedUnit[] = [];
  let writing: Promise<void> | undefined;
  let failure: { readonly error: unknown } | undefined;

  const write = async (): Promise<void> => {
    try {
      while (gathered.length > 0 && !signal.aborted) {
        if (gathered.length < batchUnitsMax) await sleep(lingerMs);
        const units = gathered;
        gathered = [];
        const outcome = await writeFrom(pool, units, position);
        // Somebody else is ahead: go on from where that one is.
        if (outcome === 'fenced') {
          over.abort();
          return;
        }
        position = units.at(-1)?.lastPosition ?? position;
        onWritten();
      }
    } catch (error) {
      failure = { error };
      over.abort();
    } finally {
      writing = undefined;
    }
  };
  try {
    for await (const unit of log.subscribe(position, signal)) {
      gathered.push(unit);
      writing ??= write();
      // What the log has faster than it can be copied waits there, and not in memory.
      if (gathered.length >= batchUnitsMax) await writing;
    }
  } finally {
    over.abort();
    await writing;
  }
  if (failure !== undefined) throw failure.error;
}

async function writeFrom(pool: pg.Pool, units: readonly RecordedUnit[], from: Position): Promise<'written' | 'fenced'> {
  const client = await pool.connect();
  let broken: Error | undefined;
  try {
    return await writeUnits(client, units, from);
  } catch (error) {
    broken = error instanceof Error ? error : new Error(String(error));
    throw error;
  } finally {
    client.release(broken);
  }
}
