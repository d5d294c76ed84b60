import type { RecordedRow } from '../../../eventstore/index.ts';
import { connectorOf, type ProvidersPlan } from '../world/provider-plan.ts';
import { check } from './finding.ts';
import type { Breaker } from './state.ts';

/** So long news of a breaker may be on their way to a process. */
const newsMs = 8_000;

const closed: Breaker = { state: 'CLOSED', failures: 0, openUntil: undefined, since: 0 };

/** The breakers as the log has them: CLOSED → OPEN → HALF_OPEN → CLOSED or OPEN, each for its reason. */
export class BreakersModel {
  readonly #plan: ProvidersPlan;
  readonly #now: () => number;
  readonly #breakers = new Map<string, Breaker>();

  constructor(plan: ProvidersPlan, now: () => number) {
    this.#plan = plan;
    this.#now = now;
  }

  get areClosed(): boolean {
    return [...this.#breakers.values()].every(({ state }) => state === 'CLOSED');
  }

  take(row: RecordedRow, at: string): void {
    const id = row.stream.slice('connector/'.length);
    const before = this.#breakers.get(id) ?? closed;
    const plan = connectorOf(this.#plan, id);
    for (const { type, data } of row.events) {
      const { after, successes = 0 } = data as { after: Breaker; successes?: number };
      const terms = plan?.breaker ?? { failuresMax: 0, successesMin: 0, openMs: 0 };
      const isRight = ((): boolean => {
        switch (type) {
          case 'BreakerOpened':
            // A test call may fail where the news that others have closed it has not come yet.
            return (
              before.state === 'HALF_OPEN' ||
              (before.state === 'CLOSED' &&
                (after.failures >= terms.failuresMax || this.#now() - before.since < newsMs))
            );
          case 'BreakerHalfOpened':
            return before.state === 'OPEN' && Date.parse(at) >= Date.parse(before.openUntil ?? '');
          case 'BreakerClosed':
            return before.state === 'HALF_OPEN' && successes >= terms.successesMin;
          default:
            return false;
        }
      })();
      check(isRight, '3 breaker', () => `${type} of ${id}, which was ${before.state}`);
      const { state, failures, openUntil } = after;
      this.#breakers.set(id, { state, failures, openUntil, since: this.#now() });
    }
  }

  /** A connector is told something: who has had time to hear that it is open does not. */
  used(id: string): void {
    const { state, since } = this.#breakers.get(id) ?? closed;
    const openMs = this.#now() - since;
    check(
      state !== 'OPEN' || openMs < newsMs,
      '4 breaker',
      () => `${id} was told something ${Math.round(openMs)} ms after it was opened`,
    );
  }
}
