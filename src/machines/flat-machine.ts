import { assign, type EventObject, type MachineContext } from 'xstate';
import { invariant } from '../kernel/invariant.ts';

/**
 * Steps an XState machine from plain state to plain state, without an actor.
 *
 * XState's `transition()` builds an actor on every call (24 µs here), and even `machine.transition` with one shared
 * scope takes 6 µs, nearly all of it for what our machines do not have: nested and parallel states, entry and exit
 * actions, spawning, eventless steps. So the machine is asked only what it alone decides: which transition this fact
 * takes in this state, guards included (`getTransitionData`, 0.3 µs). Its target and its one assignment are applied here.
 * That this is the same as what XState does is checked twice: `stepperOf` refuses a machine that is not flat, and a
 * property test compares every step with an actor of the same machine (evolve.test.ts).
 */
export interface AtRest<Context> {
  /** The machine's state. */
  readonly value: string;
  readonly context: Context;
}

export interface On<Context, Fact> {
  readonly context: Context;
  readonly event: Fact;
}

type Reduce = (on: On<never, never>) => unknown;
const reducers = new WeakMap<object, Reduce>();

/**
 * Gives the maker of a machine's assignments: an `assign` of the whole context, known to `stepperOf`. It is the only kind
 * of action that a machine of Kora has.
 */
export function assignmentsOf<Context extends MachineContext, AnyFact extends EventObject>() {
  return <Fact extends AnyFact>(reduce: (on: On<Context, Fact>) => Context) => {
    const action = assign<Context, Fact, undefined, AnyFact, never>(reduce);
    reducers.set(action, reduce);
    return action;
  };
}

/** What of an XState machine is used here; the library's own types are generic in fifteen parameters. */
interface FlatMachine<Context, Fact> {
  readonly states: Readonly<Record<string, FlatState>>;
  resolveState(config: { value: string; context: Context }): AtRest<Context>;
  getTransitionData(snapshot: AtRest<Context>, fact: Fact): readonly FlatTransition[];
}
interface FlatState {
  readonly states: object;
  readonly entry: readonly unknown[];
  readonly exit: readonly unknown[];
  readonly invoke: readonly unknown[];
  readonly always?: readonly unknown[] | undefined;
  readonly after: readonly unknown[];
  readonly type: string;
  readonly transitions: ReadonlyMap<string, readonly FlatTransition[]>;
}
interface FlatTransition {
  readonly target: readonly { readonly key: string }[] | undefined;
  readonly actions: readonly unknown[];
}

/**
 * Gives the step function of a flat machine.
 *
 * @param machine checked on the spot to be flat: atomic states, and one `assigning` action on every transition
 * @param empty any context; only to resolve the machine's states once
 * @returns the state after the fact, or `'illegal'` when the machine takes no such fact in this state
 */
export function stepperOf<Context extends MachineContext, Fact extends EventObject>(
  machine: FlatMachine<Context, Fact>,
  empty: Context,
): (state: AtRest<Context>, fact: Fact) => AtRest<Context> | 'illegal' {
  const resolved = new Map<string, { -readonly [Field in keyof AtRest<Context>]: AtRest<Context>[Field] }>();
  for (const [value, state] of Object.entries(machine.states)) {
    assertFlat(value, state);
    // A copy: what XState gives is not ours to change.
    resolved.set(value, { ...machine.resolveState({ value, context: empty }) });
  }
  return (state, fact) => {
    // Everything in a snapshot of a flat machine but the context depends on the state's name alone, so one snapshot a
    // state serves all: it is read here and now, by guards that cannot come back here.
    const snapshot = resolved.get(state.value);
    invariant(snapshot, `the machine has no state ${state.value}`);
    snapshot.context = state.context;
    const [taken] = machine.getTransitionData(snapshot, fact);
    if (taken === undefined) return 'illegal';
    const reduce = reducers.get(taken.actions[0] as object) as (on: On<Context, Fact>) => Context;
    return { value: taken.target?.[0]?.key ?? state.value, context: reduce({ context: state.context, event: fact }) };
  };
}

/** Whether the machine has any transition for such facts in the state; a guard may still refuse the figures of one. */
export function takes(machine: Pick<FlatMachine<never, never>, 'states'>, state: string, fact: string): boolean {
  return machine.states[state]?.transitions.has(fact) ?? false;
}

function assertFlat(name: string, state: FlatState): void {
  const extras = [state.entry, state.exit, state.invoke, state.after, state.always ?? [], Object.keys(state.states)];
  invariant(state.type === 'atomic' && extras.every((list) => list.length === 0), `state ${name} is not flat`);
  for (const [fact, transitions] of state.transitions) {
    for (const { target = [], actions } of transitions) {
      const one = target.length <= 1 && actions.length === 1 && reducers.has(actions[0] as object);
      invariant(one, `${name} on ${fact}: a transition has one target at most, and exactly one assigning action`);
    }
  }
}
