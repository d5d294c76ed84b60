import type { RecordedUnit } from '../../eventstore/index.ts';
import type { BreakerState } from '../machines/connector/connector.facts.ts';
import type { ConnectorView } from '../machines/connector/view.ts';
import { idOf } from '../machines/streams.ts';
import type { Command } from '../machines/commands.ts';
import type { Outcome, Runtime } from './runtime.ts';

export interface BreakerTerms {
  /** Failures in a row that open it. */
  readonly failuresMax: number;
  /** How long it stays open before test calls. */
  readonly openMs: number;
  /** Test calls in a row that close it. */
  readonly successesMin: number;
}

export interface BreakersOptions {
  readonly runtime: Pick<Runtime, 'carryOut' | 'connector'>;
  /** Undefined: there is no such connector. */
  readonly terms: (connectorId: string) => BreakerTerms | undefined;
  readonly now?: () => Date;
  readonly onChange?: (connector: ConnectorView) => void;
  readonly onError?: (error: unknown) => void;
}

interface Watched {
  /** As the log has it, as far as this process has heard. */
  view: ConnectorView | undefined;
  failures: number;
  successes: number;
  /** Test calls at work. */
  testing: number;
  /** A transition that is being written: until it is, nothing goes through that it would stop. */
  writing: Promise<unknown> | undefined;
}

/**
 * The circuit breakers of the connectors, as actors: each transition is a fact in the log, so that an outage is remembered
 * over a restart, and every process hears of it. Between transitions each process counts what it sees itself.
 */
export class Breakers {
  readonly #options: BreakersOptions;
  readonly #watched = new Map<string, Watched>();
  readonly #now: () => Date;
  /** Of what it writes: ids are made of it, and the same run must make the same ones. */
  #serial = 0;

  constructor(options: BreakersOptions) {
    this.#options = options;
    this.#now = options.now ?? (() => new Date());
  }

  /** Reads what the log has of connectors. Before it has, they are taken to be closed. */
  async load(connectorIds: readonly string[]): Promise<void> {
    await Promise.all(connectorIds.map((id) => this.#reload(id)));
  }

  state(connectorId: string): BreakerState {
    return this.#of(connectorId).view?.state ?? 'CLOSED';
  }

  /** Whether a payment may begin now. Half open, few are: as many at a time as would close it. Takes nothing. */
  admits(connectorId: string): boolean {
    const watched = this.#of(connectorId);
    if (watched.writing !== undefined) return false;
    const { state = 'CLOSED', forced, openUntil } = watched.view ?? {};
    if (state === 'CLOSED') return true;
    if (state === 'HALF_OPEN') return watched.testing < (this.#options.terms(connectorId)?.successesMin ?? 1);
    if (forced !== true && openUntil !== undefined && Date.parse(openUntil) <= this.#now().getTime())
      this.#write(connectorId, watched, { type: 'HalfOpenBreaker' });
    return false;
  }

  /** A payment begins. Half open, it takes a place of those that test; exactly one of the next three gives it back. */
  admit(connectorId: string): boolean {
    if (!this.admits(connectorId)) return false;
    this.#of(connectorId).testing += 1;
    return true;
  }

  succeeded(connectorId: string): void {
    const watched = this.#of(connectorId);
    this.released(connectorId);
    watched.failures = 0;
    if (this.state(connectorId) !== 'HALF_OPEN' || watched.writing !== undefined) return;
    watched.successes += 1;
    const needed = this.#options.terms(connectorId)?.successesMin ?? 1;
    if (watched.successes >= needed)
      this.#write(connectorId, watched, { type: 'CloseBreaker', successes: watched.successes });
  }

  /** A payment, or a question that was asked without `admit`, was not answered. */
  failed(connectorId: string, reason: string): void {
    const watched = this.#of(connectorId);
    this.released(connectorId);
    watched.failures += 1;
    const terms = this.#options.terms(connectorId);
    if (terms === undefined || watched.writing !== undefined) return;
    const state = this.state(connectorId);
    if (state === 'OPEN' || (state === 'CLOSED' && watched.failures < terms.failuresMax)) return;
    const openUntil = new Date(this.#now().getTime() + terms.openMs).toISOString();
    this.#write(connectorId, watched, { type: 'OpenBreaker', failures: watched.failures, reason, openUntil });
  }

  /** A payment ended without telling anything of the connector. */
  released(connectorId: string): void {
    const watched = this.#of(connectorId);
    watched.testing = Math.max(0, watched.testing - 1);
  }

  /** Tells it of a unit in the log: another process, or a person, may have opened or closed one. */
  notice(unit: RecordedUnit): void {
    for (const { stream } of unit.rows) {
      if (stream.startsWith('connector/')) void this.#reload(idOf(stream)).catch(this.#options.onError);
    }
  }

  async #reload(connectorId: string): Promise<void> {
    this.#take(connectorId, await this.#options.runtime.connector(connectorId));
  }

  #take(connectorId: string, view: ConnectorView): void {
    const watched = this.#of(connectorId);
    if (watched.view !== undefined && watched.view.version >= view.version) return;
    const before = watched.view?.state ?? 'CLOSED';
    watched.view = view;
    if (before === view.state) return;
    watched.successes = 0;
    watched.failures = 0;
    if (view.state === 'HALF_OPEN') watched.testing = 0;
    this.#options.onChange?.(view);
  }

  #of(connectorId: string): Watched {
    let watched = this.#watched.get(connectorId);
    if (watched === undefined) {
      watched = { view: undefined, failures: 0, successes: 0, testing: 0, writing: undefined };
      this.#watched.set(connectorId, watched);
    }
    return watched;
  }

  #write(connectorId: string, watched: Watched, what: Transition): void {
    const commandId = `breaker:${connectorId}:${this.#now().getTime()}:${(this.#serial += 1)}`;
    const command = { ...what, connectorId, commandId, fingerprint: what.type } as Command;
    const caller = { tenant: 'kora', principal: 'kora:breaker', correlationId: commandId };
    watched.writing = this.#options.runtime
      .carryOut(command, caller)
      .then(async (outcome: Outcome) => {
        // Refused: somebody was faster, and the log knows better.
        if (outcome.ok && outcome.connector !== undefined) this.#take(connectorId, outcome.connector);
        else await this.#reload(connectorId);
      })
      .catch(this.#options.onError)
      .finally(() => (watched.writing = undefined));
  }
}

type Transition =
  | { readonly type: 'OpenBreaker'; readonly failures: number; readonly reason: string; readonly openUntil: string }
  | { readonly type: 'HalfOpenBreaker' }
  | { readonly type: 'CloseBreaker'; readonly successes: number };
