import type { Logger } from './platform/logging.ts';
import type { Stages } from './platform/stages.ts';
import { projectionLag } from './projections/index.ts';
import type { OpenedStore } from './store.ts';

const lookEveryMs = 5_000;
/** Nobody is told of less: projections are always a little behind. */
const behindMs = 5_000;

/** Says when a projection falls behind, and when it is there again: people must not read old figures unknowing. */
export function watchLag({ pool, logElsewhere }: OpenedStore, logger: Logger, stages: Stages): void {
  const behind = new Set<string>();
  const look = async (): Promise<void> => {
    for (const { projection, error, eventsBehind, secondsBehind } of await projectionLag(pool, logElsewhere)) {
      const isBehind = error !== undefined || secondsBehind * 1_000 > behindMs;
      if (isBehind && !behind.has(projection)) {
        behind.add(projection);
        // One that stopped was told of by its projector, with all that is known.
        if (error === undefined) {
          logger.warn({ projection, eventsBehind, secondsBehind }, 'a projection is behind the log');
        }
      } else if (!isBehind && behind.delete(projection)) {
        logger.info({ projection }, 'the projection is up to date again');
      }
    }
  };
  let looking: Promise<void> = Promise.resolve();
  const timer = setInterval(() => {
    looking = look().catch((error: unknown) => logger.debug({ err: error }, 'the lag of projections is not known'));
  }, lookEveryMs);
  stages.add('the lag is watched no more', () => {
    clearInterval(timer);
    return looking;
  });
}
