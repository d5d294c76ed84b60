import { join } from 'node:path';
import type pg from 'pg';
import { readHead } from '../eventstore/postgres/read-head.ts';
import type { KoraConfig } from './platform/config.ts';
import type { Logger } from './platform/logging.ts';
import type { Stages } from './platform/stages.ts';
import { checkpointKeyOf } from './signed-checkpoints/key.ts';
import { startCheckpoints } from './signed-checkpoints/recurring-checkpoints.ts';

/** Where signed checkpoints are; undefined with a database of somebody else's, unless a folder is named. */
export function checkpointFolderOf({
  checkpointDir,
  databaseUrl,
  dataDir,
}: Pick<KoraConfig, 'checkpointDir' | 'databaseUrl' | 'dataDir'>): string | undefined {
  return checkpointDir ?? (databaseUrl === undefined ? join(dataDir, 'checkpoints') : undefined);
}

/** Signs the head of the log now and then. Nothing of it ever stops the product, not even a key that cannot be read. */
export async function startCheckpointing(
  config: KoraConfig,
  pool: pg.Pool,
  logger: Logger,
  stages: Stages,
): Promise<void> {
  const { checkpointEveryMs: everyMs, checkpointKey, dataDir } = config;
  if (everyMs === 0) return;
  if (config.eventstoreUrl !== undefined) {
    logger.info('no signed checkpoints are written: the log is in KurrentDB, and has no hash chain');
    return;
  }
  const folder = checkpointFolderOf(config);
  if (folder === undefined) {
    logger.info('no signed checkpoints are written: with DATABASE_URL, KORA_CHECKPOINT_DIR says where to');
    return;
  }
  const onError = (error: unknown): void => logger.warn({ err: error, folder }, 'no signed checkpoint was written');
  try {
    const checkpoints = startCheckpoints({
      readHead: () => readHead(pool),
      folder,
      key: await checkpointKeyOf(checkpointKey, dataDir),
      everyMs,
      onWritten: ({ position, count }, file) =>
        logger.debug({ position: position + count - 1, file }, 'a signed checkpoint was written'),
      onError,
    });
    stages.add('checkpoints are stopped', () => checkpoints.stop());
  } catch (error) {
    onError(error);
  }
}
