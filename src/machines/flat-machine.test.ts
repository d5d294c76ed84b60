import { describe, expect, it } from 'vitest';
import { setup } from 'xstate';
import { assignmentsOf, stepperOf } from './flat-machine.ts';

/** Proves that a machine for which the short way of stepping would be wrong is refused when it is loaded. */
describe('stepperOf', () => {
  const types = { context: {} as { n: number }, events: {} as { type: 'go' } };
  const go = assignmentsOf<{ n: number }, { type: 'go' }>()(({ context }) => ({ n: context.n + 1 }));
  const machine = (b: object, on: object = { go: { target: 'B', actions: go } }) =>
    setup({ types }).createMachine({ context: { n: 0 }, initial: 'A', states: { A: { on }, B: b } }) as never;
  const step = (of: never) => () => stepperOf<{ n: number }, { type: 'go' }>(of, { n: 0 });

  it('steps a flat machine', () => {
    const next = step(machine({}))()({ value: 'A', context: { n: 1 } }, { type: 'go' });
    expect(next).toEqual({ value: 'B', context: { n: 2 } });
  });

  it.each([
    ['nested states', machine({ initial: 'C', states: { C: {} } })],
    ['entry actions', machine({ entry: go })],
    ['an eventless step', machine({ always: { target: 'A', actions: go } })],
    ['a timer', machine({ after: { 5: { target: 'A', actions: go } } })],
    ['a final state', machine({ type: 'final' })],
    ['a transition that assigns nothing', machine({}, { go: 'B' })],
    ['a foreign action', machine({}, { go: { target: 'B', actions: () => undefined } })],
  ])('refuses a machine with %s', (_title, of) => expect(step(of)).toThrow(/flat|assigning/));
});
