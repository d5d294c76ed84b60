import { setup } from 'xstate';
import { assignmentsOf, type On, stepperOf } from '../flat-machine.ts';
import type {
  BreakerClosed,
  BreakerForced,
  BreakerHalfOpened,
  BreakerOpened,
  BreakerState,
  ConnectorFact,
  ConnectorFigures,
} from './connector.facts.ts';

export interface ConnectorContext {
  readonly connectorId: string;
  /** How many facts it has. */
  readonly version: number;
  readonly failures: number;
  readonly openUntil: string | undefined;
  readonly reason: string | undefined;
  readonly forced: boolean;
}

export interface ConnectorSnapshot {
  readonly value: BreakerState;
  readonly context: ConnectorContext;
}

/** A connector of which nothing has been written: closed. */
export function newConnector(connectorId: string): ConnectorSnapshot {
  return { value: 'CLOSED', context: { ...fresh, connectorId } };
}
const fresh: ConnectorContext = {
  connectorId: '',
  version: 0,
  failures: 0,
  openUntil: undefined,
  reason: undefined,
  forced: false,
};

type Given<Fact extends ConnectorFact = ConnectorFact> = On<ConnectorContext, Fact>;

// A connector is woken from its last fact alone, so no fact may carry what does not belong to the state that it leads to.
const isClosed = ({ state, failures, openUntil, reason, forced }: ConnectorFigures): boolean =>
  state === 'CLOSED' && failures === 0 && openUntil === undefined && reason === undefined && forced === undefined;
const opens = ({ event: { after } }: Given<BreakerOpened>): boolean =>
  after.state === 'OPEN' && after.failures > 0 && after.openUntil !== undefined && after.forced === undefined;
const halfOpens = ({ context, event: { after } }: Given<BreakerHalfOpened>): boolean =>
  !context.forced && after.state === 'HALF_OPEN' && after.failures === context.failures && after.forced === undefined;
const closes = ({ event }: Given<BreakerClosed>): boolean => event.successes > 0 && isClosed(event.after);
const forcedOpen = ({ event: { after } }: Given<BreakerForced>): boolean =>
  after.state === 'OPEN' && after.forced === true && after.openUntil === undefined;
const forcedClosed = ({ event: { after } }: Given<BreakerForced>): boolean => isClosed(after);

const after = assignmentsOf<ConnectorContext, ConnectorFact>()(({ context, event }: Given) => ({
  connectorId: context.connectorId,
  version: context.version + 1,
  ...figuresOf(event),
}));

function figuresOf({ after: figures }: ConnectorFact): Omit<ConnectorContext, 'connectorId' | 'version'> {
  const { failures, openUntil, reason, forced = false } = figures;
  return { failures, openUntil, reason, forced };
}

const OPENS = 'it says how many failures, and until when';
const forced = [
  { description: 'open, until a person closes it', target: 'OPEN', guard: forcedOpen, actions: after },
  { description: 'closed', target: 'CLOSED', guard: forcedClosed, actions: after },
] as const;

export const connectorMachine = setup({
  types: { context: {} as ConnectorContext, events: {} as ConnectorFact },
}).createMachine({
  id: 'connector',
  context: fresh,
  initial: 'CLOSED',
  states: {
    CLOSED: {
      on: {
        BreakerOpened: { description: OPENS, target: 'OPEN', guard: opens, actions: after },
        BreakerForced: forced,
      },
    },
    OPEN: {
      on: {
        BreakerHalfOpened: {
          description: 'no person opened it',
          target: 'HALF_OPEN',
          guard: halfOpens,
          actions: after,
        },
        BreakerForced: forced,
      },
    },
    HALF_OPEN: {
      on: {
        BreakerOpened: { description: OPENS, target: 'OPEN', guard: opens, actions: after },
        BreakerClosed: { target: 'CLOSED', guard: closes, actions: after },
        BreakerForced: forced,
      },
    },
  },
});

const step = stepperOf<ConnectorContext, ConnectorFact>(connectorMachine, fresh);

/** The one path by which a fact changes a connector. Undefined stands for one of which nothing was written. */
export function evolveConnector(
  snapshot: ConnectorSnapshot | undefined,
  fact: ConnectorFact,
  connectorId: string,
): ConnectorSnapshot | 'illegal' {
  return step(snapshot ?? newConnector(connectorId), fact) as ConnectorSnapshot | 'illegal';
}

/** Wakes a connector from its last fact alone; `version` is that fact's. */
export function connectorFromFact(fact: ConnectorFact, version: number, connectorId: string): ConnectorSnapshot {
  return { value: fact.after.state, context: { connectorId, version, ...figuresOf(fact) } };
}
