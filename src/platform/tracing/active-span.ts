import { AsyncLocalStorage } from 'node:async_hooks';
import type { Context } from '@opentelemetry/api';

/** The span in which something happens. */
export interface ActiveSpan {
  readonly context: Context;
  readonly traceId: string;
  /** Ties it to the caller's other doings; inherited by the spans inside. */
  correlationId: string | undefined;
}

/** Follows what is awaited. Where nobody traces nothing is ever run in it, and then it costs nothing. */
export const activeSpan = new AsyncLocalStorage<ActiveSpan>();
