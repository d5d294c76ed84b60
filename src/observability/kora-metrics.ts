import { Registry } from 'prom-client';
import type { CommitTold } from '../../eventstore/index.ts';
import type { CommandObserver } from '../actors/runtime.ts';
import type { Answered } from '../gateway/door-observer.ts';
import type { Logger } from '../platform/logging.ts';
import { Counts } from '../platform/metrics/counts.ts';
import { type MetricsServer, startMetricsServer } from '../platform/metrics/metrics-server.ts';
import type { Export } from '../platform/tracing/told-exporter.ts';
import type { ProjectionLag } from '../projections/lag.ts';
import { commandMetrics, type RuntimeFigures, runtimeMetrics } from './command-metrics.ts';
import { type ConnectorMetrics, connectorMetrics } from './connector-metrics.ts';
import { httpMetrics, rpcMetrics, streamMetrics } from './door-metrics.ts';
import { type FeedLagFigures, feedMetrics } from './feed-metrics.ts';
import { logMetrics } from './log-metrics.ts';
import { type ReconciliationMetrics, reconciliationMetrics } from './reconciliation-metrics.ts';
import { pollMetrics, type StatementFigures, statementMetrics } from './statement-metrics.ts';
import {
  payoutSliceMetrics,
  type PendingSlices,
  projectionMetrics,
  troubleMetrics,
  type Untold,
  untoldMetrics,
} from './store-metrics.ts';

/** Parts of a running kora that have figures to read. */
export interface MeasuredParts {
  readonly runtime: RuntimeFigures;
  readonly streamConnections: () => number;
  readonly isTroubled: () => boolean;
  readonly projectionLag: () => Promise<ProjectionLag[]>;
}

/** The metrics of one kora: docs/observability.md says what each means. */
export interface KoraMetrics {
  readonly command: CommandObserver;
  readonly commit: (commit: CommitTold) => void;
  readonly http: (answered: Answered) => void;
  readonly rpc: (answered: Answered) => void;
  readonly connectors: ConnectorMetrics;
  readonly exported: (sent: Export) => void;
  /** Reads them whenever metrics are read. */
  measure(parts: MeasuredParts): void;
  /** Asks for the payout slices that are pending whenever metrics are read. */
  measurePayoutSlices(ask: () => Promise<readonly PendingSlices[]>): void;
  /** Asks for the figures of statements whenever metrics are read. */
  measureStatements(ask: () => Promise<StatementFigures>): void;
  /** A bank's server was looked at. */
  readonly statementsPolled: (profile: string, outcome: 'done' | 'failed') => void;
  /** Asks what waits to be told to others whenever metrics are read. */
  measureUntold(ask: () => Promise<Untold>): void;
  readonly reconciliation: ReconciliationMetrics;
  /** Reads how far reconciliation is behind its feeds whenever metrics are read. */
  measureFeeds(read: () => readonly FeedLagFigures[]): void;
  /** @throws what listening throws */
  serve(where: { readonly host: string; readonly port: number }): Promise<MetricsServer>;
}

export function createMetrics(logger: Logger): KoraMetrics {
  const registry = new Registry();
  const spans = new Counts(registry, {
    name: 'kora_spans_total',
    help: 'Spans of traces, by what became of them: sent, lost',
    labels: ['outcome'],
  });
  const onSilence = (error: unknown): void => logger.debug({ err: error }, 'metrics: the database does not answer');
  return {
    command: commandMetrics(registry),
    commit: logMetrics(registry),
    http: httpMetrics(registry),
    rpc: rpcMetrics(registry),
    connectors: connectorMetrics(registry),
    exported: ({ spans: number, error }) => {
      spans.of(error === undefined ? 'sent' : 'lost').value += number;
    },
    measure: ({ runtime, streamConnections, isTroubled, projectionLag }) => {
      runtimeMetrics(registry, runtime);
      streamMetrics(registry, streamConnections);
      troubleMetrics(registry, isTroubled);
      projectionMetrics(registry, projectionLag, { onSilence });
    },
    measureStatements: (ask) => statementMetrics(registry, ask, { onSilence }),
    statementsPolled: pollMetrics(registry),
    measurePayoutSlices: (ask) => payoutSliceMetrics(registry, ask, { onSilence }),
    measureFeeds: (read) => feedMetrics(registry, read),
    measureUntold: (ask) => untoldMetrics(registry, ask, { onSilence }),
    reconciliation: reconciliationMetrics(registry, { onSilence }),
    serve: ({ host, port }) =>
      startMetricsServer({
        registry,
        host,
        port,
        onError: (error) => logger.error({ err: error }, 'metrics could not be read'),
      }),
  };
}
