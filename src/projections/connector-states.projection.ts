import { categoryOf, idOf } from '../machines/streams.ts';
import { connectorEvents, lastPositionOf, lastVersionOf, recordedAtOf } from './facts.ts';
import { defineTable } from './table.ts';
import type { Projection } from './projection.ts';

export const connectorStatesTable = defineTable({
  name: 'connector_states',
  key: ['id'],
  columns: {
    id: { type: 'text' },
    /** CLOSED, OPEN or HALF_OPEN. */
    circuit_breaker_state: { type: 'text' },
    failure_count: { type: 'integer' },
    open_until: { type: 'timestamptz' },
    /** Why it is not closed. */
    reason: { type: 'text' },
    /** A person opened it. */
    forced: { type: 'boolean' },
    version: { type: 'bigint' },
    updated_at: { type: 'timestamptz' },
    position: { type: 'bigint' },
  },
});

/** Every connector whose breaker was ever anything but closed, as its last fact says. */
export const connectorStatesProjection: Projection = {
  name: 'connector_states',
  version: 1,
  tables: [connectorStatesTable],
  module: 'providers',
  fold(unit, changes) {
    for (const row of unit.rows) {
      if (categoryOf(row.stream) !== 'connector') continue;
      const after = connectorEvents(row).at(-1)?.data.after;
      if (after === undefined) throw new Error(`the last fact of ${row.stream} does not carry the connector after it`);
      const key = [idOf(row.stream)];
      // Anew, because what does not apply any more is null again.
      changes.delete(connectorStatesTable, key);
      changes.set(connectorStatesTable, key, {
        circuit_breaker_state: after.state,
        failure_count: after.failures,
        open_until: after.openUntil,
        reason: after.reason,
        forced: after.forced ?? false,
        version: lastVersionOf(row),
        updated_at: recordedAtOf(unit),
        position: lastPositionOf(row),
      });
    }
  },
};
