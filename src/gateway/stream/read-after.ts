import type { EventLog, Position, StreamId, StreamRow } from '../../../eventstore/index.ts';
import { lastPositionOf, paymentsFrame, rowFrame, type Frame } from './frames.ts';
import type { Topic } from './topics.ts';

/** A step of a catch-up: everything of the topic up to `position` is in this frame and those before it. */
export interface Step {
  readonly position: Position;
  readonly frame: Frame | undefined;
}

/** Everything of a topic after a position, up to what is durable when it gets there, without holding the log in memory. */
export async function* readAfter(log: EventLog, topic: Topic, after: Position): AsyncGenerator<Step, void, undefined> {
  if (topic.kind === 'payments') {
    for await (const unit of log.readAll(after)) {
      yield { position: unit.lastPosition, frame: paymentsFrame(unit, after) };
    }
    return;
  }
  const version = await versionBefore(log, topic.stream, after);
  if (version === undefined) return;
  for await (const row of log.readStream(topic.stream, version)) {
    yield { position: lastPositionOf(row), frame: rowFrame(topic, row, row, after) };
  }
}

/**
 * A version of the stream at or before which everything is at or before a position; undefined when all of it is. Found
 * from the end in growing strides: what a client missed is little, however long the stream.
 */
async function versionBefore(log: EventLog, stream: StreamId, position: Position): Promise<number | undefined> {
  const last = (await log.readLast([stream])).get(stream);
  if (last === undefined || lastPositionOf(last) <= position) return undefined;
  for (let stride = 256; ; stride *= 16) {
    const version = last.version - stride;
    if (version <= 0) return 0;
    const row = await firstRow(log, stream, version);
    if (row !== undefined && lastPositionOf(row) <= position) return version;
  }
}

async function firstRow(log: EventLog, stream: StreamId, after: number): Promise<StreamRow | undefined> {
  for await (const row of log.readStream(stream, after)) return row;
  return undefined;
}
