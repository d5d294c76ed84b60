import { startObservability } from './observability/index.ts';
import type { KoraConfig } from './platform/config.ts';
import type { Logger } from './platform/logging.ts';
import { Stages, startedOrStopped } from './platform/stages.ts';
import { reconcileApart } from './reconciling.ts';

/** Reconciliation as a process of its own. */
export interface Reconciler {
  readonly metricsPort: number | undefined;
  /** What is at work is finished, and its place is kept. */
  close(): Promise<void>;
}

/** @throws where something is not configured, or a database or the rules cannot be read */
export async function startReconciler(config: KoraConfig, logger: Logger): Promise<Reconciler> {
  const stages = new Stages();
  const metricsPort = await startedOrStopped(stages, async () => {
    const seen = await startObservability(config, { logger, stages, measured: true });
    await reconcileApart({
      ...{ config, logger, stages },
      onLag: (feed, events) => seen.metrics?.feedLag(feed, events),
      ...(seen.metrics && { measures: seen.metrics.reconciliation }),
    });
    return seen.serveMetrics();
  });
  return { metricsPort, close: () => stages.stop() };
}
