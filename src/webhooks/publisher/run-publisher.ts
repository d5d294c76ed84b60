import type pg from 'pg';
import type { EventLog } from '../../../eventstore/index.ts';
import { followLog } from '../follow.ts';
import { moveCheckpoint, readCheckpoint, startCheckpoint } from '../postgres/checkpoints.ts';
import type { Publisher } from './publisher.ts';

export interface RunPublisherOptions {
  readonly log: Pick<EventLog, 'subscribe' | 'lastPosition'>;
  readonly pool: pg.Pool;
  readonly publisher: Publisher;
  readonly signal: AbortSignal;
  readonly onError: (error: unknown) => void;
  /** Units whose events come in one batch. Default 500. */
  readonly unitsMax?: number;
}

/**
 * Publishes everything that is recorded from its first start on. The checkpoint moves after the batch is safe, so a crash
 * between the two publishes the batch again.
 */
export async function runPublisher(options: RunPublisherOptions): Promise<void> {
  const { log, pool, publisher, signal, onError, unitsMax = 500 } = options;
  const name = `publisher:${publisher.name}`;
  await followLog({
    log,
    signal,
    unitsMax,
    lingerMs: 20,
    pauseMs: 500,
    onError,
    begin: async () => {
      const position = await readCheckpoint(pool, name);
      if (position !== undefined) return position;
      await startCheckpoint(pool, name, await log.lastPosition());
      return readCheckpoint(pool, name);
    },
    take: async (events, { from, to }) => {
      // Who has been overtaken would publish what is long published.
      if ((await readCheckpoint(pool, name)) !== from) return false;
      if (events.length > 0) await publisher.publish(events);
      return moveCheckpoint(pool, name, from, to);
    },
  });
}
