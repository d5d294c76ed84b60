import type {
  AppendResult,
  EventLog,
  LogCapabilities,
  Position,
  RecordedRow,
  RecordedUnit,
  StreamId,
  StreamRow,
  Unit,
  Whose,
} from '../../eventstore/index.ts';
import type { Caller } from '../actors/requests.ts';
import { type Outcome, Runtime, type RuntimeOptions } from '../actors/runtime.ts';
import type { Command } from '../machines/commands.ts';
import type { Tracing } from '../platform/tracing/span.ts';

/** A runtime whose commands are spans, each with a span inside for every time that it waited for the log. */
export class TracedRuntime extends Runtime {
  readonly #tracing: Tracing;

  constructor(options: RuntimeOptions, tracing: Tracing) {
    super({ ...options, log: new TracedLog(options.log, tracing) });
    this.#tracing = tracing;
  }

  override async carryOut(command: Command, caller: Caller): Promise<Outcome> {
    const attributes = { 'kora.command': command.type, correlation_id: caller.correlationId };
    const span = this.#tracing.begin('runtime.command', attributes);
    try {
      const outcome = await span.run(() => super.carryOut(command, caller));
      span.end({ attributes: { 'kora.outcome': outcome.ok ? 'done' : outcome.refusal.code } });
      return outcome;
    } catch (error) {
      span.end({ attributes: { 'kora.outcome': 'fault' }, failed: true });
      throw error;
    }
  }
}

/** A log whose units are spans from when they are handed in until they are settled: the wait for the commit, and the commit. */
class TracedLog implements EventLog {
  readonly #log: EventLog;
  readonly #tracing: Tracing;

  constructor(log: EventLog, tracing: Tracing) {
    this.#log = log;
    this.#tracing = tracing;
  }

  get capabilities(): LogCapabilities {
    return this.#log.capabilities;
  }

  submit(unit: Unit, settled: (result: AppendResult) => void): 'queued' | 'overloaded' {
    const attributes = { 'kora.streams': unit.appends.length, correlation_id: unit.meta.correlationId };
    const span = this.#tracing.begin('log.append', attributes);
    const answer = this.#log.submit(unit, (result) => {
      span.end({
        attributes: {
          'kora.outcome': result.outcome,
          ...(result.outcome === 'committed' && { 'kora.position': result.lastPosition }),
        },
        failed: result.outcome === 'failed',
      });
      settled(result);
    });
    if (answer === 'overloaded') span.end({ attributes: { 'kora.outcome': answer }, failed: true });
    return answer;
  }

  readStream(stream: StreamId, after?: number): AsyncIterable<StreamRow> {
    return this.#log.readStream(stream, after);
  }

  readLast(streams: readonly StreamId[]): Promise<ReadonlyMap<StreamId, RecordedRow>> {
    return this.#log.readLast(streams);
  }

  readAll(after: Position): AsyncIterable<RecordedUnit> {
    return this.#log.readAll(after);
  }

  subscribe(after: Position, signal: AbortSignal, whose?: Whose): AsyncIterable<RecordedUnit> {
    return this.#log.subscribe(after, signal, whose);
  }

  lastPosition(): Promise<Position> {
    return this.#log.lastPosition();
  }

  close(): Promise<void> {
    return this.#log.close();
  }
}
