import { setTimeout as sleep } from 'node:timers/promises';
import type { Cases } from './cases.ts';

/** Opens, ends and goes on with cases until the signal. Any number of processes may. */
export async function keepCases(
  cases: Pick<Cases, 'goOn'>,
  signal: AbortSignal,
  onError: (error: unknown) => void,
  pauseMs = 1_000,
): Promise<void> {
  let failures = 0;
  while (!signal.aborted) {
    let more = false;
    try {
      more = await cases.goOn(onError);
      failures = 0;
    } catch (error) {
      failures += 1;
      onError(error);
    }
    const waitMs = Math.min(pauseMs * 2 ** failures, 30_000);
    if (!more || failures > 0) await sleep(waitMs, undefined, { signal }).catch(() => undefined);
  }
}
