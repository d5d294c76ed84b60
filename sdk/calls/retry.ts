/** How a call is tried again when trying again is safe. */
export interface RetryPolicy {
  /** Tries in all, the first one included. Default 5. */
  readonly attemptsMax: number;
  /** The longest wait before the second try; it doubles with each further one. Default 200. */
  readonly delayMs: number;
  /** No wait is longer. A door that asks for more patience (`Retry-After`) is not asked again. Default 10,000. */
  readonly delayMsMax: number;
}

export const defaultRetryPolicy: RetryPolicy = { attemptsMax: 5, delayMs: 200, delayMsMax: 10_000 };

/**
 * How long to wait before the next try: a random part of a span that doubles ("full jitter"), so that clients that failed
 * together do not come back together.
 *
 * @param failures tries that failed so far, from 1
 * @param random from 0 to 1
 */
export function backoffMs(failures: number, policy: RetryPolicy, random: () => number = Math.random): number {
  const span = Math.min(policy.delayMsMax, policy.delayMs * 2 ** Math.min(failures - 1, 30));
  return Math.ceil(span * random());
}

/** What a `Retry-After` header asks for (RFC 9110, 10.2.3: seconds or a date), in milliseconds; undefined where it says nothing. */
export function retryAfterMs(header: string | null, now: number): number | undefined {
  if (header === null) return undefined;
  if (/^\s*\d{1,9}\s*$/.test(header)) return Number(header) * 1000;
  const at = Date.parse(header);
  return Number.isNaN(at) ? undefined : Math.max(0, at - now);
}

/** Resolves after a while. Rejects with the signal's reason when it is aborted before. */
export function sleep(ms: number, signal?: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    const end = (): void => {
      clearTimeout(timer);
      reject(signal?.reason as Error);
    };
    const timer = setTimeout(() => {
      signal?.removeEventListener('abort', end);
      resolve();
    }, ms);
    if (signal?.aborted === true) end();
    else signal?.addEventListener('abort', end, { once: true });
  });
}

/** A promise that the caller stops waiting for when the signal says so. What is waited for goes on: others wait for it too. */
export function orAborted<T>(promise: Promise<T>, signal: AbortSignal | undefined): Promise<T> {
  if (signal === undefined) return promise;
  return new Promise((resolve, reject) => {
    const end = (): void => reject(signal.reason as Error);
    if (signal.aborted) {
      end();
      return;
    }
    signal.addEventListener('abort', end, { once: true });
    promise.then(resolve, reject).finally(() => signal.removeEventListener('abort', end));
  });
}
