import { readFile } from 'node:fs/promises';
import pg from 'pg';
import { PostgresLog } from '../eventstore/index.ts';
import { caseTermsFrom } from './case-options.ts';
import type { Caller, KoraRequest } from './actors/requests.ts';
import type { Outcome, Runtime } from './actors/runtime.ts';
import type { StatementIntake } from './connectors/index.ts';
import { eventsSecretOf } from './events-secret.ts';
import type { Connectors } from './gateway/connectors.ts';
import type { Feeds } from './gateway/feeds.ts';
import { issueServiceToken } from './gateway/service-token.ts';
import type { PaymentKind } from './machines/payment/payment.facts.ts';
import type { KoraConfig } from './platform/config.ts';
import type { Logger } from './platform/logging.ts';
import { migrate } from './platform/postgres/migrate.ts';
import { migrationSets } from './platform/migrations.ts';
import type { Stages } from './platform/stages.ts';
import type { Spans } from './platform/tracing/span.ts';
import type { Reconciliation } from './gateway/reconciliation.ts';
import {
  type CaseFigures,
  caseFigures,
  type Core,
  type CoreAnswer,
  type CoreLink,
  coreLink,
  CoreUnreachableError,
  checkRulesUsed,
  createCases,
  createReports,
  defaultRules,
  type FeedLags,
  type FeedSource,
  type Finding,
  httpCore,
  httpReportPorts,
  httpSource,
  keepCases,
  postgresDecisions,
  readRules,
  reconcile,
  reconciliationMigrations,
  type ReportPorts,
} from './reconciliation/index.ts';
import { serviceKeyOf } from './service-key.ts';
import { coreTlsOf } from './tls-files.ts';

export interface ReconcilingGround {
  readonly config: KoraConfig;
  readonly logger: Logger;
  readonly stages: Stages;
  readonly lags: FeedLags;
  /** Around what the core is had to do: its own spans are inside of them. */
  readonly spans: Spans;
  readonly measures?: ReconciliationMeasures;
}

/** Where reconciliation is measured: it tells what it did, and is asked for its open cases. */
export interface ReconciliationMeasures {
  readonly settled: (profile: string, delaySeconds: number) => void;
  readonly found: (finding: Finding) => void;
  readonly cases: (ask: () => Promise<CaseFigures[]>) => void;
}

/** Reconciles in the process of the core, which it asks directly. */
export async function reconcileHere(
  ground: ReconcilingGround & {
    readonly feeds: Feeds;
    readonly statements: Pick<StatementIntake, 'mark'>;
    readonly runtime: Pick<Runtime, 'execute' | 'payment'>;
    readonly connectors: Pick<Connectors, 'ask'>;
    /** The core's, in whose server the embedded one is made. */
    readonly coreDatabase: pg.PoolConfig;
    readonly report: ReportPorts;
  },
): Promise<Reconciliation> {
  const { config, feeds, runtime, connectors, coreDatabase, statements, report } = ground;
  const database = await ownDatabase(config, coreDatabase);
  return start(
    { ...ground, database },
    { read: (feed, after, limit) => feeds.read(feed, after, limit) },
    directCore(runtime, statements, connectors),
    report,
  );
}

/** Reconciliation in a process of its own. */
export interface Apart {
  readonly reconciliation: Reconciliation;
  readonly core: CoreLink;
  /** Reconciliation's own database: its door keeps there what doors keep. */
  readonly pool: pg.Pool;
}

/** Reconciles in a process of its own, with a database of its own: it reads the core's feeds, and commands it as a service. */
export async function reconcileApart(ground: ReconcilingGround): Promise<Apart> {
  const { config, spans } = ground;
  const { coreUrl: url } = config;
  if (url === undefined)
    throw new Error('KORA_CORE_URL is not set: say where the http door of the core is, as https://host:port');
  const key = await serviceKeyOf(config);
  const token = tokens(() =>
    issueServiceToken({
      key,
      service: 'reconciliation',
      tenant: 'kora',
      ttlSeconds: 600,
      scopes: [
        ...(['feeds:read', 'payments:read', 'payments:settle', 'payments:write', 'ledger:correct'] as const),
        ...(['accounts:read', 'identity:verify'] as const),
      ],
    }),
  );
  const core = coreLink({ url, token, tls: await coreTlsOf(config), traceparent: () => spans.traceparent() });
  ground.stages.add('the core is not asked any more', () => {
    core.close();
    return Promise.resolve();
  });
  const database = await ownDatabase(config);
  const { pool, ...reconciliation } = await start(
    { ...ground, database, migrations: ['gateway'] },
    httpSource(core),
    httpCore(core),
    httpReportPorts(core),
  );
  return { reconciliation, core, pool };
}

/** The name of reconciliation's database in the embedded server of the core. */
export const EMBEDDED = 'kora_reconciliation';

