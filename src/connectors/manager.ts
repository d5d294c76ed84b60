import { type IBackoffFactory, ExponentialBackoff, handleWhenResult, retry, type RetryPolicy } from 'cockatiel';
import {
  type BankPaymentStatus,
  type BankSendResult,
  type ConnectorConfig,
  type HealthCheckResult,
  keyOf,
  type PayoutSlice,
} from './bank-connector.ts';
import { alwaysClosed, type Breaker, type BreakerState } from './breaker.ts';
import { type About, callHealth, callSend, callStatus, sendVerdict, type Watching } from './calls.ts';
import type { BankProfile } from './config-schema.ts';
import type { ConnectorsConfig } from './connector-config.ts';
import { Fleet, type Applied } from './fleet.ts';
import type { CallbackRequest, CallbackVerdict, ConnectorKind, NonceStore } from './kind.ts';
import { type ConnectorObserver, noObserver, noTracing, type Tracing } from './observing.ts';
import { errorCode, notSent } from './reasons.ts';
import { Crowded, type RunningConnector } from './running-connector.ts';
import type { SecretSources } from './secrets.ts';
import type { StatementDesk } from './statements/desk.ts';
import { selectConnectors, type Selection, type Wanted } from './selection.ts';

export interface ManagerOptions {
  readonly kinds: readonly ConnectorKind[];
  readonly secrets: SecretSources;
  /** Remembers nonces of callbacks for all processes. */
  readonly nonces: NonceStore;
  /** Where connectors hand statements in. Default: nowhere. */
  readonly statements?: StatementDesk;
  /** Default: never opens. */
  readonly breaker?: Breaker;
  readonly observer?: ConnectorObserver;
  readonly tracing?: Tracing;
  /** How often every connector is asked whether it is well. Default 30,000; 0: never. */
  readonly healthEveryMs?: number;
  /** Of questions only. Default: 3 attempts, from 200 ms on, 2 s at most. */
  readonly retry?: { readonly attempts: number; readonly initialDelayMs: number; readonly maxDelayMs: number };
  readonly now?: () => number;
  /** Told what failed where nobody waits for an answer. */
  readonly onTrouble?: (error: unknown, what: string) => void;
}

/** A connector as it is now. */
export interface ConnectorView {
  readonly config: ConnectorConfig;
  readonly breaker: BreakerState;
  /** The last health check; absent before the first. */
  readonly health?: HealthCheckResult;
}

/**
 * Owns the connectors: makes them from their configuration, says which may be asked to carry a payment, and lets calls
 * through to them with their limits. It decides nothing about payments, and sends nothing twice.
 */
export class ConnectorManager {
  readonly #fleet: Fleet;
  readonly #breaker: Breaker;
  readonly #watching: Watching;
  readonly #questions: RetryPolicy;
  readonly #healthTimer: NodeJS.Timeout | undefined;
  #closed = false;

