import type { Problem } from './problem.ts';

/** What a handler answers: done, or a problem. */
export type Answer = Done | Problem;
export interface Done {
  readonly status: 200 | 201 | 204 | 503;
  readonly body?: unknown;
  readonly headers?: Readonly<Record<string, string>>;
}
