import type { Registry } from 'prom-client';
import { gaugeOf } from '../platform/metrics/readings.ts';

export interface FeedLagFigures {
  readonly feed: string;
  /** Undefined: the core has not answered yet. */
  readonly events: number | undefined;
  readonly seconds: number;
}

/** How far reconciliation is behind what it is fed with, in the process that takes it in. */
export function feedMetrics(registry: Registry, read: () => readonly FeedLagFigures[]): void {
  gaugeOf(
    registry,
    {
      name: 'kora_reconciliation_lag_events',
      help: 'Events of a feed that reconciliation has not taken yet, when the core last answered',
      labels: ['feed'],
    },
    () => read().flatMap(({ feed, events }) => (events === undefined ? [] : [{ labels: { feed }, value: events }])),
  );
  gaugeOf(
    registry,
    {
      name: 'kora_reconciliation_lag_seconds',
      help: 'Since reconciliation last had everything of a feed; grows while the core does not answer',
      labels: ['feed'],
    },
    () => read().map(({ feed, seconds }) => ({ labels: { feed }, value: seconds })),
  );
}
