import { EventEmitter } from 'node:events';
import { describe, expect, test } from 'vitest';
import { Interrupt } from './interrupt.ts';

// The first signal asks to stop, the second one does not wait, and a signal that is passed on by many is still one.

function interrupted(): { source: EventEmitter; interrupt: Interrupt; ended: number[]; clock: { ms: number } } {
  const source = new EventEmitter();
  const ended: number[] = [];
  const clock = { ms: 1_000 };
  const interrupt = new Interrupt(
    source,
    (exitCode) => ended.push(exitCode),
    () => clock.ms,
  );
  return { source, interrupt, ended, clock };
}

describe('an interrupt', () => {
  test('asks with the first signal, and keeps its exit code', async () => {
    const { source, interrupt, ended } = interrupted();
    expect(interrupt.exitCode).toBeUndefined();
    source.emit('SIGTERM', 'SIGTERM');
    await interrupt.asked();
    expect(interrupt.signal.aborted).toBe(true);
    expect(interrupt.exitCode).toBe(143);
    expect(ended).toEqual([]);
  });

  test('ends at once with the second', () => {
    const { source, interrupt, ended, clock } = interrupted();
    source.emit('SIGINT', 'SIGINT');
    clock.ms += 501;
    source.emit('SIGINT', 'SIGINT');
    expect(ended).toEqual([130]);
    expect(interrupt.exitCode).toBe(130);
  });

  test('takes what comes within half a second for the first one again', () => {
    const { source, ended, clock } = interrupted();
    source.emit('SIGINT', 'SIGINT');
    clock.ms += 500;
    source.emit('SIGINT', 'SIGINT');
    source.emit('SIGTERM', 'SIGTERM');
    expect(ended).toEqual([]);
  });

  test('can be asked without a signal', () => {
    const { interrupt } = interrupted();
    interrupt.ask('SIGTERM');
    expect(interrupt.exitCode).toBe(143);
  });
});
