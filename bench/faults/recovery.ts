import { percentile } from '../load/percentiles.ts';

export interface Sample {
  /** When the request was due, in milliseconds from the fault; negative: before it. */
  readonly dueMs: number;
  readonly latencyMs: number;
}

export interface Recovery {
  /** Before the fault. */
  readonly p99BeforeMs: number;
  /** Of what was due from the fault until it was over. Where nobody noticed it, of the second after it. */
  readonly p99Ms: number;
  /** From the fault until everything is as it was: Infinity where that was not seen. */
  readonly recoveryMs: number;
}

const calmMs = 1_000;
/** So much slower than before is still as before: on a shared machine p99 is not the same in any two seconds. */
const tolerance = { factor: 2, atLeastMs: 50, share: 0.95 };

/**
 * When the old service was back: the first moment from which on, for a second, what is due is answered about as fast as
 * before the fault. As load is offered at a steady rate, the old rate is back with it.
 */
export function recoveryOf(samples: readonly Sample[]): Recovery {
  const sorted = [...samples].sort((one, other) => one.dueMs - other.dueMs);
  const latencies = (from: number, to: number): number[] =>
    sorted
      .filter(({ dueMs }) => dueMs >= from && dueMs < to)
      .map(({ latencyMs }) => latencyMs)
      .sort((one, other) => one - other);
  const p99BeforeMs = percentile(latencies(-Infinity, 0), 0.99);
  const limitMs = Math.max(tolerance.factor * p99BeforeMs, tolerance.atLeastMs);
  const last = sorted.at(-1)?.dueMs ?? 0;
  let recoveryMs = Infinity;
  for (const { dueMs } of [{ dueMs: 0 }, ...sorted.filter((sample) => sample.dueMs > 0)]) {
    if (dueMs + calmMs > last) break;
    if (percentile(latencies(dueMs, dueMs + calmMs), tolerance.share) <= limitMs) {
      recoveryMs = dueMs;
      break;
    }
  }
  const p99Ms = percentile(latencies(0, Math.max(recoveryMs, calmMs)), 0.99);
  return { p99BeforeMs, p99Ms, recoveryMs };
}
