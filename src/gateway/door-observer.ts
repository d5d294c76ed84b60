import type { Tracing } from '../platform/tracing/span.ts';

/** A request that was answered, or whose caller went. */
export interface Answered {
  readonly method: string;
  /** The pattern of the route; undefined where none was asked for. */
  readonly route?: string | undefined;
  /** In the words of the door: `200`, `not_found`; `aborted` where the caller went first. */
  readonly status: string;
  readonly tookMs: number;
}

/** Who looks at a door, and how. */
export interface DoorObserver {
  /** Default: nobody counts. */
  readonly answered?: ((answered: Answered) => void) | undefined;
  /** Default: nobody traces. */
  readonly tracing?: Tracing | undefined;
}
