import { Counter, type Registry, Summary } from 'prom-client';
import { gaugeOf } from '../platform/metrics/readings.ts';
import type { ConnectorCall } from './connector-log.ts';

export type CircuitState = 'CLOSED' | 'HALF_OPEN' | 'OPEN';

/** What a breaker's state is in figures: the higher, the worse. */
const circuitFigures: Readonly<Record<CircuitState, number>> = { CLOSED: 0, HALF_OPEN: 1, OPEN: 2 };

export interface ConnectorMetrics {
  /** A connector was called, and has answered or not. */
  called(call: Pick<ConnectorCall, 'connector_id' | 'operation' | 'status' | 'duration_ms'>): void;
  /** Its breaker is in this state now; undefined: there is no such connector any more. */
  circuit(connectorId: string, state: CircuitState | undefined): void;
}

/** The metrics of connectors. Names and labels are the specification's, letter for letter. */
export function connectorMetrics(registry: Registry): ConnectorMetrics {
  const registers = [registry];
  const requests = new Counter({
    name: 'molam_bank_connector_requests_total',
    help: 'Calls of a connector, by operation and by what became of them',
    labelNames: ['connector', 'operation', 'status'],
    registers,
  });
  const latency = new Summary({
    name: 'molam_bank_connector_latency_seconds',
    help: 'How long calls of a connector took, in the last ten minutes',
    labelNames: ['connector'],
    percentiles: [0.5, 0.9, 0.95, 0.99],
    maxAgeSeconds: 600,
    ageBuckets: 5,
    pruneAgedBuckets: true,
    registers,
  });
  const circuits = new Map<string, CircuitState>();
  gaugeOf(
    registry,
    {
      name: 'molam_bank_connector_circuit_state',
      help: 'State of the circuit breaker of a connector: 0 CLOSED, 1 HALF_OPEN, 2 OPEN',
      labels: ['connector'],
    },
    () => [...circuits].map(([connector, state]) => ({ labels: { connector }, value: circuitFigures[state] })),
  );
  return {
    called: ({ connector_id: connector, operation, status, duration_ms: tookMs }) => {
      requests.inc({ connector, operation, status });
      latency.observe({ connector }, tookMs / 1_000);
    },
    circuit: (connectorId, state) => {
      if (state === undefined) circuits.delete(connectorId);
      else circuits.set(connectorId, state);
    },
  };
}
