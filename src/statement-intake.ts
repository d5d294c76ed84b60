import { join } from 'node:path';
import type pg from 'pg';
import { type BankProfile, StatementIntake, StatementKeys, termsOf } from './connectors/index.ts';
import { KeyringError, newKeyringText, readKeyring, type Keyring } from './identity/index.ts';
import type { KoraConfig } from './platform/config.ts';
import type { Logger } from './platform/logging.ts';
import { FolderStore } from './platform/object-store/folder-store.ts';
import type { ObjectStore } from './platform/object-store/object-store.ts';
import { SealedObjects } from './platform/object-store/sealed-objects.ts';
import { loadOrCreatePrivateFile } from './platform/private-file.ts';
import type { Stages } from './platform/stages.ts';

type Settings = Pick<
  KoraConfig,
  | 'dataDir'
  | 'statementKeys'
  | 'statementBytesMax'
  | 'statementsDir'
  | 's3Bucket'
  | 's3Region'
  | 's3Endpoint'
  | 's3PathStyle'
>;

export interface IntakeGround {
  readonly config: Settings;
  /** Connections of the Providers. */
  readonly pool: pg.Pool;
  readonly logger: Logger;
  readonly stages: Stages;
  /** As they are configured now. */
  readonly profiles: () => readonly BankProfile[];
}

/** Opens what takes statements in: the object store, the keys, the module's part. It ends with the stages. */
export async function openIntake({ config, pool, logger, stages, profiles }: IntakeGround): Promise<StatementIntake> {
  const store = await objectStoreOf(config);
  const keys = new StatementKeys(pool, await statementKeyringOf(config));
  const objects = new SealedObjects({ store, keys, spoolDir: join(folderOf(config), 'arriving') });
  await objects.prepare();
  const intake = new StatementIntake({
    pool,
    objects,
    keys,
    terms: (id) => {
      const profile = profiles().find((one) => one.id === id);
      return profile && termsOf(profile);
    },
    bytesMax: config.statementBytesMax,
    onTrouble: (error, what) => logger.warn({ err: error }, what),
  });
  stages.add('statements are taken in no more', async () => {
    await intake.close();
    await objects.close();
  });
  return intake;
}

/** The keys that wrap the keys of statements: KORA_STATEMENT_KEYS, else those of the data folder, made at first need. */
export async function statementKeyringOf({
  statementKeys,
  dataDir,
}: Pick<KoraConfig, 'statementKeys' | 'dataDir'>): Promise<Keyring> {
  if (statementKeys !== undefined) return readKeyring(statementKeys);
  const { file, text } = await loadOrCreatePrivateFile(dataDir, 'statement-keys', () => newKeyringText(new Date()));
  try {
    return readKeyring(text);
  } catch (error) {
    throw new KeyringError(`${file}: ${error instanceof Error ? error.message : String(error)}`, { cause: error });
  }
}

async function objectStoreOf(config: Settings): Promise<ObjectStore> {
  const { s3Bucket: bucket, s3Region: region, s3Endpoint: endpoint, s3PathStyle } = config;
  if (bucket === undefined) return new FolderStore(join(folderOf(config), 'objects'));
  // Its library is large, and most have none.
  const { S3Store } = await import('./platform/object-store/s3-store.ts');
  return new S3Store({ bucket, region, endpoint, pathStyle: s3PathStyle === 'on' });
}

function folderOf({ statementsDir, dataDir }: Pick<Settings, 'statementsDir' | 'dataDir'>): string {
  return statementsDir ?? join(dataDir, 'statements');
}
