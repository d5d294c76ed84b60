import type { RecordedRow } from '../../eventstore/index.ts';
import type { ConnectorFact } from '../machines/connector/connector.facts.ts';
import { currentEvents } from '../machines/fact-codec.ts';
import { categoryOf, idOf } from '../machines/streams.ts';
import { type EventOf, lastPositionOf, lastVersionOf, recordedAtOf } from './facts.ts';
import type { Projection } from './projection.ts';
import { defineTable } from './table.ts';

export const connectorStatesTable = defineTable({
  name: 'connector_states',
  key: ['id'],
  columns: {
    id: { type: 'text' },
    circuit_breaker_state: { type: 'text' },
    /** Failures in a row that opened it; 0 when it is closed. */
    failure_count: { type: 'integer' },
    /** When test calls may begin; empty when it is not open, or was opened by a person. */
    open_until: { type: 'text' },
    /** Why it is not closed; empty when it is. */
    reason: { type: 'text' },
    forced: { type: 'boolean' },
    version: { type: 'bigint' },
    updated_at: { type: 'timestamptz' },
    position: { type: 'bigint' },
  },
});

/** How the breaker of every connector stands that ever opened. */
export const connectorStatesProjection: Projection = {
  name: 'connector_states',
  version: 1,
  tables: [connectorStatesTable],
  module: 'providers',
  fold(unit, changes) {
    for (const row of unit.rows) {
      if (categoryOf(row.stream) !== 'connector') continue;
      const after = lastOf(row)?.data.after;
      if (after === undefined) throw new Error(`the last fact of ${row.stream} does not carry the connector after it`);
      changes.set(connectorStatesTable, [idOf(row.stream)], {
        circuit_breaker_state: after.state,
        failure_count: after.failures,
        open_until: after.openUntil ?? '',
        reason: after.reason ?? '',
        forced: after.forced === true,
        version: lastVersionOf(row),
        updated_at: recordedAtOf(unit),
        position: lastPositionOf(row),
      });
    }
  },
};

function lastOf(row: RecordedRow): EventOf<ConnectorFact> | undefined {
  return (currentEvents(row) as readonly EventOf<ConnectorFact>[]).at(-1);
}
