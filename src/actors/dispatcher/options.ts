import type { Runtime } from '../runtime.ts';
import type { Clock, Connectors, WorkItem } from './ports.ts';

export interface DispatcherOptions {
  readonly runtime: Pick<Runtime, 'carryOut' | 'paymentState'>;
  readonly connectors: Connectors;
  /**
   * What is to be done, of the partitions that this process has, by id, after one: `ready` are those that nobody was told
   * of, the others are with a provider. A read model, which may lag: whatever it says, the payment itself is asked.
   */
  readonly due: (sort: 'ready' | 'told', after: string | undefined, limit: number) => Promise<readonly WorkItem[]>;
  /** When what a provider takes on now is settled. */
  readonly settlesAt: (provider: string | undefined) => string;
  readonly clock: Clock;
  /** What tied the request that made a payment to others, from the log; asked once of a payment that this process did not hear of. */
  readonly correlationOf?: (paymentId: string) => Promise<string | undefined>;
  /** Payments that are at work at a time. Default 512. */
  readonly inFlightMax?: number;
  /** How often the work list is read. Default 500 ms; what is new in the log is taken at once. */
  readonly pollMs?: number;
  /** A collection that no connector takes is given up after so long. Default 15 min. */
  readonly giveUpMs?: number;
  /** The first and the longest pause between two questions about the same payment. Default 1 s and 60 s. */
  readonly askFirstMs?: number;
  readonly askMaxMs?: number;
  /** Of the trace that the work belongs to, where there is one: what connectors write down of a call is found by it. */
  readonly traceId?: () => string | undefined;
  readonly onError?: (error: unknown) => void;
  /** Wraps a piece of work in a span of a trace. */
  readonly span?: <T>(
    name: string,
    attributes: Readonly<Record<string, string | number>>,
    work: () => Promise<T>,
  ) => Promise<T>;
}
