import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import { type Position, readMirror, type RecordedUnit, runMirror } from '../eventstore/index.ts';
import { DeadlineScheduler } from './actors/deadline-scheduler.ts';
import { isAccountRequest } from './actors/requests.ts';
import type { Runtime } from './actors/runtime.ts';
import { startCheckpointing } from './checkpointing.ts';
import { Leader } from './cluster/leader.ts';
import { watchDatabase } from './database-watch.ts';
import { coreFeeds } from './core-feeds.ts';
import { eventsSecretOf } from './events-secret.ts';
import type { StatementIntake } from './connectors/index.ts';
import type { Connectors } from './gateway/connectors.ts';
import type { Feeds } from './gateway/feeds.ts';
import type { Reconciliation } from './gateway/reconciliation.ts';
import type { reconcileHere } from './reconciling.ts';
import type { ReportPorts } from './reconciliation/index.ts';
import { noStatements, type Statements } from './gateway/statements.ts';
import type { RpcRuntime } from './gateway/rpc/execute.ts';
import type { Identity, Keyring } from './identity/index.ts';
import { watchLag } from './lag-watch.ts';
import { watchEventStore } from './log-elsewhere.ts';
import { createLedger, type Ledger } from './ledger/index.ts';
import { type Observability, startObservability } from './observability/index.ts';
import { createPayments, type Payments } from './payments/index.ts';
import { openPeers } from './peers.ts';
import type { KoraConfig } from './platform/config.ts';
import type { Logger } from './platform/logging.ts';
import type { InstanceRunningError } from './platform/postgres/errors.ts';
import { Stages, startedOrStopped } from './platform/stages.ts';
import { type Providers, ProviderTerms } from './provider-terms.ts';
import {
  installProjections,
  OutdatedProjectionError,
  ProjectionFault,
  projectionLag,
  projections,
  runProjector,
} from './projections/index.ts';
import { readCheckpoints } from './projections/postgres/checkpoints.ts';
import { connectorStates, countOpenPayments, dueDeadlines, pendingSlices } from './projections/queries.ts';
import { streamOptionsOf } from './stream-options.ts';
import { openWebhooks } from './telling-others.ts';
import { sayingItOnce } from './troubles.ts';
import { startStatements } from './statement-fetching.ts';
import { openStoreInto, type OpenedStore, type Store, type StoreOptions } from './store.ts';
import type { Webhooks } from './webhooks/index.ts';

export interface KoraOptions {
  readonly logger: Logger;
  /** Default `instance`. */
  readonly role?: StoreOptions['role'];
  /**
   * What is not wanted: a replay needs no doors. Without doors there is no identity either, whose keys seal the secrets of
   * webhooks: those are told nothing then. Default: everything runs.
   */
  readonly without?: readonly ('doors' | 'projector' | 'scheduler' | 'webhooks')[];
  readonly onInstanceLost?: (error: InstanceRunningError) => void;
  readonly patience?: StoreOptions['patience'];
  /** Where references to secrets (`env:NAME`) of connectors are looked up. Default: nowhere. */
  readonly secrets?: Readonly<Record<string, string | undefined>>;
}

/** A kora that runs. */
export interface Kora extends Store {
  readonly runtime: Runtime;
  /** The faces of the modules, which doors and tools go through. */
  readonly ledger: Ledger;
  readonly payments: Payments;
  /** Where the doors listen; undefined without doors. */
  readonly httpPort: number | undefined;
  readonly rpcPort: number | undefined;
  readonly streamPort: number | undefined;
  /** Where metrics are served; undefined where they are not. */
  readonly metricsPort: number | undefined;
  /** Resolves when the projections have everything that is durable now; at once when they stopped, or do not run here. */
  projected(signal?: AbortSignal): Promise<void>;
  /**
   * Stops: the http and the rpc door take nothing new, requests at work are answered, watchers are told, projections stop, the log
   * closes, pools end, and Postgres stops last. Nothing that was acknowledged is lost.
   */
  close(onStage?: (name: string) => void): Promise<void>;
}

/** What the parts are made of, and the stages to which they add how they are stopped. */
interface Ground {
  readonly config: KoraConfig;
  readonly logger: Logger;
  readonly stages: Stages;
  readonly store: OpenedStore;
  /** This process, in this life, as others on the same database know it. */
  readonly memberId: string;
  readonly seen: Observability;
}

