import type { EventLog } from '../eventstore/index.ts';
import type pg from 'pg';
import type { Leader } from './cluster/leader.ts';
import type { KoraConfig } from './platform/config.ts';
import type { Logger } from './platform/logging.ts';
import type { Stages } from './platform/stages.ts';
import type { Publisher, Sealer, Webhooks } from './webhooks/index.ts';

interface Parts {
  readonly config: Pick<KoraConfig, 'webhooksNetworks' | 'webhooksKeptMs' | 'eventsRedisUrl' | 'eventsSecret'>;
  readonly log: EventLog;
  readonly pool: pg.Pool;
  readonly sealer: Sealer;
  readonly logger: Logger;
}

/**
 * Opens the module for doors and tools.
 *
 * @param lead has the work of telling done by one process of several; absent: others are told nothing from here
 */
export async function openWebhooks(
  { config, log, pool, sealer, logger }: Parts,
  stages: Stages,
  lead?: (work: (signal: AbortSignal) => Promise<void>) => Leader,
): Promise<Webhooks> {
  const { createWebhooks, redisPublisher, runWebhooks } = await import('./webhooks/index.ts');
  const allowedNetworks = config.webhooksNetworks;
  const leader = lead?.(async (signal) => {
    const onError = (error: unknown, what: string): void => logger.warn({ err: error }, what);
    const publishers: Publisher[] = [];
    if (config.eventsRedisUrl !== undefined) {
      publishers.push(
        await redisPublisher({
          url: config.eventsRedisUrl,
          secret: config.eventsSecret,
          now: () => new Date(),
          onError: (error) => logger.debug({ err: error }, 'the Redis of the events'),
        }),
      );
    }
    const keptMs = config.webhooksKeptMs;
    try {
      await runWebhooks({ log, pool, sealer, allowedNetworks, publishers, keptMs, signal, onError });
    } finally {
      await Promise.all(publishers.map((publisher) => publisher.close()));
    }
  });
  if (leader !== undefined) stages.add('others are told nothing more', () => leader.stop());
  return createWebhooks({ pool, sealer, lastPosition: () => log.lastPosition(), allowedNetworks });
}
