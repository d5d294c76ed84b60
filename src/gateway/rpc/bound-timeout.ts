import type { IncomingHttpHeaders } from 'node:http';

/** setTimeout takes no more, and fires at once for what is above it. */
const TIMER_MS_MAX = 2 ** 31 - 1;

const unitMs: Readonly<Record<string, number>> = { H: 3_600_000, M: 60_000, S: 1_000, m: 1, u: 1e-3, n: 1e-6 };

/**
 * Puts a time-out that no timer can hold down to one that it can: a client that says "within a year" must not be answered
 * "too late" at once. What is no time-out is left for the protocol to refuse; what is too long for a call is cut by
 * `callMsMax`.
 *
 * @param headers of a request, changed in place
 */
export function boundTimeout(headers: IncomingHttpHeaders): void {
  const connect = headers['connect-timeout-ms'];
  if (typeof connect === 'string' && /^\d{1,10}$/.test(connect) && Number(connect) > TIMER_MS_MAX) {
    headers['connect-timeout-ms'] = String(TIMER_MS_MAX);
  }
  const [, count = '', unit = ''] = /^(\d{1,8})([HMSmun])$/.exec(String(headers['grpc-timeout'] ?? '')) ?? [];
  if (Number(count) * (unitMs[unit] ?? 0) > TIMER_MS_MAX) {
    headers['grpc-timeout'] = `${Math.floor(TIMER_MS_MAX / 1000)}S`;
  }
}