/** Puts the product together and starts it. Rejects, with everything stopped again, when a part does not start. */
export async function startKora(config: KoraConfig, options: KoraOptions): Promise<Kora> {
  const { role = 'instance', without = [], onInstanceLost, patience } = options;
  const stages = new Stages();
  const kora = await startedOrStopped(stages, async () => {
    const measured = role === 'instance' && !without.includes('doors');
    const seen = await startObservability(config, { logger: options.logger, stages, measured });
    const store = await openStoreInto(stages, config, {
      logger: options.logger,
      role,
      onCommit: seen.metrics?.commit,
      ...(onInstanceLost && { onInstanceLost }),
      ...(patience && { patience }),
    });
    const { troubles, database } = store;
    // What is wrong with the store is said once, and not by everybody who meets it.
    const logger = sayingItOnce(options.logger, troubles);
    const dataDir = config.databaseUrl === undefined ? config.dataDir : undefined;
    if (role === 'instance') watchDatabase({ database, troubles, dataDir }, stages);
    if (role === 'instance' && store.logElsewhere) watchEventStore(store.logElsewhere, troubles, stages);
    const ground: Ground = { config, logger, stages, store, memberId: randomUUID(), seen };
    // What is started first is stopped last: whoever watches is told of the last answers too.
    await installProjections(store.pool, projections);
    const metricsPort = await seen.serveMetrics();
    const projected = without.includes('projector') ? () => Promise.resolve() : startProjector(ground);
    const known = without.includes('doors') ? undefined : await startIdentity(ground);
    const webhooks = known && (await startWebhooks(ground, known.keyring, !without.includes('webhooks')));
    const doors = known && (await openStream(ground, known.identity));
    const terms = new ProviderTerms();
    const runtime = await startRuntime(ground, terms);
    const peers = doors && (await openPeers({ ...ground, tracing: seen.rpc.tracing }, runtime));
    const placed = peers?.runtime ?? runtime;
    const ledger = createLedger({ runtime: placed, pool: store.poolOf('ledger') });
    const payments = createPayments({ runtime: placed, ledger, pool: store.poolOf('payments') });
    const statements =
      doors &&
      (await startStatements(ground, {
        profiles: () => terms.profiles(),
        env: options.secrets ?? {},
        lead: (work) => lead(ground, 'statements', work),
      }));
    const providers = await startProviders(ground, runtime, terms, options, statements);
    if (!without.includes('scheduler')) startScheduler(ground, runtime);
    // A tool that writes much may well be ahead of the projections; it waits for them at its end.
    if (role === 'instance' && !without.includes('projector')) watchLag(store, logger, stages);
    if (role === 'instance') await startCheckpointing(config, store.pool, logger, stages);
    const rpcPort = await doors?.openRpc({ ledger, payments });
    const connectors = connectorsOf(runtime, store, providers);
    const feeds = statements && coreFeeds({ log: store.log, intake: statements, secret: await eventsSecretOf(config) });
    const reconciliation =
      feeds &&
      (await startReconciliation(
        ground,
        { feeds, statements, runtime: placed, connectors },
        {
          statementBalances: (date, profile) => statements.balancesOn(profile, date),
          posted: async (id) => (await ledger.balance(id))?.posted,
        },
      ));
    const faces = {
      ledger,
      payments,
      connectors,
      statements,
      ...(feeds && { feeds }),
      ...(reconciliation && { reconciliation }),
    };
    const httpPort = webhooks && (await doors?.openHttp({ ...faces, webhooks }, providers));
    providers?.start();
    seen.measure({
      runtime,
      streamConnections: () => doors?.streamConnections() ?? 0,
      isTroubled: () => troubles.current !== undefined,
      projectionLag: () => projectionLag(store.pool, store.logElsewhere),
    });
    if (webhooks) seen.metrics?.measureUntold(() => webhooks.backlog());
    seen.metrics?.measurePayoutSlices(() => pendingSlices(store.poolOf('payments')));
    peers?.join();
    const ports = { httpPort, rpcPort, streamPort: doors?.streamPort, metricsPort };
    return { ...store, ...ports, runtime, ledger, payments, projected };
  });
  return { ...kora, close: (onStage) => stages.stop(onStage) };
}

/** Leads this work while no other process does. */
function lead({ memberId, store, logger }: Ground, name: string, work: (signal: AbortSignal) => Promise<void>): Leader {
  return new Leader({
    pool: store.poolOf('cluster'),
    name,
    holder: memberId,
    work,
    onElected: () => logger.info({ lease: name }, 'this process leads'),
    onError: (error) => logger.warn({ err: error, lease: name }, 'a lease cannot be held, or its work failed'),
  });
}

