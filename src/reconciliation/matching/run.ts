import { initialTransition, transition } from 'xstate';
import { append, type EventLog, type StreamId } from '../../../eventstore/index.ts';
import { invariant } from '../../kernel/invariant.ts';
import { dayOf } from './days.ts';
import { Examiner } from './examine.ts';
import type { MatchingRules } from './rules.ts';
import { type RunContext, type RunFact, runMachine, type RunState } from './run.machine.ts';
import type { Counts, MatchingStore } from './store.ts';

export interface RunOptions {
  /** The same id again goes on with the same run; one that is completed is only told. */
  readonly runId: string;
  /** The business day to look from, `2026-11-27`. Not before that of an earlier run. A run that goes on keeps its own. */
  readonly today: string;
  readonly rules: MatchingRules;
  readonly store: MatchingStore;
  /** Reconciliation's own log. */
  readonly log: EventLog;
  readonly now: () => Date;
  /** Lines and expectations that a batch begins with. What belongs to them comes with them. Default 2,000. */
  readonly batchSize?: number;
  /** Ends it after a batch; it can be gone on with. */
  readonly signal?: AbortSignal;
}

export interface RunReport {
  readonly runId: string;
  readonly state: RunState;
  readonly batches: number;
  readonly counts: Counts;
}

/** Somebody else works on the same run, or the log does not take it. */
export class RunError extends Error {
  override readonly name = 'RunError';
  readonly code: 'RunElsewhere' | 'RunNotRecorded';
  constructor(code: RunError['code'], message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
  }
}

/**
 * Looks at everything that is new, changed or due, until nothing is left. Killed at any point it is called again with the
 * same id: what was written stays, and nothing is written twice.
 *
 * @throws RunError; and whatever the store throws, after `RunFailed` was written where that is still possible
 */
export async function runMatching(options: RunOptions): Promise<RunReport> {
  const { runId, store, rules, signal, batchSize = 2_000 } = options;
  const run = await Run.load(options);
  if (run.state === 'COMPLETED') return run.report();
  if (run.state !== 'RUNNING')
    await run.tell({ type: 'RunStarted', today: options.today, rulesVersion: rules.version });
  try {
    // Batches that were written before their telling was.
    for (const batch of await store.batchesOf(runId, run.context.batches))
      await run.tell({ type: 'BatchMatched', ...batch });
    const today = dayOf(run.context.today ?? options.today);
    const examiner = new Examiner({ store, runId, today, rules, batchSize });
    try {
      while (signal?.aborted !== true) {
        const number = run.context.batches + 1;
        const counts = await examiner.next((tx, counted) => tx.recordBatch(runId, number, counted));
        if (counts === undefined) {
          await run.tell({ type: 'RunCompleted', counts: run.context.counts });
          break;
        }
        await run.tell({ type: 'BatchMatched', number, counts });
      }
    } finally {
      await examiner.end();
    }
  } catch (error) {
    if (!(error instanceof RunError)) await run.tell({ type: 'RunFailed', code: codeOf(error) }).catch(() => undefined);
    throw error;
  }
  return run.report();
}

function codeOf(error: unknown): string {
  const { code } = (error ?? {}) as { code?: unknown };
  return typeof code === 'string' ? code : 'Unexpected';
}

class Run {
  readonly #options: RunOptions;
  readonly #stream: StreamId;
  #snapshot = initialTransition(runMachine)[0];

  private constructor(options: RunOptions) {
    this.#options = options;
    this.#stream = `run/${options.runId}`;
  }

  static async load(options: RunOptions): Promise<Run> {
    const run = new Run(options);
    for await (const { events } of options.log.readStream(run.#stream))
      for (const { type, data } of events) run.#apply({ ...data, type } as RunFact);
    return run;
  }

  get state(): RunState {
    return this.#snapshot.value;
  }

  get context(): RunContext {
    return this.#snapshot.context;
  }

  report(): RunReport {
    const { batches, counts } = this.context;
    return { runId: this.#options.runId, state: this.state, batches, counts };
  }

  async tell(fact: RunFact): Promise<void> {
    const { type, ...data } = fact;
    const { runId, now, log } = this.#options;
    const version = this.context.version;
    const result = await append(log, {
      id: `${runId}:${version + 1}`,
      appends: [{ stream: this.#stream, expect: version, events: [{ type, schema: 1, data }] }],
      meta: { at: now().toISOString(), correlationId: runId, principal: 'reconciliation' },
    });
    switch (result.outcome) {
      case 'committed':
        this.#apply(fact);
        return;
      case 'stale':
        throw new RunError('RunElsewhere', `run ${runId} is worked on by somebody else`);
      case 'failed':
        throw new RunError('RunNotRecorded', `run ${runId}: the log does not take it`, { cause: result.error });
      case 'overloaded':
        throw new RunError('RunNotRecorded', `run ${runId}: the log takes no more`);
    }
  }

  #apply(fact: RunFact): void {
    const [next] = transition(runMachine, this.#snapshot, fact);
    invariant(
      next.context.version === this.context.version + 1,
      `run ${this.#options.runId}: no ${fact.type} in ${this.state}`,
    );
    this.#snapshot = next;
  }
}