/** Reconciliation's own database; where it is to be embedded, in the embedded server of the core, made at first need. */
async function ownDatabase(config: KoraConfig, coreDatabase?: pg.PoolConfig): Promise<pg.PoolConfig> {
  const { reconciliationDatabaseUrl: url, databaseUrl } = config;
  const always = { keepAlive: true, connectionTimeoutMillis: 10_000 };
  if (url === undefined)
    throw new Error('KORA_RECONCILIATION_DATABASE_URL is not set: reconciliation has a database of its own');
  if (url === databaseUrl)
    throw new Error('KORA_RECONCILIATION_DATABASE_URL is the database of the core: give reconciliation one of its own');
  if (url !== 'embedded') return { connectionString: url, ...always };
  if (databaseUrl !== undefined || coreDatabase === undefined)
    throw new Error('KORA_RECONCILIATION_DATABASE_URL is embedded, and the PostgreSQL is not: give it a URL');
  const client = new pg.Client(coreDatabase);
  await client.connect();
  try {
    const { rowCount } = await client.query('select from pg_database where datname = $1', [EMBEDDED]);
    if (rowCount === 0) await client.query(`create database ${EMBEDDED}`);
  } finally {
    await client.end();
  }
  return { ...coreDatabase, database: EMBEDDED, ...always };
}

async function start(
  ground: ReconcilingGround & { readonly database: pg.PoolConfig; readonly migrations?: readonly string[] },
  source: FeedSource,
  core: Core,
  report: ReportPorts,
): Promise<Reconciliation & { readonly pool: pg.Pool }> {
  const { config, logger, stages, lags, spans, measures, database, migrations = [] } = ground;
  const { reconciliationRules } = config;
  const terms = caseTermsFrom(config);
  const rules =
    reconciliationRules === undefined
      ? defaultRules()
      : readRules(JSON.parse(await readFile(reconciliationRules, 'utf8')));
  const migrator = new pg.Client({ ...database, application_name: 'kora-migrate' });
  await migrator.connect();
  try {
    const sets = migrationSets.filter(({ module }) => ['eventstore', ...migrations].includes(module));
    await migrate(migrator, [...sets, reconciliationMigrations]);
    await checkRulesUsed(migrator, rules);
  } finally {
    await migrator.end();
  }
  const pool = new pg.Pool({ ...database, max: 8, application_name: 'kora-reconciliation' });
  pool.on('error', (error) => logger.debug({ err: error }, 'an idle connection broke'));
  const log = new PostgresLog({ config: database });
  const over = new AbortController();
  const cases = createCases({ pool, log, core, decisions: postgresDecisions(pool), terms });
  const kept = keepCases(cases, over.signal, (error) => logger.warn({ err: error }, 'cases do not go on'));
  const done = reconcile({
    pool,
    log,
    source,
    core,
    rules,
    secrets: [await eventsSecretOf(config)],
    signal: over.signal,
    lags,
    spans,
    ...(measures && { onSettled: measures.settled, onFinding: measures.found }),
    onError: (error, what) => logger.warn({ err: error }, what),
  });
  measures?.cases(() => caseFigures(pool));
  stages.add('nothing more is reconciled', async () => {
    over.abort();
    await done;
    await kept;
    await log.close();
    await pool.end();
  });
  return { cases, reports: createReports(pool, report), pool };
}

/** A token for as long as it is good, and then a new one. */
function tokens(issue: () => Promise<string>): () => Promise<string> {
  let current: { readonly token: Promise<string>; readonly until: number } | undefined;
  return () => {
    if (current === undefined || Date.now() > current.until) current = { token: issue(), until: Date.now() + 300_000 };
    return current.token;
  };
}

/** The core in this very process, commanded as the service that it would be in another. */
function directCore(
  runtime: Pick<Runtime, 'execute' | 'payment'>,
  statements: Pick<StatementIntake, 'mark'>,
  connectors: Pick<Connectors, 'ask'>,
): Core {
  const asked = async (request: KoraRequest, key: string): Promise<CoreAnswer> => {
    const caller: Caller = {
      tenant: 'kora',
      principal: 'service:reconciliation',
      correlationId: `reconciliation:${key}`,
    };
    return answerOf(await runtime.execute(request, caller));
  };
  return {
    settle: async ({ key, paymentId, instructed, providerRef, providerFee }) => {
      const of = { paymentId, idempotencyKey: key, providerFee };
      const answer = await asked(
        instructed ? { type: 'Resolve', ...of, outcome: 'settled', providerRef } : { type: 'Settle', ...of },
        key,
      );
      if (answer.outcome === 'done') return answer;
      // Somebody settled it before: it is linked, and that is all.
      const isSettled = (await runtime.payment(paymentId))?.status === 'SETTLED';
      return isSettled ? { outcome: 'done', paymentId } : answer;
    },
    ask: async (paymentId) => {
      const answer = await connectors.ask(paymentId);
      return answer.outcome === 'asked' ? { outcome: 'done', said: answer.said } : answer;
    },
    mark: (marks) => statements.mark(marks),
    book: ({ key, kind, ...booking }) =>
      asked({ type: 'Pay', idempotencyKey: key, kind: kind as PaymentKind, upTo: 'SETTLED', ...booking }, key),
  };
}

function answerOf(outcome: Outcome): CoreAnswer {
  if (outcome.ok) return { outcome: 'done', paymentId: outcome.payment?.paymentId ?? '' };
  const { code, message } = outcome.refusal;
  if (code === 'Overloaded' || code === 'Contended') throw new CoreUnreachableError(`the core answers ${code}`);
  return { outcome: 'refused', code, message };
}
