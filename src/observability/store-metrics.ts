import type { Registry } from 'prom-client';
import { Asked, type AskedOptions, gaugeOf } from '../platform/metrics/readings.ts';
import type { ProjectionLag } from '../projections/lag.ts';

/** How far projections are behind the log, asked of the database. */
export function projectionMetrics(
  registry: Registry,
  ask: () => Promise<ProjectionLag[]>,
  options: AskedOptions,
): void {
  const lag = new Asked(ask, options);
  const labels = ['projection'] as const;
  lag.gauge(
    registry,
    { name: 'kora_projection_lag_events', help: 'Events of the log that a projection has not taken yet', labels },
    (all) => all.map(({ projection, eventsBehind }) => ({ labels: { projection }, value: eventsBehind })),
  );
  lag.gauge(
    registry,
    { name: 'kora_projection_lag_seconds', help: 'Since the oldest of them was recorded; 0 without any', labels },
    (all) => all.map(({ projection, secondsBehind }) => ({ labels: { projection }, value: secondsBehind })),
  );
  lag.gauge(
    registry,
    { name: 'kora_projection_stopped', help: '1: it stopped at an event, and waits for somebody', labels },
    (all) => all.map(({ projection, error }) => ({ labels: { projection }, value: error === undefined ? 0 : 1 })),
  );
}

/** Whether the store is in trouble: then commands wait, and later are refused. */
export function troubleMetrics(registry: Registry, isTroubled: () => boolean): void {
  gaugeOf(
    registry,
    { name: 'kora_store_trouble', help: '1: the database or the log does not do what it is asked', labels: [] },
    () => [{ labels: {}, value: isTroubled() ? 1 : 0 }],
  );
}

export interface PendingSlices {
  readonly currency: string;
  readonly pending: number;
}

/** Slices that wait to be sent: `select currency, count(*) from payout_slices where status = 'pending' group by 1`. */
export function payoutSliceMetrics(
  registry: Registry,
  ask: () => Promise<readonly PendingSlices[]>,
  options: AskedOptions,
): void {
  new Asked(ask, options).gauge(
    registry,
    {
      name: 'molam_payout_slices_pending',
      help: 'Payout slices that are pending, by currency',
      labels: ['currency'],
    },
    (all) => all.map(({ currency, pending }) => ({ labels: { currency }, value: pending })),
  );
}

/** What waits to be told to others. */
export interface Untold {
  readonly pending: number;
  readonly dead: number;
  readonly oldestPendingAt?: Date;
  /** Events of the log, by reader. */
  readonly behind: Readonly<Record<string, number>>;
}

/** Webhooks and publishers: what waits, what was given up, and how far behind the log they are. */
export function untoldMetrics(registry: Registry, ask: () => Promise<Untold>, options: AskedOptions): void {
  const asked = new Asked(ask, options);
  asked.gauge(
    registry,
    { name: 'kora_webhook_deliveries', help: 'Deliveries that wait, or were given up', labels: ['status'] },
    ({ pending, dead }) => [
      { labels: { status: 'pending' }, value: pending },
      { labels: { status: 'dead' }, value: dead },
    ],
  );
  asked.gauge(
    registry,
    { name: 'kora_webhook_oldest_seconds', help: 'Since what waits longest to be delivered was recorded', labels: [] },
    ({ oldestPendingAt }) => [
      { labels: {}, value: oldestPendingAt === undefined ? 0 : (Date.now() - oldestPendingAt.getTime()) / 1_000 },
    ],
  );
  asked.gauge(
    registry,
    { name: 'kora_events_untold', help: 'Events of the log that a reader has not taken yet', labels: ['reader'] },
    ({ behind }) => Object.entries(behind).map(([reader, value]) => ({ labels: { reader }, value })),
  );
}
