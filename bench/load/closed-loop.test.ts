import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { closedLoop, type ClosedLoopOptions, type ClosedLoopResult } from './closed-loop.ts';

beforeEach(() => void vi.useFakeTimers({ toFake: ['setTimeout', 'setInterval', 'clearInterval', 'performance'] }));
afterEach(() => void vi.useRealTimers());

const after = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

async function run(options: ClosedLoopOptions): Promise<ClosedLoopResult> {
  const [result] = await Promise.all([closedLoop(options), vi.advanceTimersByTimeAsync(1_000)]);
  return result;
}

test('as many are at work as were asked for, and all that was sent is answered in the end', async () => {
  let [atWork, atWorkMax, sent] = [0, 0, 0];
  const send = async (): Promise<void> => {
    sent += 1;
    atWorkMax = Math.max(atWorkMax, ++atWork);
    await after(2);
    atWork -= 1;
  };
  const result = await run({ inFlight: 7, warmupMs: 20, measureMs: 60, send });
  expect(atWorkMax).toBe(7);
  expect(atWork).toBe(0);
  expect(result.answered).toBe(sent);
});

test('what is answered in the warm-up and in the run-out does not count', async () => {
  const edges: string[] = [];
  const onEdge = (edge: string): void => void edges.push(edge);
  const result = await run({ inFlight: 3, warmupMs: 30, measureMs: 60, send: () => after(3), onEdge });
  expect(edges).toEqual(['begin', 'end']);
  expect(result).toEqual({ counted: 60, seconds: 0.06, perSecond: 1_000, answered: 90 });
});

test('a store that answers in bursts is measured from burst to burst', async () => {
  // Every 20 ms, all that were sent in the 20 ms before: 50 bursts of 10 a second.
  let waiting: (() => void)[] = [];
  setInterval(() => {
    const answered = waiting;
    waiting = [];
    for (const resolve of answered) resolve();
  }, 20);
  const send = (): Promise<void> => new Promise((resolve) => waiting.push(resolve));
  const result = await run({ inFlight: 10, warmupMs: 30, measureMs: 150, send });
  expect(result).toMatchObject({ counted: 80, seconds: 0.16, perSecond: 500 });
});

test('while it is held nothing is sent, and then it goes on', async () => {
  const held = (): boolean => performance.now() >= 20 && performance.now() < 80;
  let sentWhileHeld = 0;
  const send = (): Promise<void> => {
    if (held()) sentWhileHeld += 1;
    return after(1);
  };
  vi.setSystemTime(0);
  const result = await run({ inFlight: 4, warmupMs: 0, measureMs: 150, send, held });
  expect(sentWhileHeld).toBe(0);
  expect(result.counted).toBeGreaterThan(300);
});

test('a request that fails ends the run', async () => {
  const send = (): Promise<void> => Promise.reject(new Error('no'));
  await expect(run({ inFlight: 2, warmupMs: 0, measureMs: 10, send })).rejects.toThrow('no');
});
