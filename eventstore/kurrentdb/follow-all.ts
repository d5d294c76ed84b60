import type { KurrentDBClient } from '@kurrent/kurrentdb-client';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Position, RecordedUnit } from '../event-log.ts';
import type { LogReader } from './log-reader.ts';
import { incomingEvent } from './stored-form.ts';
import { isUnavailable } from './unavailable.ts';
import { UnitAssembler } from './unit-assembler.ts';

/** Before a server that is away is asked again. */
const waitMs = 200;

/**
 * Whole units after a position: what is there, then what comes, by one subscription of the server, which makes no seam.
 * When it breaks, the next one begins at the end of the last whole unit; half a unit that had come is thrown away.
 */
export async function* followAll(
  client: KurrentDBClient,
  reader: LogReader,
  after: Position,
  signal: AbortSignal,
): AsyncGenerator<RecordedUnit, void, undefined> {
  const ended = (): boolean => signal.aborted;
  let reached = after;
  while (!ended()) {
    try {
      for await (const unit of subscription(client, reader, reached, signal)) {
        if (ended()) return;
        yield unit;
        reached = unit.lastPosition;
      }
    } catch (error) {
      if (ended()) return;
      if (!isUnavailable(error)) throw error;
    }
    if (!ended()) await sleep(waitMs, undefined, { signal }).catch(() => undefined);
  }
}

async function* subscription(
  client: KurrentDBClient,
  reader: LogReader,
  after: Position,
  signal: AbortSignal,
): AsyncGenerator<RecordedUnit, void, undefined> {
  const from = await reader.boundaryAtOrBefore(after);
  if (signal.aborted) return;
  const fromPosition = from === 'start' ? from : { commit: BigInt(from), prepare: BigInt(from) };
  const events = client.subscribeToAll({ fromPosition, filter: reader.filter });
  // Cancelling the call alone leaves whoever waits for the next event waiting.
  const stop = (): void => {
    events.destroy();
    events.unsubscribe().catch(() => undefined);
  };
  signal.addEventListener('abort', stop, { once: true });
  try {
    const assembler = new UnitAssembler();
    for await (const { event } of events) {
      const incoming = incomingEvent(event, reader.names);
      if (incoming === undefined) continue;
      const unit = assembler.take(incoming);
      if (unit === undefined) continue;
      reader.passed(unit.lastPosition);
      if (unit.lastPosition > after) yield unit;
    }
  } finally {
    signal.removeEventListener('abort', stop);
    stop();
  }
}
