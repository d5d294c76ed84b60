/** Time as the stream door needs it. The simulation has its own: a clock that it moves, and turns that it orders. */
export interface StreamTiming {
  /** Milliseconds since 1970. */
  now(): number;
  /** Milliseconds on a clock that never goes back. */
  elapsedMs(): number;
  /** Starts work after the current turn. */
  nextTurn(work: () => void): void;
  /** Does work later; the process need not stay for it unless it is said. Returns what calls it off. */
  after(delayMs: number, work: () => void, stays?: 'stays'): () => void;
}

export const systemTiming: StreamTiming = {
  now: () => Date.now(),
  elapsedMs: () => performance.now(),
  nextTurn: (work) => void setImmediate(work),
  after: (delayMs, work, stays) => {
    const timer = setTimeout(work, delayMs);
    if (stays === undefined) timer.unref();
    return () => clearTimeout(timer);
  },
};

/** Resolves after the current turn. */
export function nextTurn(timing: StreamTiming): Promise<void> {
  return new Promise((resolve) => timing.nextTurn(resolve));
}