  /** Without connectors, until the first `apply`. */
  constructor(options: ManagerOptions) {
    const { kinds, secrets, nonces, breaker = alwaysClosed, healthEveryMs = 30_000 } = options;
    const { tracing = noTracing, observer = noObserver, now = Date.now, onTrouble = () => undefined } = options;
    this.#breaker = breaker;
    this.#watching = { tracing, observer, now, onTrouble };
    this.#fleet = new Fleet(kinds, secrets, {
      now,
      tracing,
      nonces,
      onTrouble,
      ...(options.statements && { statements: options.statements }),
    });
    const { attempts, initialDelayMs, maxDelayMs } = options.retry ?? ASKING;
    // Its generic parameter is of the results, which a back-off by number of attempts does not look at.
    const backoff: IBackoffFactory<unknown> = new ExponentialBackoff({
      initialDelay: initialDelayMs,
      maxDelay: maxDelayMs,
    });
    this.#questions = retry(handleWhenResult(unanswered), { maxAttempts: attempts - 1, backoff });
    if (healthEveryMs > 0) {
      this.#healthTimer = setInterval(() => void this.#checkAll(), healthEveryMs).unref();
    }
  }

  /**
   * Takes a configuration, the first or a changed one. A connector whose configuration or secrets changed gets a new
   * instance; the old one finishes its calls and is shut down. Unchanged ones are left alone.
   *
   * @throws ConnectorConfigError where a secret is missing or a connector cannot begin; then nothing has changed
   */
  apply(config: ConnectorsConfig): Promise<Applied> {
    return this.#fleet.apply(config);
  }

  /** Which connectors may be asked to carry this payment now, in this order. */
  select(wanted: Wanted): Selection {
    const { profiles, connectors } = this.#fleet.config;
    const profile = profiles.find(({ id }) => id === wanted.profile);
    return selectConnectors(wanted, connectors, profile, this.#breaker);
  }

  /**
   * One attempt to send, to this connector. Never throws, never sends twice, and `not_sent` is proven: not one byte was
   * written.
   */
  async send(connectorId: string, slice: PayoutSlice): Promise<BankSendResult> {
    const running = this.#load(connectorId);
    if (this.#closed) return notSent('Stopping');
    if (running === undefined) return notSent('NoSuchConnector', connectorId);
    if (!this.#breaker.admit(connectorId)) return notSent('BreakerOpen');
    return running.hold(async () => {
      const result = await running
        .inPaymentPlace(() => callSend(running, slice, this.#watching))
        .catch((error: unknown): BankSendResult => {
          if (error instanceof Crowded) return notSent('Busy');
          this.#watching.onTrouble(error, `connector ${connectorId}: sendPayment`);
          return { outcome: 'unknown', reason: `Fault: ${errorCode(error)}` };
        });
      this.#tellBreaker(connectorId, result);
      return result;
    });
  }

  /**
   * What became of a payment: `reference` is the provider's, or our key (`keyReference`). Asked again, with back-off, while
   * it is not answered; then `unknown`. Never throws. An open breaker does not keep questions away: it is in an outage
   * that payments are in doubt.
   */
  async status(connectorId: string, reference: string, about: About): Promise<BankPaymentStatus> {
    const running = this.#load(connectorId);
    if (this.#closed) return { status: 'unknown', reason: 'Stopping' };
    if (running === undefined) return { status: 'unknown', reason: `NoSuchConnector: ${connectorId}` };
    if (keyOf(reference) !== undefined && !running.config.capabilities.findsByKey) {
      return { status: 'unknown', reason: 'NotAskable: it does not find payments by our key' };
    }
    return this.#ask(running, () => callStatus(running, reference, about, this.#watching), {
      status: 'unknown',
      reason: 'Busy',
    });
  }

  /** Asks a connector now; undefined where there is none. */
  async health(connectorId: string): Promise<HealthCheckResult | undefined> {
    const running = this.#fleet.find(connectorId);
    return running === undefined || this.#closed ? undefined : this.#check(running);
  }

  /** Whether a callback for this connector is good, and what it says. Never throws for what somebody sent. */
  async callback(connectorId: string, request: CallbackRequest): Promise<CallbackVerdict> {
    const running = this.#closed ? undefined : this.#fleet.find(connectorId);
    if (running?.connector.readCallback === undefined) return { outcome: 'refused', code: 'NotTaken' };
    return running.hold(async () => (await running.connector.readCallback?.(request)) ?? notTaken);
  }

  profiles(): readonly BankProfile[] {
    return this.#fleet.config.profiles;
  }

  profile(id: string): BankProfile | undefined {
    return this.profiles().find((profile) => profile.id === id);
  }

  /** Its configuration, with references in place of secrets. */
  config(connectorId: string): ConnectorConfig | undefined {
    return this.#fleet.find(connectorId)?.config;
  }

  views(): readonly ConnectorView[] {
    return this.#fleet.all().map(({ config, health }) => ({
      config,
      breaker: this.#breaker.state(config.id),
      ...(health === undefined ? {} : { health }),
    }));
  }

  /** Nothing begins any more; resolves when all calls in flight are over and all connectors shut down. */
  async close(): Promise<void> {
    this.#closed = true;
    clearInterval(this.#healthTimer);
    await this.#fleet.close();
  }

  #load(connectorId: string): RunningConnector | undefined {
    const { tracing } = this.#watching;
    return tracing.span('manager.loadConnector', { connector_id: connectorId }, () => this.#fleet.find(connectorId));
  }

  #ask<Answer>(running: RunningConnector, call: () => Promise<Answer>, busy: Answer): Promise<Answer> {
    return running.hold(async () => {
      const answer = await this.#questions
        .execute(() => running.inQuestionPlace(call))
        .catch((error: unknown) => crowded(error, busy));
      // Asking can speak against a connector, and never for it.
      if (answer !== busy && unanswered(answer)) {
        this.#breaker.failed(running.config.id, reasonOf(answer));
      }
      return answer;
    });
  }

  async #check(running: RunningConnector): Promise<HealthCheckResult> {
    const busy = { healthy: true, latencyMs: 0, detail: 'Busy: not asked' };
    const health = await this.#ask(running, () => callHealth(running, this.#watching), busy);
    running.health = health;
    return health;
  }

  async #checkAll(): Promise<void> {
    await Promise.all(this.#fleet.all().map((running) => this.#check(running)));
  }

  #tellBreaker(connectorId: string, result: BankSendResult): void {
    const verdict = result.outcome === 'not_sent' && result.reason === 'Busy' ? undefined : sendVerdict(result);
    if (verdict === undefined) this.#breaker.released(connectorId);
    else if (verdict.works) this.#breaker.succeeded(connectorId);
    else this.#breaker.failed(connectorId, verdict.reason);
  }
}

const ASKING = { attempts: 3, initialDelayMs: 200, maxDelayMs: 2_000 };
const notTaken: CallbackVerdict = { outcome: 'refused', code: 'NotTaken' };

/** A question that is safe to ask again. */
function unanswered(answer: unknown): boolean {
  const { status, healthy } = answer as { status?: string; healthy?: boolean };
  return status === 'unknown' || healthy === false;
}

function reasonOf(answer: unknown): string {
  const { reason, detail } = answer as { reason?: string; detail?: string };
  return reason ?? detail ?? 'Unhealthy';
}

function crowded<Answer>(error: unknown, busy: Answer): Answer {
  if (error instanceof Crowded) return busy;
  throw error;
}
