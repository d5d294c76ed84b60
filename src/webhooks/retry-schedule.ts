/** After what pauses a delivery is tried again, and when it is given up. */
export interface RetrySchedule {
  readonly firstDelayMs: number;
  readonly delayMsMax: number;
  /** Counted from the first try. */
  readonly giveUpAfterMs: number;
}

const HOUR_MS = 3_600_000;

/** 5 s, 10 s, 20 s … up to 6 h, for three days: some 24 tries. */
export const defaultSchedule: RetrySchedule = {
  firstDelayMs: 5_000,
  delayMsMax: 6 * HOUR_MS,
  giveUpAfterMs: 72 * HOUR_MS,
};

/** No receiver keeps us waiting longer than this by what it asks for (`Retry-After`). */
const ASKED_MS_MAX = HOUR_MS;

/**
 * When a delivery is tried again after it failed.
 *
 * @param failures how often it has failed, this time included
 * @param random 0 to 1: the pause is that part of its upper half, so that what failed together does not come together
 * @param askedMs what the receiver asked for; a shorter pause is not taken
 * @returns undefined: never, it has been tried long enough
 */
export function retryAt(
  { firstDelayMs, delayMsMax, giveUpAfterMs }: RetrySchedule,
  failures: number,
  times: { readonly firstAt: Date; readonly now: Date },
  random: number,
  askedMs = 0,
): Date | undefined {
  const { firstAt, now } = times;
  if (now.getTime() - firstAt.getTime() >= giveUpAfterMs) return undefined;
  const fullMs = Math.min(delayMsMax, firstDelayMs * 2 ** (failures - 1));
  const pauseMs = Math.max((fullMs / 2) * (1 + random), Math.min(askedMs, ASKED_MS_MAX));
  // The last try is at the end of the time, not at some point before it.
  return new Date(Math.min(now.getTime() + pauseMs, firstAt.getTime() + giveUpAfterMs));
}
