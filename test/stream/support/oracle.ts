import type { EventLog, RecordedUnit } from '../../../eventstore/index.ts';
import type { ReceivedEvent } from './client.ts';

/** What a client of a topic has to see, in as few words as possible; made from the log by other code than the door's. */
export interface Expected {
  readonly position: number;
  readonly version: number;
  readonly type: string;
  readonly id: string;
}

export async function expectedOf(log: EventLog, topic: string, after = 0): Promise<Expected[]> {
  const expected: Expected[] = [];
  for await (const unit of log.readAll(0)) expected.push(...eventsOf(unit, topic).filter((e) => e.position > after));
  return expected;
}

export function eventsOf(unit: RecordedUnit, topic: string): Expected[] {
  const [category, id] = topic.split('/', 2);
  return unit.rows.flatMap((row) => {
    const [rowCategory, rowId = ''] = row.stream.split('/', 2);
    const wanted =
      category === 'payments'
        ? rowCategory === 'payment'
        : rowId === id && (category === rowCategory || (category === 'account' && rowCategory === 'system'));
    if (!wanted) return [];
    return row.events.map(({ type }, index) => ({
      position: row.position + index,
      version: row.version + index,
      type,
      id: rowId,
    }));
  });
}

export function seen(events: readonly ReceivedEvent[]): Expected[] {
  return events.map(({ position, version, type, paymentId, accountId, payoutId, connectorId }) => ({
    position,
    version,
    type,
    id: paymentId ?? accountId ?? payoutId ?? connectorId ?? '',
  }));
}
