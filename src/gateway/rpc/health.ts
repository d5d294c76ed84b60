import { Code, ConnectError, type HandlerContext, type ServiceImpl } from '@connectrpc/connect';
import type { TroubleSource } from '../trouble-source.ts';
import { type Health, HealthCheckResponse_ServingStatus as Status } from './gen/grpc/health/v1/health_pb.js';

/** A watcher costs a stream and a listener, and needs no token. */
const WATCHERS_MAX = 1_000;

export interface HealthSignals {
  readonly stopping: AbortSignal;
  readonly closing: AbortSignal;
  readonly troubles?: TroubleSource | undefined;
}

/**
 * The health service: everything is serving but while something is wrong with what the door stands on, until it is stopping.
 *
 * @param services full names of the services that are asked about; the empty name stands for all of them
 * @param stopping aborted when calls are to be sent elsewhere
 * @param troubles what may be wrong; default: nothing ever is
 * @param closing aborted when connections are to end: watchers are let go
 */
export function healthService(
  services: readonly string[],
  { stopping, closing, troubles }: HealthSignals,
): ServiceImpl<typeof Health> {
  const known = new Set(['', ...services]);
  const now = (): Status => (stopping.aborted || troubles?.current !== undefined ? Status.NOT_SERVING : Status.SERVING);
  let watchers = 0;
  return {
    check: ({ service }) => {
      if (!known.has(service)) throw new ConnectError('there is no such service here', Code.NotFound);
      return { status: now() };
    },
    list: () => ({ statuses: Object.fromEntries([...known].map((name) => [name, { status: now() }])) }),
    async *watch({ service }, context) {
      if (watchers >= WATCHERS_MAX) throw new ConnectError('too many watch already', Code.ResourceExhausted);
      watchers += 1;
      try {
        for (let told: Status | undefined; ;) {
          const status = known.has(service) ? now() : Status.SERVICE_UNKNOWN;
          if (status !== told) {
            told = status;
            yield { status };
          } else if (closing.aborted) return;
          // In the turn of the look: nothing happens in between.
          else await change({ stopping, closing, troubles }, context);
        }
      } finally {
        watchers -= 1;
      }
    },
  };
}

/** Resolves when one of them may have changed, and rejects when the call ends before that, or its time is over. */
function change({ stopping, closing, troubles }: HealthSignals, { signal: call }: HandlerContext): Promise<void> {
  return new Promise((resolve, reject) => {
    const signals = [stopping, closing, call].filter(({ aborted }) => !aborted);
    const settle = (): void => {
      for (const signal of signals) signal.removeEventListener('abort', settle);
      forget?.();
      if (call.aborted && !closing.aborted) reject(ConnectError.from(call.reason, Code.Canceled));
      else resolve();
    };
    const forget = troubles?.onChange(settle);
    for (const signal of signals) signal.addEventListener('abort', settle);
    if (call.aborted) settle();
  });
}
