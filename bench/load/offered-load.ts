import type { Seeded } from './seeded.ts';

export interface OfferedLoadOptions {
  /** Requests come by chance (Poisson), so many a second on average, whether or not earlier ones are answered. */
  readonly perSecond: number;
  readonly random: Seeded;
  readonly warmupMs: number;
  readonly measureMs: number;
  readonly send: () => Promise<unknown>;
}

export interface OfferedLoadResult {
  /** Sorted. From the moment at which the request was due, so that a stall counts for all that it delayed. */
  readonly latenciesMs: Float64Array;
  /** Answered in all, warm-up included. */
  readonly answered: number;
}

/**
 * An open loop. A timer ticks once a millisecond and sends what is due, so up to a millisecond of each latency is the
 * generator's: spinning instead would take the core that Postgres needs.
 */
export function offeredLoad({
  perSecond,
  random,
  warmupMs,
  measureMs,
  send,
}: OfferedLoadOptions): Promise<OfferedLoadResult> {
  return new Promise((resolve, reject) => {
    const startedAt = performance.now();
    const latencies: number[] = [];
    let answered = 0;
    let atWork = 0;
    let dueAt = startedAt + random.gapMs(perSecond);
    let ended = false;

    const one = async (due: number): Promise<void> => {
      atWork += 1;
      await send();
      if (due - startedAt >= warmupMs) latencies.push(performance.now() - due);
      atWork -= 1;
      answered += 1;
      if (ended && atWork === 0) finish();
    };
    const finish = (): void => resolve({ latenciesMs: Float64Array.from(latencies).sort(), answered });
    const tick = (): void => {
      const now = performance.now();
      while (dueAt <= now) {
        one(dueAt).catch(reject);
        dueAt += random.gapMs(perSecond);
      }
      if (now - startedAt < warmupMs + measureMs) {
        setTimeout(tick, 1);
        return;
      }
      ended = true;
      if (atWork === 0) finish();
    };
    tick();
  });
}
