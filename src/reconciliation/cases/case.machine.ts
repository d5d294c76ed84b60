import { assign, setup, transition } from 'xstate';
import { invariant } from '../../kernel/invariant.ts';
import type { CaseOpened, CaseState, RecordedFact, Resolution } from './case.facts.ts';

export interface Proposal {
  readonly number: number;
  readonly resolution: Resolution;
  readonly why: string;
  readonly by: string;
  readonly at: string;
}

/** A resolution of which a part is booked, and the core has refused the rest. */
export interface Unfinished extends Proposal {
  readonly paymentIds: readonly string[];
  /** The core's. */
  readonly code: string;
}

export interface CaseContext {
  readonly version: number;
  readonly opened: (CaseOpened & { readonly at: string }) | undefined;
  readonly assignee: string | undefined;
  /** How many resolutions were proposed or begun. */
  readonly resolutions: number;
  /** Waits for another person. */
  readonly proposal: Proposal | undefined;
  /** Begun, and its outcome is not known. */
  readonly working: Proposal | undefined;
  /** Its rest comes before anything else that moves money. */
  readonly unfinished: Unfinished | undefined;
  /** What of its amount has left suspense by its resolutions, minor units. */
  readonly moved: bigint;
  /** Of all its entries, those as well that leave the amount in suspense: what four eyes are measured by. */
  readonly entered: bigint;
  readonly cause: string | undefined;
  readonly endedAt: string | undefined;
}

export interface CaseSnapshot {
  readonly value: 'NEW' | CaseState;
  readonly context: CaseContext;
}

const fresh: CaseContext = {
  version: 0,
  opened: undefined,
  assignee: undefined,
  resolutions: 0,
  proposal: undefined,
  working: undefined,
  unfinished: undefined,
  moved: 0n,
  entered: 0n,
  cause: undefined,
  endedAt: undefined,
};

interface Given {
  readonly context: CaseContext;
  readonly event: RecordedFact;
}

export function amountOf(resolution: Resolution): bigint {
  return resolution.kind === 'correct' || resolution.kind === 'write_off' ? BigInt(resolution.amount) : 0n;
}

function movesMoney({ kind }: Resolution): boolean {
  return kind === 'correct' || kind === 'write_off';
}

/** What it adds to the entries of its case. The rest of what is unfinished was counted with its first half. */
export function enteredBy({ unfinished }: Pick<CaseContext, 'unfinished'>, resolution: Resolution): bigint {
  return unfinished === undefined ? amountOf(resolution) : 0n;
}

/** What leaves suspense by it. A late collection only changes where the money in suspense came from. */
export function movedBy(resolution: Resolution): bigint {
  return resolution.kind === 'correct' && resolution.entry === 'LATE_COLLECTION' ? 0n : amountOf(resolution);
}

/** How the case stands once the resolution is done; undefined: it goes on. */
export function endAfter(context: CaseContext, resolution: Resolution): 'RESOLVED' | 'WRITTEN_OFF' | undefined {
  switch (resolution.kind) {
    case 'link':
    case 'separate':
    case 'dismiss':
      return 'RESOLVED';
    case 'ask':
      return undefined;
    case 'correct':
    case 'write_off':
      if (context.moved + movedBy(resolution) < BigInt(context.opened?.amount ?? '0')) return undefined;
      return resolution.kind === 'write_off' ? 'WRITTEN_OFF' : 'RESOLVED';
  }
}

const isNext = ({ context, event }: Given): boolean => 'number' in event && event.number === context.resolutions + 1;
const isIdle = ({ context }: Given): boolean => context.working === undefined;
const proposes = (given: Given): boolean => isIdle(given) && isNext(given);
const rejects = ({ context, event }: Given): boolean =>
  event.type === 'ResolutionRejected' && event.number === context.proposal?.number;
/** Nobody approves what they proposed: not even the log can say so. */
const begins = (given: Given): boolean => {
  const { context, event } = given;
  if (event.type !== 'ResolutionBegun' || !isIdle(given)) return false;
  if (event.approves !== true) return isNext(given);
  return event.number === context.proposal?.number && event.by !== context.proposal.by;
};
const concludes = ({ context, event }: Given): boolean => 'number' in event && event.number === context.working?.number;
/** Half of it is in the books: that is for somebody above. */
const halts = (given: Given): boolean =>
  given.event.type === 'ResolutionRefused' && given.event.booked !== undefined && concludes(given);
