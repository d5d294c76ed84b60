import type pg from 'pg';
import type { EventLog } from '../../eventstore/index.ts';
import { followLog } from './follow.ts';
import { readCheckpoint, RELAY } from './postgres/checkpoints.ts';
import { hasEndpoints } from './postgres/endpoints.ts';
import { writeOutbox } from './postgres/outbox.ts';

export interface RelayOptions {
  readonly log: Pick<EventLog, 'subscribe'>;
  readonly pool: pg.Pool;
  readonly signal: AbortSignal;
  readonly now: () => Date;
  /** Told when deliveries were made, so that nobody has to look for them. */
  readonly onWritten: () => void;
  readonly onError: (error: unknown) => void;
  /** Units in one transaction. Default 500. */
  readonly unitsMax?: number;
}

/**
 * Makes deliveries of the log. The log is the outbox: a payment and the word of it are one write, and this only carries on
 * what is durable, from its checkpoint. Without endpoints it does nothing, and the log is not read.
 *
 * Any number may run: who finds the checkpoint moved has written nothing, and begins again from there.
 */
export function runRelay(options: RelayOptions): Promise<void> {
  const { log, pool, signal, now, onWritten, onError, unitsMax = 500 } = options;
  return followLog({
    log,
    signal,
    unitsMax,
    lingerMs: 20,
    pauseMs: 500,
    onError,
    begin: async () => ((await hasEndpoints(pool)) ? readCheckpoint(pool, RELAY) : undefined),
    take: async (events, stretch) => {
      const written = await writeOutbox(pool, events, stretch, now());
      if (written !== undefined && written > 0) onWritten();
      return written !== undefined;
    },
  });
}