/** Undefined where it has no database here: then nothing is reconciled, or it is by a process of its own. */
async function startReconciliation(
  { config, store, logger, stages, seen }: Ground,
  core: Pick<Parameters<typeof reconcileHere>[0], 'feeds' | 'statements' | 'runtime' | 'connectors'>,
  report: ReportPorts,
): Promise<Reconciliation | undefined> {
  if (config.reconciliationDatabaseUrl === undefined) return undefined;
  const { reconcileHere } = await import('./reconciling.ts');
  const { FeedLags } = await import('./reconciliation/index.ts');
  const lags = new FeedLags();
  seen.metrics?.measureFeeds(() => lags.figures(new Date()));
  return reconcileHere({
    config,
    logger,
    stages,
    ...core,
    report,
    lags,
    spans: seen.spans,
    ...(seen.metrics && { measures: seen.metrics.reconciliation }),
    coreDatabase: store.database,
  });
}

function startProjector(ground: Ground): Kora['projected'] {
  const { store, logger, stages } = ground;
  const { log, logElsewhere, pool } = store;
  const stop = new AbortController();
  const leader = lead(ground, 'projections', async (signal) => {
    const onError = (error: Error): void => tellOfProjections(error, logger);
    if (logElsewhere === undefined) return runProjector({ log, pool, projections, signal, onError });
    // The views of the log read the mirror: it is kept as the projections are, by the process that keeps them.
    const over = new AbortController();
    const both = { log, signal: AbortSignal.any([signal, over.signal]), onError };
    const runs = [
      runProjector({ ...both, pool, projections }),
      runMirror({ ...both, pool: store.poolOf('eventstore') }),
    ];
    await Promise.all(runs.map((run) => run.finally(() => over.abort())));
  });
  stages.add('projections are stopped', () => {
    stop.abort();
    return leader.stop();
  });
  const versions = new Map(projections.map(({ name, version }) => [name, version]));
  return async (signal) => {
    const last = await log.lastPosition();
    // Beside another process it may be that one which writes them: only the checkpoints know.
    while (!stop.signal.aborted && signal?.aborted !== true) {
      const coming = (await readCheckpoints(pool)).some(({ projection, codeVersion, position, error }) => {
        return position < last && error === undefined && versions.get(projection) === codeVersion;
      });
      const mirrored = logElsewhere === undefined ? last : ((await readMirror(pool))?.position ?? 0);
      if (!coming && mirrored >= last) return;
      await sleep(20);
    }
  };
}

/** The reason of one that stopped is in its checkpoint too, where `kora projections` finds it. */
function tellOfProjections(error: Error, logger: Logger): void {
  if (error instanceof ProjectionFault) {
    const { projection, position } = error;
    const what = `projection ${projection} stopped before position ${position}, the others go on: mend the cause, then kora projections retry ${projection}`;
    logger.error({ err: error, projection, position }, what);
  } else if (error instanceof OutdatedProjectionError) logger.error({ err: error }, 'a projection stands still');
  else logger.warn({ err: error }, 'projections wait');
}

async function startRuntime(
  { config, store, logger, stages, seen }: Ground,
  { settlesAt, railLimits }: ProviderTerms,
): Promise<Runtime> {
  const { log, poolOf, troubles } = store;
  // Before anything is read: what comes later is told of, whatever becomes of the database meanwhile.
  const after = await log.lastPosition();
  const runtime = seen.runtime({
    log,
    residentsMax: config.residentsMax,
    requestsMax: config.requestsMax,
    terms: { holdMs: config.holdMs, settleAfterMs: config.settleAfterMs, settlesAt, railLimits },
    openPaymentsOf: (accountId) => countOpenPayments(poolOf('payments'), accountId),
    unavailable: () => troubles.refusal,
  });
  stages.add('requests at work are answered', () => drained(runtime, logger));
  observeLog({ store, logger, stages }, after, runtime);
  return runtime;
}

/** How long requests at work are waited for when the database does not answer: their outcome is then unknown. */
const drainMs = 30_000;

async function drained(runtime: Runtime, logger: Logger): Promise<void> {
  const enough = new AbortController();
  const patience = sleep(drainMs, undefined, { signal: enough.signal }).catch(() => undefined);
  await Promise.race([runtime.drain(), patience]);
  enough.abort();
  if (runtime.atWork > 0)
    logger.warn({ atWork: runtime.atWork }, 'requests at work go unanswered: ask again with the same key');
}