const endsAs =
  (state: 'RESOLVED' | 'WRITTEN_OFF') =>
  (given: Given): boolean => {
    const { working } = given.context;
    return concludes(given) && working !== undefined && endAfter(given.context, working.resolution) === state;
  };

const idle = (target: string) => ({ target, guard: 'isIdle', actions: 'note' }) as const;
const open = {
  CaseAssigned: idle('ASSIGNED'),
  CaseCommented: { actions: 'note' },
  CaseEscalated: idle('ESCALATED'),
  CaseEnded: idle('RESOLVED'),
} as const;
/** Who has it proposes or begins something, and others approve. */
const handled = {
  ...open,
  ResolutionProposed: { guard: 'proposes', actions: 'note' },
  ResolutionRejected: { guard: 'rejects', actions: 'note' },
  ResolutionBegun: { guard: 'begins', actions: 'note' },
  ResolutionDone: [
    { target: 'RESOLVED', guard: 'resolves', actions: 'note' },
    { target: 'WRITTEN_OFF', guard: 'writesOff', actions: 'note' },
    { guard: 'concludes', actions: 'note' },
  ],
  ResolutionRefused: [
    { target: 'ESCALATED', guard: 'halts', actions: 'note' },
    { guard: 'concludes', actions: 'note' },
  ],
} as const;

const caseMachine = setup({
  types: { context: {} as CaseContext, events: {} as RecordedFact },
  guards: {
    isIdle,
    proposes,
    rejects,
    begins,
    concludes,
    halts,
    resolves: endsAs('RESOLVED'),
    writesOff: endsAs('WRITTEN_OFF'),
  },
  actions: { note: assign(({ context, event }) => contextAfter(context, event)) },
}).createMachine({
  id: 'case',
  context: fresh,
  initial: 'NEW',
  states: {
    NEW: { on: { CaseOpened: { target: 'OPEN', actions: 'note' } } },
    OPEN: { on: open },
    ASSIGNED: { on: handled },
    ESCALATED: { on: handled },
    RESOLVED: {},
    WRITTEN_OFF: {},
  },
});

function contextAfter(before: CaseContext, fact: RecordedFact): CaseContext {
  const context = { ...before, version: before.version + 1 };
  switch (fact.type) {
    case 'CaseOpened':
      return { ...context, opened: fact };
    case 'CaseAssigned':
      return { ...context, assignee: fact.assignee };
    case 'CaseCommented':
    case 'CaseEscalated':
      return context;
    case 'ResolutionProposed':
      return { ...context, resolutions: fact.number, proposal: proposalOf(fact) };
    case 'ResolutionRejected':
      return { ...context, proposal: undefined };
    case 'ResolutionBegun':
      return { ...context, resolutions: fact.number, proposal: undefined, working: proposalOf(fact) };
    case 'ResolutionRefused': {
      const { code, booked: paymentIds } = fact;
      if (paymentIds === undefined) return { ...context, working: undefined };
      invariant(before.working, 'what is half done was begun');
      return {
        ...context,
        working: undefined,
        unfinished: { ...before.working, paymentIds, code },
        entered: before.entered + enteredBy(before, before.working.resolution),
      };
    }
    case 'ResolutionDone': {
      const { resolution } = before.working ?? {};
      invariant(resolution, 'what is done was begun');
      const end = endAfter(before, resolution);
      return {
        ...context,
        working: undefined,
        // Whatever moves money while something is unfinished is its rest.
        unfinished: movesMoney(resolution) ? undefined : before.unfinished,
        moved: before.moved + movedBy(resolution),
        entered: before.entered + enteredBy(before, resolution),
        ...(end !== undefined && { cause: resolution.kind, endedAt: fact.at }),
      };
    }
    case 'CaseEnded':
      return { ...context, proposal: undefined, cause: fact.cause, endedAt: fact.at };
  }
}

function proposalOf(fact: RecordedFact & { type: 'ResolutionProposed' | 'ResolutionBegun' }): Proposal {
  const { number, resolution, why, by, at } = fact;
  return { number, resolution, why, by, at };
}

export const newCase: CaseSnapshot = { value: 'NEW', context: fresh };

/** The one path by which a fact changes a case. */
export function evolveCase(snapshot: CaseSnapshot, fact: RecordedFact): CaseSnapshot | 'illegal' {
  const [next] = transition(caseMachine, caseMachine.resolveState({ ...snapshot }), fact);
  if (next.context.version !== snapshot.context.version + 1) return 'illegal';
  return { value: next.value, context: next.context };
}
