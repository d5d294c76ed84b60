import { setTimeout as sleep } from 'node:timers/promises';
import pg from 'pg';
import { PostgresLog } from '../eventstore/index.ts';
import { Runtime } from './actors/runtime.ts';
import type { KoraConfig } from './platform/config.ts';
import type { Logger } from './platform/logging.ts';
import { migrationSets } from './platform/migrations.ts';
import { openPostgres } from './platform/postgres/connect.ts';
import type { InstanceRunningError } from './platform/postgres/errors.ts';
import { migrate } from './platform/postgres/migrate.ts';
import { Stages } from './platform/stages.ts';
import { readCheckpoints } from './projections/postgres/checkpoints.ts';
import { projections, runProjector } from './projections/index.ts';

export interface StoreOptions {
  readonly logger: Logger;
  /** `instance` serves, one per data folder; `tool` works beside it, or alone. */
  readonly role: 'instance' | 'tool';
  /** Another instance took the data folder while our Postgres was down: what is running should end. */
  readonly onInstanceLost?: (error: InstanceRunningError) => void;
}

/** What every command stands on: the database, migrated, and the log in it. */
export interface Store {
  /** For clients of their own: the same database. */
  readonly database: pg.PoolConfig;
  readonly pool: pg.Pool;
  readonly log: PostgresLog;
  /** The log takes no more units and settles those that it has, pools end, the embedded Postgres stops last. */
  close(onStage?: (name: string) => void): Promise<void>;
}

/** Opens Postgres (embedded unless DATABASE_URL is set), brings it to this build's schema, and opens the log. */
export async function openStore(config: KoraConfig, options: StoreOptions): Promise<Store> {
  const stages = new Stages();
  const store = await startingOr(stages, () => openInto(stages, config, options));
  return { ...store, close: (onStage) => stages.stop(onStage) };
}

async function openInto(
  stages: Stages,
  config: KoraConfig,
  { logger, role, onInstanceLost }: StoreOptions,
): Promise<Omit<Store, 'close'>> {
  const postgres = await openPostgres({
    databaseUrl: config.databaseUrl,
    dataDir: config.dataDir,
    role,
    log: (message) => logger.info(message),
    ...(onInstanceLost && { onInstanceLost }),
  });
  const database: pg.PoolConfig = { ...postgres.config, keepAlive: true, connectionTimeoutMillis: 10_000 };
  const embedded = config.databaseUrl === undefined;
  stages.add(embedded ? 'Postgres is left' : 'the database is left', () => postgres.close());

  const migrator = new pg.Client({ ...database, application_name: 'kora-migrate' });
  await migrator.connect();
  try {
    const applied = await migrate(migrator, migrationSets);
    if (applied.length > 0)
      logger.info({ migrations: applied.map(({ module, name }) => `${module}/${name}`) }, 'migrated');
  } finally {
    await migrator.end();
  }

  const pool = new pg.Pool({ ...database, max: 10, application_name: `kora-${role}` });
  // An idle connection that breaks is replaced when one is needed; whoever uses one sees its own error.
  pool.on('error', (error) => logger.debug({ err: error }, 'an idle connection broke'));
  stages.add('queries are done', () => pool.end());

  const log = new PostgresLog({
    config: database,
    unitLimits: { eventSizeMax: config.eventSizeMax },
    batchLimits: { waitingUnitsMax: config.waitingUnitsMax },
    onTrouble: (error) => {
      if (error === undefined) logger.info('the log goes on');
      else logger.warn({ err: error }, 'the log waits for the database');
    },
  });
  stages.add('the log is closed', () => log.close());
  return { database, pool, log };
}

export interface KoraOptions {
  readonly logger: Logger;
  /** Default `instance`. */
  readonly role?: StoreOptions['role'];
  /** What is not wanted: a replay needs no doors. Default: everything runs. */
  readonly without?: readonly ('doors' | 'projector' | 'scheduler')[];
  readonly onInstanceLost?: (error: InstanceRunningError) => void;
}

/** A kora that runs. */
export interface Kora extends Store {
  readonly runtime: Runtime;
  /** Where the doors listen; undefined without doors. */
  readonly rpcPort: number | undefined;
  readonly streamPort: number | undefined;
  /** Resolves when the projections have everything that is durable now, or at once when they do not run here or stopped. */
  projected(signal?: AbortSignal): Promise<void>;
  /**
   * Stops: doors take nothing new, requests at work are answered, the projections stop, the log closes, pools end, and
   * Postgres stops last. Nothing that was acknowledged is lost.
   */
  close(onStage?: (name: string) => void): Promise<void>;
}

/** Puts the product together and starts it. Rejects, with everything stopped again, when a part does not start. */
export async function startKora(config: KoraConfig, options: KoraOptions): Promise<Kora> {
  const { logger, role = 'instance', without = [], onInstanceLost } = options;
  const stages = new Stages();
  const kora = await startingOr(stages, async () => {
    const store = await openInto(stages, config, { logger, role, ...(onInstanceLost && { onInstanceLost }) });
    const projected = without.includes('projector') ? undefined : startProjector(stages, store, logger);
    const runtime = new Runtime({
      log: store.log,
      residentsMax: config.residentsMax,
      requestsMax: config.requestsMax,
      terms: { holdMs: config.holdMs, settleAfterMs: config.settleAfterMs },
    });
    stages.add('requests at work are answered', () => runtime.drain());
    return {
      ...store,
      runtime,
      rpcPort: undefined,
      streamPort: undefined,
      projected: projected ?? (() => Promise.resolve()),
    };
  });
  return { ...kora, close: (onStage) => stages.stop(onStage) };
}

function startProjector(stages: Stages, { log, pool }: Omit<Store, 'close'>, logger: Logger): Kora['projected'] {
  const stop = new AbortController();
  const run = runProjector({
    log,
    pool,
    projections,
    signal: stop.signal,
    onError: (error) => logger.warn({ err: error }, 'projections wait'),
  }).catch((error: unknown) => logger.error({ err: error }, 'projections stopped'));
  stages.add('projections are stopped', async () => {
    stop.abort();
    await run;
  });
  return async (signal) => {
    const last = await log.lastPosition();
    // Beside another process it may be that one which writes them: only the checkpoints know.
    while (!stop.signal.aborted && signal?.aborted !== true) {
      const behind = (await readCheckpoints(pool)).filter(({ position }) => position < last);
      const coming = behind.filter(({ projection, codeVersion, error }) => {
        return (
          error === undefined && projections.some(({ name, version }) => name === projection && version === codeVersion)
        );
      });
      if (coming.length === 0) return;
      await sleep(20);
    }
  };
}

/** Runs what starts things; when it fails, what was started is stopped again. */
async function startingOr<Result>(stages: Stages, start: () => Promise<Result>): Promise<Result> {
  try {
    return await start();
  } catch (error) {
    await stages.stop().catch(() => undefined);
    throw error;
  }
}
