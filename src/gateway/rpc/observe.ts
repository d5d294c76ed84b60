import type { EventEmitter } from 'node:events';
import type { IncomingHttpHeaders } from 'node:http';
import { Code, ConnectError, createContextKey, type HandlerContext } from '@connectrpc/connect';
import { codeToString } from '@connectrpc/connect/protocol-connect';
import type { OpenSpan } from '../../platform/tracing/span.ts';
import type { DoorObserver } from '../door-observer.ts';
import { CORRELATION_HEADER } from './call.ts';

/** A call that somebody looks at. */
export interface ObservedCall {
  readonly span: OpenSpan | undefined;
  /** What it came to, once the router has said so. */
  code: string | undefined;
}

export const observedKey = createContextKey<ObservedCall | undefined>(undefined, { description: 'who looks at it' });

/**
 * Looks at a call from its headers until its answer has left.
 *
 * @param method `kora.v1.PaymentService/Pay`, or `none`
 */
export function observeCall(
  { answered, tracing }: DoorObserver,
  method: string,
  request: { readonly headers: IncomingHttpHeaders },
  response: EventEmitter & { readonly statusCode: number },
): ObservedCall | undefined {
  if (answered === undefined && tracing === undefined) return undefined;
  const beganMs = performance.now();
  const { traceparent } = request.headers;
  const incoming = { traceparent: typeof traceparent === 'string' ? traceparent : undefined, correlationId: undefined };
  const span = tracing?.begin('rpc.call', { 'rpc.system': 'connect_rpc', 'rpc.method': method }, incoming);
  const call: ObservedCall = { span, code: undefined };
  response.once('close', () => {
    // Without a word of the router it was answered before it, in HTTP's own terms.
    const status = call.code ?? (response.statusCode === 200 ? 'ok' : `http_${response.statusCode}`);
    answered?.({ method, status, tookMs: performance.now() - beganMs });
    span?.end({ attributes: { 'rpc.response.status_code': status }, failed: faults.has(status) });
  });
  return call;
}

/** Not `aborted`: so is told that others were faster, which is an answer. */
const faults: ReadonlySet<string> = new Set(
  [Code.Canceled, Code.DataLoss, Code.DeadlineExceeded, Code.Internal, Code.Unavailable, Code.Unknown].map(
    codeToString,
  ),
);

type Gate = (context: HandlerContext) => void | Promise<void>;

/** A gate through which the observer learns what becomes of the call: the router aborts its signal with that, at the end. */
export function observedGate(gate: Gate): Gate {
  return async (context) => {
    const call = context.values.get(observedKey);
    if (call === undefined) return gate(context);
    const { signal } = context;
    signal.addEventListener('abort', () => (call.code ??= codeOf(signal.reason)), { once: true });
    try {
      await gate(context);
    } finally {
      const correlationId = context.responseHeader.get(CORRELATION_HEADER);
      if (correlationId !== null) call.span?.correlate(correlationId);
    }
  };
}

function codeOf(reason: unknown): string {
  if (reason instanceof ConnectError) return codeToString(reason.code);
  // Without a reason the signal has one of its own, by this name: the call is over, and all went well.
  return reason === undefined || (reason as Error).name === 'AbortError' ? 'ok' : codeToString(Code.Internal);
}
