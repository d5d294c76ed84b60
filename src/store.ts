import pg from 'pg';
import { type CommitTold, type EventLog, PostgresLog } from '../eventstore/index.ts';
import { openLogElsewhere, refuseMirror } from './log-elsewhere.ts';
import { type ModuleName, moduleRoles, prepareDatabase } from './modules.ts';
import type { KoraConfig } from './platform/config.ts';
import type { Logger } from './platform/logging.ts';
import { openPostgres } from './platform/postgres/connect.ts';
import { asRole } from './platform/postgres/module-roles.ts';
import { troubleCauseOf } from './platform/postgres/store-trouble.ts';
import type { InstanceRunningError } from './platform/postgres/errors.ts';
import { sentenceOf } from './platform/sentence-of.ts';
import { Stages, startedOrStopped } from './platform/stages.ts';
import { Troubles } from './troubles.ts';

export interface StoreOptions {
  readonly logger: Logger;
  /** `instance` serves, one per data folder; `tool` works beside it, or alone. */
  readonly role: 'instance' | 'tool';
  /** Another instance took the data folder while our Postgres was down: what is running should end. */
  readonly onInstanceLost?: (error: InstanceRunningError) => void;
  readonly patience?: Partial<Patience>;
  /** Told of every commit of the log. */
  readonly onCommit?: ((commit: CommitTold) => void) | undefined;
}

/** How long what waits for the database waits. */
export interface Patience {
  /** An append for the lock of another. Default 10 s. */
  readonly lockMs: number;
  /** An append in the database, and of an instance any query of a module. Default 20 s: shorter than callers wait. */
  readonly statementMs: number;
  /** For an answer, before the connection is taken for dead. Default 25 s, which projections lag then. */
  readonly answerMs: number;
  /** While the database is in trouble: before further commands are refused. Default 5 s. */
  readonly refuseAfterMs: number;
}

const defaultPatience: Patience = { lockMs: 10_000, statementMs: 20_000, answerMs: 25_000, refuseAfterMs: 5_000 };

/** What every command stands on: the database, migrated, and the log in it. */
export interface Store {
  /** For clients of their own: the same database, as the user who migrates. */
  readonly database: pg.PoolConfig;
  /** Connections of the projector, which reads the log and writes projections. */
  readonly pool: pg.Pool;
  /** Connections of a module, as its role, which ends with the store. Made when it is first asked for. */
  poolOf(module: ModuleName): pg.Pool;
  readonly log: EventLog;
  /** The same log where it is not kept in the database, which then has a mirror of it for the views that read it there. */
  readonly logElsewhere: EventLog | undefined;
  readonly troubles: Troubles;
  /** The log takes no more units and settles those that it has, pools end, the embedded Postgres stops last. */
  close(onStage?: (name: string) => void): Promise<void>;
}

/** Of each module. Few are needed: what many wait for is the log, and that has a connection of its own. */
const connectionsMax = 8;

/** What differs for a module. */
const poolOptions: Partial<Record<ModuleName, pg.PoolConfig>> = {
  // Leases end within seconds: an answer that takes longer is of no use, and what a crash of the database takes is nothing.
  cluster: { max: 3, connectionTimeoutMillis: 2_000, query_timeout: 2_000, options: '-c synchronous_commit=off' },
};

export type OpenedStore = Omit<Store, 'close'>;

/** Opens Postgres (embedded unless DATABASE_URL is set), brings it to this build's schema, and opens the log, which may be elsewhere. */
export async function openStore(config: KoraConfig, options: StoreOptions): Promise<Store> {
  const stages = new Stages();
  const store = await startedOrStopped(stages, () => openStoreInto(stages, config, options));
  return { ...store, close: (onStage) => stages.stop(onStage) };
}

/** Opens the store as stages of something larger. */
export async function openStoreInto(
  stages: Stages,
  config: KoraConfig,
  { logger, role, onInstanceLost, ...options }: StoreOptions,
): Promise<OpenedStore> {
  const { lockMs, statementMs, answerMs, refuseAfterMs } = { ...defaultPatience, ...options.patience };
  const troubles = new Troubles({ logger, refuseAfterMs });
  const postgres = await openPostgres({
    databaseUrl: config.databaseUrl,
    dataDir: config.dataDir,
    role,
    // Only who serves says where the archive is; tools that start Postgres archive where it was said.
    archiveDir: role === 'instance' ? config.archiveDir : undefined,
    log: (message) => logger.info(message),
    ...(onInstanceLost && { onInstanceLost }),
  });
  const database: pg.PoolConfig = { ...postgres.config, keepAlive: true, connectionTimeoutMillis: 10_000 };
  const embedded = config.databaseUrl === undefined;
  stages.add(embedded ? 'Postgres is left' : 'the database is left', () => postgres.close());

  const migrator = new pg.Client({ ...database, application_name: 'kora-migrate' });
  await migrator.connect().catch((error: unknown) => {
    const which = embedded ? `the data folder ${config.dataDir}` : 'DATABASE_URL';
    throw new Error(`the PostgreSQL of ${which} cannot be reached: ${sentenceOf(error)}`, { cause: error });
  });
  try {
    const applied = await prepareDatabase(migrator);
    if (applied.length > 0)
      logger.info({ migrations: applied.map(({ module, name }) => `${module}/${name}`) }, 'migrated');
  } finally {
    await migrator.end();
  }

  const pools = new Map<ModuleName, pg.Pool>();
  const poolOf = (module: ModuleName): pg.Pool => {
    let pool = pools.get(module);
    if (pool === undefined) {
      // A tool may take its time; of who serves, somebody waits for the answer. The projector's statements may be long.
      const statements = role === 'instance' && module !== 'projector' && { statement_timeout: statementMs };
      const answers = role === 'instance' && { query_timeout: answerMs };
      const own = { ...database, max: connectionsMax, ...statements, ...answers, ...poolOptions[module] };
      pool = new pg.Pool({ ...asRole(own, moduleRoles[module].role), application_name: `kora-${module}` });
      // An idle connection that breaks is replaced when one is needed; whoever uses one sees its own error.
      pool.on('error', (error) => logger.debug({ err: error }, 'an idle connection broke'));
      pools.set(module, pool);
    }
    return pool;
  };
  const pool = poolOf('projector');
  stages.add('queries are done', async () => {
    await Promise.all([...pools.values()].map((one) => one.end()));
  });

  const onTrouble = (error: Error | undefined): void => {
    if (error === undefined) troubles.end('log');
    else troubles.begin('log', error, logElsewhere && troubleCauseOf(error) === undefined ? 'log ill' : undefined);
  };
  const limits = {
    unitLimits: { eventSizeMax: config.eventSizeMax },
    batchLimits: { waitingUnitsMax: config.waitingUnitsMax },
    ...(options.onCommit && { onCommit: options.onCommit }),
  };
  const logElsewhere =
    config.eventstoreUrl === undefined
      ? undefined
      : await openLogElsewhere({ url: config.eventstoreUrl, ...limits, onTrouble }, poolOf('eventstore'));
  if (logElsewhere === undefined) await refuseMirror(pool);
  const log =
    logElsewhere ??
    new PostgresLog({
      config: {
        ...asRole(database, moduleRoles.eventstore.role),
        ...(role === 'instance' && { query_timeout: answerMs }),
      },
      ...limits,
      lockTimeoutMs: lockMs,
      statementTimeoutMs: statementMs,
      answerTimeoutMs: answerMs,
      onTrouble,
    });
  stages.add('the log is closed', () => log.close());
  return { database, pool, poolOf, log, logElsewhere, troubles };
}
