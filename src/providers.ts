import { once } from 'node:events';
import { watch } from 'node:fs';
import { basename, dirname } from 'node:path';
import type { EventLog } from '../eventstore/index.ts';
import { Breakers } from './actors/breakers.ts';
import { Dispatcher } from './actors/dispatcher/dispatcher.ts';
import type { DispatcherOptions } from './actors/dispatcher/options.ts';
import type { Connectors } from './actors/dispatcher/ports.ts';
import { settlementOf, type Terms } from './actors/requests.ts';
import type { Runtime } from './actors/runtime.ts';
import {
  type BreakerState,
  CallLog,
  type ConnectorObserver,
  type ConnectorsConfig,
  ConnectorManager,
  connectorKinds,
  deskOf,
  PostgresNonces,
  readConnectorsConfig,
  SettlementCalendar,
  type StatementIntake,
  type Tracing,
  writeRegistry,
} from './connectors/index.ts';
import { notFound } from './machines/refusals.ts';
import type { Logger } from './platform/logging.ts';
import type { Stages } from './platform/stages.ts';
import { partitionOf, workOfProviders } from './projections/queries.ts';
import type { OpenedStore } from './store.ts';
import { callbackOutcome, statusSink } from './provider-callbacks.ts';
import type { Providers, ProviderTerms } from './provider-terms.ts';

/** Parts that the work is divided into: so many processes can share it. Their number is not to be changed lightly: leases are named after them. */
export const partitions = 4;

export interface ProvidersGround {
  readonly store: OpenedStore;
  readonly logger: Logger;
  readonly stages: Stages;
  /** The JSON document of profiles and connectors. */
  readonly file: string;
  readonly keepCallsDays: number;
  /** Payments at work with providers at a time, in all partitions that this process leads. */
  readonly inFlightMax: number;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly tracing?: (Tracing & { readonly traceId: () => string | undefined }) | undefined;
  readonly observers?: readonly ConnectorObserver[];
  /** Where connectors hand statements in. */
  readonly statements: StatementIntake | undefined;
  /** Told how a connector's breaker stands; undefined: there is no such connector any more. */
  readonly onBreaker?: (connectorId: string, state: BreakerState | undefined) => void;
  /** Leads this work while no other process does. */
  readonly lead: (name: string, work: (signal: AbortSignal) => Promise<void>) => { stop(): Promise<void> };
}

/** Opens the connectors of the document, and watches it: a changed one is taken while payments go on. */
export async function openProviders(
  ground: ProvidersGround,
  runtime: Runtime,
  terms: ProviderTerms,
  settleTerms: Terms,
): Promise<Providers> {
  const { store, logger, stages, file } = ground;
  const pool = store.poolOf('providers');
  const kinds = connectorKinds();
  const onTrouble = (error: unknown, what: string): void => logger.warn({ err: error }, what);

  const calls = new CallLog({ pool, keepDays: ground.keepCallsDays, onTrouble });
  await calls.maintain();
  const breakers: Breakers = new Breakers({
    runtime,
    terms: (id) => manager.config(id)?.breaker,
    onChange: ({ connectorId, state, reason }) => {
      ground.onBreaker?.(connectorId, state);
      const level = state === 'OPEN' ? 'warn' : 'info';
      logger[level]({ connector_id: connectorId, state, reason }, `the breaker is ${state}`);
    },
    onError: (error) => onTrouble(error, 'a breaker could not be written'),
  });
  const observers = [calls, ...(ground.observers ?? [])];
  const manager: ConnectorManager = new ConnectorManager({
    kinds,
    secrets: { env: ground.env },
    nonces: new PostgresNonces(pool),
    ...(ground.statements && { statements: deskOf(ground.statements) }),
    breaker: breakers,
    observer: { called: (call) => observers.forEach((one) => one.called(call)) },
    ...(ground.tracing && { tracing: ground.tracing }),
    onTrouble,
  });
  const apply = async (): Promise<void> => {
    const config = await readConnectorsConfig(file, kinds);
    const applied = await manager.apply(config);
    terms.take(config, calendarsOf(config));
    await writeRegistry(pool, config);
    await breakers.load(config.connectors.map(({ id }) => id));
    for (const { id } of config.connectors) ground.onBreaker?.(id, breakers.state(id));
    for (const id of applied.removed) ground.onBreaker?.(id, undefined);
    const { added, changed, removed } = applied;
    if (added.length + changed.length + removed.length > 0) logger.info({ added, changed, removed }, 'connectors');
  };
  await apply();
  const watching = watchFile(file, () => {
    apply().catch((error: unknown) => onTrouble(error, 'the changed connectors are not taken: the old ones go on'));
  });

  const connectors = connectorsOf(manager, breakers);
  const options = {
    runtime,
    connectors,
    settlesAt: (provider: string | undefined) => settlementOf(new Date(), provider, settleTerms),
    clock: systemClock,
    correlationOf: (paymentId: string) => correlationOf(store.log, paymentId),
    inFlightMax: Math.ceil(ground.inFlightMax / partitions),
    onError: (error: unknown) => onTrouble(error, 'payments wait for their providers'),
    ...(ground.tracing && { span: spanOf(ground.tracing), traceId: ground.tracing.traceId }),
  };
  /** Takes what providers say, also where another process leads. */
  const ear = new Dispatcher({ ...options, due: () => Promise.resolve([]) });
  const leading = new Map<number, Dispatcher>();
  const leaders: { stop(): Promise<void> }[] = [];
  const lead = (partition: number): void => {
    leaders.push(
      ground.lead(`dispatch-${partition}`, async (signal) => {
        const due: DispatcherOptions['due'] = (sort, after, limit) =>
          workOfProviders(store.poolOf('payments'), {
            sort,
            providers: manager.profiles().map(({ id }) => id),
            partitions,
            mine: [partition],
            after,
            limit,
          });
        const dispatcher = new Dispatcher({ ...options, due });
        leading.set(partition, dispatcher);
        dispatcher.start();
        if (!signal.aborted) await once(signal, 'abort');
        leading.delete(partition);
        await dispatcher.stop();
      }),
    );
  };
  stages.add('providers are left', async () => {
    watching.close();
    await Promise.all(leaders.map((leader) => leader.stop()));
    await ear.stop();
    await manager.close();
    await calls.close();
  });

  ground.statements?.tellStatuses(
    statusSink({
      connectorsOf: (profile) =>
        manager.views().flatMap(({ config }) => (config.profile === profile ? [config.id] : [])),
      slicesOf: async (payoutId) => (await runtime.payout(payoutId))?.slices.map(({ paymentId }) => paymentId),
      told: (paymentId, connectorId, outcome) => ear.told(paymentId, connectorId, outcome),
    }),
  );

  return {
    list: () =>
      Promise.all(
        manager.views().map(async ({ config: { id, type, profile } }) => ({
          ...(await runtime.connector(id)),
          type,
          profile,
        })),
      ),
    connector: async (id) => (manager.config(id) === undefined ? undefined : runtime.connector(id)),
    serves: (provider) => connectors.serves(provider),
    carryOut: (request, caller) => {
      const { connectorId } = request;
      return manager.config(connectorId) === undefined
        ? Promise.resolve({ ok: false, duplicate: false, refusal: notFound('connector', connectorId) })
        : runtime.operate(request, caller);
    },
    ask: (paymentId) => ear.askNow(paymentId),
    callback: async ({ connectorId, headers, body }) => {
      const verdict = await manager.callback(connectorId, { headers, body });
      if (verdict.outcome === 'refused') return verdict.code;
      const outcome = callbackOutcome(verdict.providerRef, verdict.status);
      if (outcome === undefined) return undefined;
      return (await ear.told(verdict.reference, connectorId, outcome)) ? undefined : 'UnknownPayment';
    },
    notice: (unit) => {
      breakers.notice(unit);
      for (const [partition, dispatcher] of leading)
        dispatcher.notice(unit, (id) => partitionOf(id, partitions) === partition);
    },
    start: () => {
      for (let partition = 0; partition < partitions; partition++) lead(partition);
    },
  };
}

