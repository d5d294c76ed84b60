export interface ClosedLoopOptions {
  /** Requests at work at the same time: as soon as one is answered the next is sent. */
  readonly inFlight: number;
  readonly warmupMs: number;
  readonly measureMs: number;
  /** Sends one request. A rejection ends the run. */
  readonly send: () => Promise<unknown>;
  /** While true nothing is sent: looked at before every request, and every few milliseconds. */
  readonly held?: () => boolean;
  /** Called at the first answer after the warm-up, and at the last that counts. */
  readonly onEdge?: (edge: 'begin' | 'end') => void;
}

export interface ClosedLoopResult {
  /** Answered between the edges. */
  readonly counted: number;
  readonly perSecond: number;
  readonly seconds: number;
  /** Answered in all, warm-up and run-out included. */
  readonly answered: number;
}

/**
 * A closed loop. The clock runs from an answer to an answer, so a store that answers in bursts (a group commit) is
 * measured over whole bursts. Resolves when nothing is at work any more.
 */
export function closedLoop(options: ClosedLoopOptions): Promise<ClosedLoopResult> {
  const { inFlight, warmupMs, measureMs, send, held, onEdge } = options;
  return new Promise((resolve, reject) => {
    const startedAt = performance.now();
    let answered = 0;
    let atWork = 0;
    let parked = 0;
    let begin: { at: number; answered: number } | undefined;
    let end: { at: number; answered: number } | undefined;

    const finish = (): void => {
      if (begin === undefined || end === undefined) return;
      const counted = end.answered - begin.answered;
      const seconds = (end.at - begin.at) / 1_000;
      resolve({ counted, seconds, perSecond: counted / seconds, answered });
    };
    const next = (): void => {
      if (end !== undefined) {
        if (atWork === 0) finish();
        return;
      }
      if (held?.() === true) {
        parked += 1;
        return;
      }
      atWork += 1;
      send().then(done, reject);
    };
    const done = (): void => {
      atWork -= 1;
      const at = performance.now();
      if (begin === undefined) {
        if (at - startedAt >= warmupMs) {
          begin = { at, answered };
          onEdge?.('begin');
        }
      } else if (end === undefined && at - begin.at >= measureMs) {
        end = { at, answered };
        onEdge?.('end');
      }
      answered += 1;
      next();
    };
    const unpark = (): void => {
      const waiting = parked;
      parked = 0;
      for (let index = 0; index < waiting; index++) next();
      if (end === undefined) setTimeout(unpark, 5);
    };
    for (let index = 0; index < inFlight; index++) next();
    if (held !== undefined) setTimeout(unpark, 5);
  });
}
