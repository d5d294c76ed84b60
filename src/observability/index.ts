import { randomUUID } from 'node:crypto';
import packageJson from '../../package.json' with { type: 'json' };
import { Runtime, type RuntimeOptions } from '../actors/runtime.ts';
import type { DoorObserver } from '../gateway/door-observer.ts';
import type { KoraConfig } from '../platform/config.ts';
import type { Logger } from '../platform/logging.ts';
import type { Stages } from '../platform/stages.ts';
import { noSpans, type Spans, type Tracing } from '../platform/tracing/span.ts';
import { type ConnectorCall, connectorLog } from './connector-log.ts';
import type { ConnectorMetrics } from './connector-metrics.ts';
import { exportTeller } from './export-teller.ts';
import type { KoraMetrics, MeasuredParts } from './kora-metrics.ts';

/** What looks at kora from outside: metrics, traces, and the lines of what it does elsewhere. */
export interface Observability {
  /** Undefined where they are not served: then nothing is counted. */
  readonly metrics: KoraMetrics | undefined;
  /** Spans for whoever has work to show: around nothing where nobody traces. */
  readonly spans: Spans;
  readonly http: DoorObserver;
  readonly rpc: DoorObserver;
  readonly connectors: ConnectorObserver;
  /** A runtime that is looked at. */
  runtime(options: RuntimeOptions): Runtime;
  /**
   * Serves the metrics, where they are wanted. Before the doors open, so that it ends after them.
   *
   * @returns the port
   * @throws what listening throws (`EADDRINUSE` …)
   */
  serveMetrics(): Promise<number | undefined>;
  /** Reads the figures of these parts from now on, whenever metrics are read. */
  measure(parts: MeasuredParts): void;
}

/** What connectors tell: of every call a line, a count and how long it took; of breakers their state. */
export interface ConnectorObserver {
  called(call: ConnectorCall): void;
  readonly circuit: ConnectorMetrics['circuit'];
}

interface ObservabilityOptions {
  readonly logger: Logger;
  readonly stages: Stages;
  readonly measured: boolean;
  /** What this process is called in traces. Default `kora`. */
  readonly service?: string;
}

/**
 * Starts what is configured. To be called before everything else, so that it ends last: what happens while kora stops is
 * told too.
 *
 * @param measured whether somebody may ask for metrics: where there are doors
 */
export async function startObservability(
  config: KoraConfig,
  { logger, stages, measured, service = 'kora' }: ObservabilityOptions,
): Promise<Observability> {
  const { host, metricsPort, otlpUrl } = config;
  // Loaded where it is wanted, as OpenTelemetry below: most commands of the command line need neither.
  const metrics =
    measured && metricsPort !== 'off' ? (await import('./kora-metrics.ts')).createMetrics(logger) : undefined;
  const tracing = otlpUrl === undefined ? undefined : await startTracing(otlpUrl, config, { service, logger, metrics });
  if (tracing !== undefined) stages.add('traces are sent', () => tracing.close());
  const TracedRuntime = tracing && (await import('./traced-runtime.ts')).TracedRuntime;
  const logCall = connectorLog(logger);
  return {
    metrics,
    spans: tracing ?? noSpans,
    http: { answered: metrics?.http, tracing },
    rpc: { answered: metrics?.rpc, tracing },
    connectors: {
      called: (call) => {
        metrics?.connectors.called(call);
        logCall(call);
      },
      circuit: (connectorId, state) => metrics?.connectors.circuit(connectorId, state),
    },
    runtime: (options) => {
      const observed = { ...options, onAnswer: metrics?.command };
      return tracing && TracedRuntime ? new TracedRuntime(observed, tracing) : new Runtime(observed);
    },
    serveMetrics: async () => {
      if (metrics === undefined || metricsPort === 'off') return undefined;
      const server = await metrics.serve({ host, port: metricsPort });
      stages.add('metrics are served no more', () => server.close());
      return server.port;
    },
    measure: (parts) => metrics?.measure(parts),
  };
}

async function startTracing(
  url: string,
  { traceRatio: ratio }: KoraConfig,
  told: { readonly service: string; readonly logger: Logger; readonly metrics: KoraMetrics | undefined },
): Promise<Tracing> {
  const { service, logger, metrics } = told;
  const { startOtelTracing } = await import('../platform/tracing/otel-tracing.ts');
  const tell = exportTeller(logger);
  return startOtelTracing({
    url,
    service,
    ratio,
    version: packageJson.version,
    instanceId: randomUUID(),
    onExport: (sent) => {
      metrics?.exported(sent);
      tell(sent);
    },
  });
}