function calendarsOf({ profiles }: ConnectorsConfig): ReadonlyMap<string, SettlementCalendar> {
  return new Map(
    profiles.flatMap(({ id, calendar }) =>
      calendar === undefined ? [] : [[id, new SettlementCalendar(calendar)] as const],
    ),
  );
}

/** The manager, as the dispatcher knows connectors. */
function connectorsOf(manager: ConnectorManager, breakers: Breakers): Connectors {
  return {
    admits: (id) => breakers.admits(id),
    serves: (profile) => manager.profile(profile) !== undefined,
    select: ({ rail, ...wanted }) => {
      const selection = manager.select({ ...wanted, ...(rail !== undefined && { rail }) });
      if (selection.outcome === 'none_fits') return 'none';
      if (selection.outcome === 'none_now') return 'none now';
      const [{ id, profile }] = selection.candidates;
      return { id, profile };
    },
    terms: (id) => {
      const config = manager.config(id);
      return config && { ...config.limits, ...config.capabilities };
    },
    send: (id, told) => manager.send(id, told),
    status: (id, reference, traceId) => manager.status(id, reference, { traceId, sliceId: traceId }),
  };
}

const systemClock = {
  now: () => new Date(),
  after: (ms: number, work: () => void) => {
    const timer = setTimeout(work, ms);
    return () => clearTimeout(timer);
  },
  random: () => Math.random(),
};

function spanOf(tracing: Tracing) {
  return <T>(name: string, attributes: Readonly<Record<string, string | number>>, work: () => Promise<T>): Promise<T> =>
    tracing.span(name, attributes, work);
}

/** Watches the folder, because a mounted file is replaced rather than written (Kubernetes links a new one into its place). */
function watchFile(file: string, changed: () => void): { close(): void } {
  let timer: NodeJS.Timeout | undefined;
  const watcher = watch(dirname(file), { persistent: false }, (_event, name) => {
    // The folder's link `..data` is what changes there.
    if (name !== null && name !== basename(file) && !name.startsWith('..')) return;
    clearTimeout(timer);
    // A file is written in pieces: it is read when it has been quiet for a moment.
    timer = setTimeout(changed, 200);
  });
  watcher.on('error', () => undefined);
  return {
    close: () => {
      clearTimeout(timer);
      watcher.close();
    },
  };
}

/** What tied the request that made a payment to others: its first unit has it. */
async function correlationOf(log: EventLog, paymentId: string): Promise<string | undefined> {
  for await (const row of log.readStream(`payment/${paymentId}`)) return row.meta.correlationId;
  return undefined;
}
