import { assign, setup } from 'xstate';
import type { Counts } from './store.ts';

/** What is written of a run, on `run/<id>` of reconciliation's own log. */
export type RunFact =
  | { readonly type: 'RunStarted'; readonly today: string; readonly rulesVersion: string }
  | {
      readonly type: 'BatchMatched';
      /** From 1, without a gap. */
      readonly number: number;
      readonly counts: Counts;
    }
  | { readonly type: 'RunCompleted'; readonly counts: Counts }
  | {
      readonly type: 'RunFailed';
      /** Code of the fault. */
      readonly code: string;
    };

export type RunState = 'NEW' | 'RUNNING' | 'COMPLETED' | 'FAILED';

export interface RunContext {
  readonly version: number;
  /** The business day that it looks from; undefined before it has started. */
  readonly today: string | undefined;
  readonly rulesVersion: string | undefined;
  readonly batches: number;
  readonly counts: Counts;
}

export const newRun: RunContext = { version: 0, today: undefined, rulesVersion: undefined, batches: 0, counts: {} };

/** A run that failed is started again, and goes on where it was: a batch is written wholly or not at all. */
export const runMachine = setup({
  types: { context: {} as RunContext, events: {} as RunFact },
  guards: {
    isNext: ({ context, event }) => event.type === 'BatchMatched' && event.number === context.batches + 1,
  },
  actions: {
    start: assign(({ context, event }) =>
      event.type === 'RunStarted'
        ? {
            ...context,
            version: context.version + 1,
            today: context.today ?? event.today,
            rulesVersion: event.rulesVersion,
          }
        : context,
    ),
    count: assign(({ context, event }) =>
      event.type === 'BatchMatched'
        ? {
            ...context,
            version: context.version + 1,
            batches: event.number,
            counts: addCounts(context.counts, event.counts),
          }
        : context,
    ),
    note: assign(({ context }) => ({ ...context, version: context.version + 1 })),
  },
}).createMachine({
  id: 'run',
  context: newRun,
  initial: 'NEW',
  states: {
    NEW: { on: { RunStarted: { target: 'RUNNING', actions: 'start' } } },
    RUNNING: {
      on: {
        BatchMatched: { guard: 'isNext', actions: 'count' },
        RunCompleted: { target: 'COMPLETED', actions: 'note' },
        RunFailed: { target: 'FAILED', actions: 'note' },
      },
    },
    FAILED: { on: { RunStarted: { target: 'RUNNING', actions: 'start' } } },
    COMPLETED: {},
  },
});

function addCounts(a: Counts, b: Counts): Counts {
  const names = new Set([...Object.keys(a), ...Object.keys(b)]);
  return Object.fromEntries([...names].map((name) => [name, (a[name] ?? 0) + (b[name] ?? 0)]));
}
