import type { PublicEvent } from '../events/catalog.ts';

/**
 * Where services get every event in batches: a stream of Redis, a queue, a topic. One stream for all, in the order of the
 * log, at least once.
 */
export interface Publisher {
  /** Its place in the log is kept under this name. */
  readonly name: string;
  /**
   * Resolves when all of them are as safe as they will be. Rejects otherwise: then the whole batch comes again, some of it
   * perhaps for the second time.
   *
   * @param batch in the order of the log; it follows what was published before
   */
  publish(batch: readonly PublicEvent[]): Promise<void>;
  close(): Promise<void>;
}
