import { identityAtCore } from './identity-at-core.ts';
import { startReconciliationDoor } from './gateway/http/http-door.ts';
import { httpOptionsOf } from './http-options.ts';
import { startObservability } from './observability/index.ts';
import type { KoraConfig } from './platform/config.ts';
import { giveWay } from './platform/give-way.ts';
import type { Logger } from './platform/logging.ts';
import { Stages, startedOrStopped } from './platform/stages.ts';
import { reconcileApart } from './reconciling.ts';
import { type CoreLink, FeedLags } from './reconciliation/index.ts';
import { serviceKeyOf } from './service-key.ts';

/** Reconciliation as a process of its own. */
export interface Reconciler {
  /** Where cases and reports are. */
  readonly httpPort: number;
  readonly metricsPort: number | undefined;
  /** What is at work is finished, and its place is kept. */
  close(): Promise<void>;
}

/** @throws where something is not configured, or a database or the rules cannot be read */
export async function startReconciler(config: KoraConfig, logger: Logger): Promise<Reconciler> {
  // A night's file can wait for payments, where both are on one machine.
  giveWay();
  const stages = new Stages();
  const ports = await startedOrStopped(stages, async () => {
    const seen = await startObservability(config, { logger, stages, measured: true, service: 'kora-reconciliation' });
    const lags = new FeedLags();
    seen.metrics?.measureFeeds(() => lags.figures(new Date()));
    const metricsPort = await seen.serveMetrics();
    const { reconciliation, core, pool } = await reconcileApart({
      ...{ config, logger, stages, lags, spans: seen.spans },
      ...(seen.metrics && { measures: seen.metrics.reconciliation }),
    });
    const door = await startReconciliationDoor({
      ...(await httpOptionsOf(config, await serviceKeyOf(config))),
      ...identityAtCore(core),
      reconciliation,
      pool,
      core: () => whyNoCore(core),
      logger,
      observer: seen.http,
    });
    stages.add('the http door is closed', () => door.close());
    return { httpPort: door.port, metricsPort };
  });
  return { ...ports, close: () => stages.stop() };
}

/** For everybody to read: where the core is, and what it says, is in the log. */
export async function whyNoCore(core: CoreLink): Promise<string | undefined> {
  try {
    // What a person's request needs of it: a token that is none is judged, and is no good.
    const body = { token: 'none' };
    await core.ask({
      method: 'POST',
      path: '/v1/identity/verify-token',
      body,
      correlationId: 'reconciliation:readiness',
      timeoutMs: 1_000,
    });
    return undefined;
  } catch {
    return 'the core does not answer, or does not let this process in';
  }
}
