import { LogCorruptionError, type EventLog, type Position, type RecordedUnit } from '../../../eventstore/index.ts';
import { nextTurn, type StreamTiming } from './timing.ts';

export interface FollowerOptions {
  readonly log: Pick<EventLog, 'subscribe'>;
  readonly after: Position;
  readonly signal: AbortSignal;
  readonly timing: StreamTiming;
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
export async function followLog({ log, after, signal, timing, advanced, failed }: FollowerOptions): Promise<void> {
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
        if (batch.length === 1) timing.nextTurn(feed);
        else if (batch.length === batchMax) {
          feed();
          await nextTurn(timing);
        }
      }
      return;
    } catch (error) {
      if (signal.aborted) return;
      failed(error);
      waitMs = error instanceof LogCorruptionError ? retryMs.max : Math.min(waitMs * 2, retryMs.max);
      await pause(timing, waitMs, signal);
    }
  }
}

/** Resolves after so long, or when the signal aborts. */
function pause(timing: StreamTiming, delayMs: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const over = (): void => {
      signal.removeEventListener('abort', ended);
      resolve();
    };
    const callOff = timing.after(delayMs, over, 'stays');
    const ended = (): void => {
      callOff();
      resolve();
    };
    signal.addEventListener('abort', ended, { once: true });
  });
}