/** What other processes write makes our residents out of date: the runtime is told of it. */
function observeLog(ground: Pick<Ground, 'store' | 'logger' | 'stages'>, from: Position, runtime: Runtime): void {
  // Nothing wrong comes of trouble: a resident that is out of date is found out when its unit is stale.
  const trouble = 'the runtime does not see what other processes write';
  follow(ground, from, 'foreign', trouble, (unit) => runtime.observe(unit));
}

/** Shows somebody every unit of the log from a position on, until kora stops. */
function follow(
  { store: { log }, logger, stages }: Pick<Ground, 'store' | 'logger' | 'stages'>,
  from: Position,
  whose: 'all' | 'foreign',
  trouble: string,
  take: (unit: RecordedUnit) => void,
): void {
  const stop = new AbortController();
  const observe = async (): Promise<void> => {
    for (let after = from; !stop.signal.aborted;) {
      try {
        const units = whose === 'all' ? log.subscribe(after, stop.signal) : log.subscribe(after, stop.signal, whose);
        for await (const unit of units) {
          take(unit);
          after = unit.lastPosition;
        }
      } catch (error) {
        logger.warn({ err: error }, trouble);
        await sleep(1_000, undefined, { signal: stop.signal }).catch(() => undefined);
      }
    }
  };
  const observed = observe();
  stages.add('the log is watched no more', () => {
    stop.abort();
    return observed;
  });
}

/** The connectors of KORA_CONNECTORS, and what tells them. Tools without doors tell nobody anything. */
async function startProviders(
  ground: Ground,
  runtime: Runtime,
  terms: ProviderTerms,
  { without = [], secrets = {} }: KoraOptions,
  statements: StatementIntake | undefined,
): Promise<Providers | undefined> {
  const { config, store, logger, stages, seen } = ground;
  if (config.connectorsFile === undefined || without.includes('doors')) return undefined;
  const { openProviders } = await import('./providers.ts');
  const providers = await openProviders(
    {
      store,
      logger,
      stages,
      file: config.connectorsFile,
      statements,
      keepCallsDays: config.connectorLogDays,
      inFlightMax: config.connectorsInFlightMax,
      env: secrets,
      tracing: seen.spans,
      observers: [seen.connectors],
      onBreaker: (id, state) => seen.connectors.circuit(id, state),
      lead: (name, work) => lead(ground, name, work),
    },
    runtime,
    terms,
    { holdMs: config.holdMs, settleAfterMs: config.settleAfterMs, settlesAt: terms.settlesAt },
  );
  const after = await store.log.lastPosition();
  follow(ground, after, 'all', 'providers do not see what is new in the log', (unit) => providers.notice(unit));
  return providers;
}

function startScheduler(ground: Ground, runtime: Runtime): void {
  const { store, logger, stages } = ground;
  const leader = lead(ground, 'deadlines', async (signal) => {
    const scheduler = new DeadlineScheduler({
      runtime,
      due: (now, limit) => dueDeadlines(store.poolOf('payments'), now, limit),
      onError: (error) => logger.warn({ err: error }, 'deadlines wait'),
    });
    scheduler.start();
    if (!signal.aborted) await once(signal, 'abort');
    await scheduler.stop();
  });
  stages.add('deadlines are stopped', () => leader.stop());
}

/** Stopped after the requests at work: others are told of those too. */
function startWebhooks(ground: Ground, sealer: Keyring, tells: boolean): Promise<Webhooks> {
  const { config, store, logger, stages } = ground;
  const parts = { config, log: store.log, pool: store.poolOf('webhooks'), sealer, logger };
  return openWebhooks(parts, stages, tells ? (work) => lead(ground, 'webhooks', work) : undefined);
}

/** Who people are. Started before the doors, which ask it of every token, and ended after them. */
async function startIdentity({
  config,
  store,
  logger,
  stages,
}: Ground): Promise<{ readonly identity: Identity; readonly keyring: Keyring }> {
  const [{ openIdentity }, { identityOptionsOf }] = await Promise.all([
    import('./identity/index.ts'),
    import('./identity-options.ts'),
  ]);
  const options = await identityOptionsOf(config);
  const identity = await openIdentity({
    ...options,
    pool: store.poolOf('identity'),
    onTrouble: (error, what) => logger.warn({ err: error }, what),
  });
  stages.add('identity is closed', () => identity.close());
  return { identity, keyring: options.keyring };
}

