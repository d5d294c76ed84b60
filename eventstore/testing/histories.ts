import fc from 'fast-check';
import type { AppendResult, EventLog, RecordedUnit, StreamId, Unit } from '../event-log.ts';
import { anywhere, sampleMeta } from './samples.ts';

/**
 * Deciders that work like actors: each decides on the versions that it believes in, its own undurable units included, and
 * writes into every event which unit it believes to be the newest of that stream. So the log itself says what each
 * unit stood on, and `violations` finds a unit that was let in on the strength of a version number that another unit made.
 */

const streams: readonly StreamId[] = ['a/1', 'b/1', 'c/1', 'd/1'];

/** What a decider believes of a stream. */
interface Belief {
  version: number;
  newest: string | null;
}

interface Stood {
  readonly unit: string;
  /** The unit that the decider believed to be the newest of the stream. */
  readonly on: string | null;
}

export interface Decision {
  readonly decider: number;
  /** Indexes into the streams of the deciders, without repetition; none for a unit of unconstrained streams only. */
  readonly streams: readonly number[];
  readonly events: number;
  readonly unconstrained: boolean;
}

export const decisions: fc.Arbitrary<Decision> = fc.record({
  decider: fc.nat({ max: 3 }),
  streams: fc.uniqueArray(fc.nat({ max: streams.length - 1 }), { maxLength: 3 }),
  events: fc.integer({ min: 1, max: 3 }),
  unconstrained: fc.boolean(),
});

/** What a decider needs of a log. */
export type DecidersLog = Pick<EventLog, 'submit' | 'readLast'>;

export interface DecidersOptions {
  /** First part of the ids of their units. */
  readonly name?: string;
  readonly streams?: readonly StreamId[];
  /** Told with every outcome, after the decider has taken it in. */
  readonly settled?: (id: string, result: AppendResult) => void;
}

/** What a decider was told of its unit; `unknown`: it ended before it was told. */
export type Told = AppendResult | 'pending' | 'overloaded' | 'unknown';

export class Deciders {
  readonly outcomes = new Map<string, Told>();
  readonly #logs: readonly DecidersLog[];
  readonly #beliefs: Map<StreamId, Belief>[];
  readonly #options: Required<DecidersOptions>;

  /** Decider i works on log i modulo their number: two deciders of one log are rivals in one process. */
  constructor(count: number, logs: readonly DecidersLog[], options: DecidersOptions = {}) {
    this.#logs = logs;
    this.#beliefs = Array.from({ length: count }, () => new Map<StreamId, Belief>());
    this.#options = { name: 'unit', streams, settled: () => undefined, ...options };
  }

  get pending(): number {
    return [...this.outcomes.values()].filter((outcome) => outcome === 'pending').length;
  }

  /** Decides and hands in, synchronously. A decider that lost a race must have looked (`look`) before. */
  decide(decision: Decision): void {
    const { decider } = decision;
    const beliefs = this.#beliefs[decider] as Map<StreamId, Belief>;
    const id = `${this.#options.name}-${this.outcomes.size}`;
    const touched = decision.streams.map((index) => this.#options.streams[index] as StreamId);
    const unit: Unit = {
      id,
      meta: sampleMeta,
      appends: [
        ...touched.map((stream) => {
          const { version, newest } = beliefs.get(stream) ?? { version: 0, newest: null };
          const data: Stood = { unit: id, on: newest };
          const event = { type: 'Decided', schema: 1, data };
          return { stream, expect: version, events: Array.from({ length: decision.events }, () => event) };
        }),
        ...(decision.unconstrained || touched.length === 0 ? [anywhere('system/s', decision.events)] : []),
      ],
    };
    this.outcomes.set(id, 'pending');
    const log = this.#logs[decider % this.#logs.length] as DecidersLog;
    const answer = log.submit(unit, (result) => {
      if (this.outcomes.get(id) !== 'pending') throw new Error(`${id} was told its outcome twice`);
      this.outcomes.set(id, result);
      // Whatever it believed of these streams rested on the unit, or on what made it stale.
      if (result.outcome !== 'committed') for (const stream of touched) beliefs.delete(stream);
      this.#options.settled(id, result);
    });
    if (answer === 'overloaded') {
      this.outcomes.set(id, 'overloaded');
      return;
    }
    for (const { stream, expect, events } of unit.appends) {
      if (expect !== 'any') beliefs.set(stream, { version: expect + events.length, newest: id });
    }
  }

  /** Reads the streams of which the decider knows nothing. */
  async look(decider: number): Promise<void> {
    const beliefs = this.#beliefs[decider] as Map<StreamId, Belief>;
    const unknown = this.#options.streams.filter((stream) => !beliefs.has(stream));
    if (unknown.length === 0) return;
    const log = this.#logs[decider % this.#logs.length] as DecidersLog;
    const found = await log.readLast(unknown);
    for (const stream of unknown) {
      const row = found.get(stream);
      if (beliefs.has(stream) || row === undefined) continue;
      const { unit } = row.events[0]?.data as Stood;
      beliefs.set(stream, { version: row.version + row.events.length - 1, newest: unit });
    }
  }
}

/** What is wrong with a history, in words; empty where every unit stands where its decider believed it to stand. */
export function violations(
  units: readonly RecordedUnit[],
  outcomes: ReadonlyMap<string, Told>,
  { densePositions }: { densePositions: boolean } = { densePositions: true },
): string[] {
  const wrong: string[] = [];
  const newest = new Map<StreamId, { unit: string; version: number }>();
  const seen = new Set<string>();
  let position = 0;
  for (const unit of units) {
    if (densePositions ? unit.position !== position + 1 : unit.position <= position)
      wrong.push(`${unit.id} is at ${unit.position}, after ${position}`);
    position = unit.lastPosition;
    if (seen.has(unit.id)) wrong.push(`${unit.id} is in the log twice`);
    seen.add(unit.id);
    const outcome = outcomes.get(unit.id);
    if (outcome === 'unknown') {
      // It may be there or not; here it is.
    } else if (typeof outcome !== 'object' || outcome.outcome !== 'committed') {
      wrong.push(`${unit.id} is in the log, but its decider was told ${JSON.stringify(outcome)}`);
    } else if (outcome.position !== unit.position || outcome.lastPosition !== unit.lastPosition) {
      wrong.push(`${unit.id} is at ${unit.position}, but its decider was told ${outcome.position}`);
    }
    for (const { stream, version, events } of unit.rows) {
      const before = newest.get(stream);
      if (version !== (before?.version ?? 0) + 1) wrong.push(`${unit.id} is version ${version} of ${stream}`);
      const { on } = events[0]?.data as Partial<Stood>;
      if (on !== undefined && on !== (before?.unit ?? null)) {
        wrong.push(`${unit.id} was decided on ${on} in ${stream}, but stands on ${before?.unit ?? null}`);
      }
      newest.set(stream, { unit: unit.id, version: version + events.length - 1 });
    }
  }
  for (const [id, outcome] of outcomes) {
    if (outcome === 'pending') wrong.push(`${id} was never told its outcome`);
    else if (typeof outcome === 'object' && outcome.outcome === 'committed' && !seen.has(id)) {
      wrong.push(`${id} was told that it is committed, and is not in the log`);
    }
  }
  return wrong;
}
