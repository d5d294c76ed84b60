import { setImmediate as nextTurn, setTimeout as delay } from 'node:timers/promises';
import { LogCorruptionError, type EventLog, type Position, type RecordedUnit } from '../../../eventstore/index.ts';

export interface FollowerOptions {
  readonly log: Pick<EventLog, 'subscribe'>;
  readonly after: Position;
  readonly signal: AbortSignal;
  /** The units of one turn, in order. */
  readonly advanced: (units: readonly RecordedUnit[]) => void;
  /** Following broke off and is tried again, from where it was. */
  readonly failed: (error: unknown) => void;
}

/** Units fed at a time: more would make everybody else wait. */
const batchMax = 512;
const retryMs = { min: 100, max: 5_000 };

/**
 * The one follower of the log in this process. Units that arrive in one turn are fed together, so that a client gets
 * what one commit brought in one write. Resolves when the signal aborts or the log is closed.
 */
export async function followLog({ log, after, signal, advanced, failed }: FollowerOptions): Promise<void> {
  let cursor = after;
  let waitMs = retryMs.min;
  let batch: RecordedUnit[] = [];
  const feed = (): void => {
    if (batch.length === 0 || signal.aborted) return;
    const units = batch;
    batch = [];
    advanced(units);
  };
  for (;;) {
    try {
      for await (const unit of log.subscribe(cursor, signal)) {
        batch.push(unit);
        cursor = unit.lastPosition;
        waitMs = retryMs.min;
        if (batch.length === 1) setImmediate(feed);
        else if (batch.length === batchMax) {
          feed();
          await nextTurn();
        }
      }
      return;
    } catch (error) {
      if (signal.aborted) return;
      failed(error);
      waitMs = error instanceof LogCorruptionError ? retryMs.max : Math.min(waitMs * 2, retryMs.max);
      await delay(waitMs, undefined, { signal }).catch(() => undefined);
    }
  }
}
