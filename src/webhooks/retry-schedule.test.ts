import { describe, expect, it } from 'vitest';
import { defaultSchedule, retryAt } from './retry-schedule.ts';

const start = new Date('2026-01-01T00:00:00Z');

/** Fails until it is given up, and says when it was tried, in seconds from the start. */
function tries(random: () => number): number[] {
  const seconds: number[] = [];
  let now: Date | undefined = start;
  for (let failures = 1; now !== undefined; failures += 1) {
    seconds.push((now.getTime() - start.getTime()) / 1000);
    now = retryAt(defaultSchedule, failures, { firstAt: start, now }, random());
  }
  return seconds;
}

describe('the schedule of tries', () => {
  it('doubles its pauses from 5 s to 6 h, and ends after three days', () => {
    const seconds = tries(() => 1);
    expect(seconds.slice(0, 5)).toEqual([0, 5, 15, 35, 75]);
    const pauses = seconds.slice(1).map((second, index) => second - (seconds[index] ?? 0));
    expect(Math.max(...pauses)).toBe(6 * 3600);
    expect(seconds.at(-1)).toBe(72 * 3600);
    expect(seconds).toHaveLength(25);
  });

  it('has pauses between half and whole', () => {
    const at = (random: number) => retryAt(defaultSchedule, 4, { firstAt: start, now: start }, random)?.getTime();
    expect(at(0)).toBe(start.getTime() + 20_000);
    expect(at(0.5)).toBe(start.getTime() + 30_000);
  });

  it('waits as long as the receiver asks, an hour at most', () => {
    const at = (askedMs: number) => retryAt(defaultSchedule, 1, { firstAt: start, now: start }, 0, askedMs)?.getTime();
    expect(at(60_000)).toBe(start.getTime() + 60_000);
    expect(at(1_000)).toBe(start.getTime() + 2_500);
    expect(at(86_400_000)).toBe(start.getTime() + 3_600_000);
  });
});
