import { setTimeout as sleep } from 'node:timers/promises';
import type { LogHead } from '../../eventstore/postgres/read-head.ts';
import type { SignedCheckpoint } from './checkpoint.ts';
import type { CheckpointKey } from './key.ts';
import { writeCheckpoint } from './write-checkpoint.ts';

export interface RecurringCheckpoints {
  /** Resolves when nothing is written any more. */
  stop(): Promise<void>;
}

/**
 * Writes a checkpoint at once and then at every interval in which the head has moved. The product does not depend on it:
 * what fails is told, and tried again at the next interval.
 */
export function startCheckpoints({
  readHead,
  folder,
  key,
  everyMs,
  onWritten,
  onError,
}: {
  readonly readHead: () => Promise<LogHead | undefined>;
  readonly folder: string;
  readonly key: CheckpointKey;
  readonly everyMs: number;
  readonly onWritten: (checkpoint: SignedCheckpoint, file: string) => void;
  readonly onError: (error: unknown) => void;
}): RecurringCheckpoints {
  const stop = new AbortController();
  const run = async (): Promise<void> => {
    while (!stop.signal.aborted) {
      try {
        const head = await readHead();
        if (head !== undefined) {
          const { file, written } = await writeCheckpoint(head, { folder, key, now: new Date() });
          if (written !== undefined) onWritten(written, file);
        }
      } catch (error) {
        onError(error);
      }
      await sleep(everyMs, undefined, { signal: stop.signal }).catch(() => undefined);
    }
  };
  const running = run();
  return {
    stop: () => {
      stop.abort();
      return running;
    },
  };
}
