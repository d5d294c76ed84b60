import { Code, ConnectError, type HandlerContext, type ServiceImpl } from '@connectrpc/connect';
import { type Health, HealthCheckResponse_ServingStatus as Status } from './gen/grpc/health/v1/health_pb.js';

/** A watcher costs a stream and a listener, and needs no token. */
const WATCHERS_MAX = 1_000;

/**
 * The health service: everything is serving until the door says that it is stopping.
 *
 * @param services full names of the services that are asked about; the empty name stands for all of them
 * @param stopping aborted when calls are to be sent elsewhere
 * @param closing aborted when connections are to end: watchers are let go
 */
export function healthService(
  services: readonly string[],
  { stopping, closing }: { readonly stopping: AbortSignal; readonly closing: AbortSignal },
): ServiceImpl<typeof Health> {
  const known = new Set(['', ...services]);
  const now = (): Status => (stopping.aborted ? Status.NOT_SERVING : Status.SERVING);
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
        const told = known.has(service) ? now() : Status.SERVICE_UNKNOWN;
        yield { status: told };
        if (told === Status.SERVING) {
          await either(stopping, context);
          if (stopping.aborted) yield { status: Status.NOT_SERVING };
        }
        await either(closing, context);
      } finally {
        watchers -= 1;
      }
    },
  };
}

/** Resolves when the signal is aborted, and rejects when the call ends before that, or its time is over. */
function either(signal: AbortSignal, { signal: call }: HandlerContext): Promise<void> {
  return new Promise((resolve, reject) => {
    const settle = (): void => {
      signal.removeEventListener('abort', settle);
      call.removeEventListener('abort', settle);
      if (signal.aborted) resolve();
      else reject(ConnectError.from(call.reason, Code.Canceled));
    };
    if (signal.aborted || call.aborted) settle();
    signal.addEventListener('abort', settle);
    call.addEventListener('abort', settle);
  });
}