/** A door that takes requests of all kinds hands each of them to the face of the module whose it is. */
function byFace({ ledger, payments }: Pick<Kora, 'ledger' | 'payments'>): RpcRuntime {
  return {
    execute: (request, caller) =>
      isAccountRequest(request) ? ledger.carryOut(request, caller) : payments.carryOut(request, caller),
    payment: (id) => payments.payment(id),
    account: (id) => ledger.account(id),
    payout: (id) => payments.payout(id),
  };
}

const noConnectors = Promise.resolve({
  outcome: 'refused',
  code: 'NotAskable',
  message: 'no connectors are configured: nobody can be asked',
} as const);

/** Breakers, as long as no connector is configured: those that something was ever written of. */
function connectorsOf(runtime: Runtime, store: OpenedStore, providers: Providers | undefined): Connectors {
  return {
    // Those that are configured, or where there are none, those whose breakers ever opened.
    list: () => providers?.list() ?? connectorStates(store.poolOf('providers')),
    connector: (id) => (providers === undefined ? runtime.connector(id) : providers.connector(id)),
    serves: (provider) => providers?.serves(provider) ?? false,
    ask: (paymentId) => providers?.ask(paymentId) ?? noConnectors,
    carryOut: (request, caller) => (providers ?? { carryOut: runtime.operate.bind(runtime) }).carryOut(request, caller),
    isApplied: (request, caller) => runtime.isApplied(request, caller),
  };
}

/** The doors are loaded where they are opened: a command that asks for a balance need not wait for them. */
async function openStream(
  { config, store, logger, stages, seen }: Ground,
  identity: Identity,
): Promise<{
  readonly streamPort: number;
  readonly streamConnections: () => number;
  readonly openRpc: (faces: Pick<Kora, 'ledger' | 'payments'>) => Promise<number>;
  readonly openHttp: (
    faces: Pick<Kora, 'ledger' | 'payments'> & {
      readonly webhooks: Webhooks;
      readonly connectors: Connectors;
      readonly statements: Statements | undefined;
      readonly feeds?: Feeds;
      readonly reconciliation?: Reconciliation;
    },
    providers: Pick<Providers, 'callback'> | undefined,
  ) => Promise<number>;
}> {
  const [
    { startRpcDoor },
    { startStreamDoor },
    { authenticator },
    { tokenVerifier },
    { acceptedServiceKeysOf, serviceKeyOf },
    { rpcTlsOf },
  ] = await Promise.all([
    import('./gateway/rpc/rpc-door.ts'),
    import('./gateway/stream/index.ts'),
    import('./gateway/principal.ts'),
    import('./gateway/service-token.ts'),
    import('./service-key.ts'),
    import('./rpc-tls.ts'),
  ]);
  const { host } = config;
  const tokens = tokenVerifier(await acceptedServiceKeysOf(config));
  const tls = await rpcTlsOf(config);
  const trusted = authenticator({ services: tokens, users: identity.tokens });
  const stream = await startStreamDoor({
    ...streamOptionsOf(config),
    log: store.log,
    authenticator: trusted,
    logger,
  });
  stages.add('the stream is closed', () => stream.close());
  return {
    streamPort: stream.port,
    streamConnections: () => stream.feed.store.getSnapshot().context.sessions,
    openRpc: async (faces) => {
      const rpc = await startRpcDoor({
        runtime: byFace(faces),
        authenticator: trusted,
        log: logger,
        troubles: store.troubles,
        host,
        port: config.rpcPort,
        ...(tls && { tls }),
        limits: { noticeMs: config.drainNoticeMs },
        observer: seen.rpc,
      });
      stages.add('the rpc door is closed', () => rpc.close());
      return rpc.port;
    },
    openHttp: async (faces, providers) => {
      const [{ startHttpDoor }, { httpOptionsOf }] = await Promise.all([
        import('./gateway/http/http-door.ts'),
        import('./http-options.ts'),
      ]);
      const http = await startHttpDoor({
        ...(await httpOptionsOf(config, await serviceKeyOf(config))),
        ...faces,
        reconciliationUrl: config.reconciliationUrl,
        statements: faces.statements ?? noStatements,
        ...(providers && { providers }),
        identity,
        authenticator: trusted,
        pool: store.poolOf('gateway'),
        troubles: store.troubles,
        logger,
        observer: seen.http,
      });
      stages.add('the http door is closed', () => http.close());
      return http.port;
    },
  };
}
