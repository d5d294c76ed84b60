import type { Position } from '../../../eventstore/index.ts';
import { Breakers } from '../../../src/actors/breakers.ts';
import { DeadlineScheduler } from '../../../src/actors/deadline-scheduler.ts';
import { type Caller, isAccountRequest, type KoraRequest, type Terms } from '../../../src/actors/requests.ts';
import { Dispatcher } from '../../../src/actors/dispatcher/dispatcher.ts';
import type { WorkItem } from '../../../src/actors/dispatcher/ports.ts';
import { Runtime, UnitFailedError, type Outcome } from '../../../src/actors/runtime.ts';
import type { Principal } from '../../../src/gateway/principal.ts';
import { startStreamDoor, type StreamDoor } from '../../../src/gateway/stream/index.ts';
import { createLedger, type Ledger } from '../../../src/ledger/index.ts';
import { createPayments, type Payments } from '../../../src/payments/index.ts';
import { deadlinesTable } from '../../../src/projections/deadlines.projection.ts';
import { instructionsTable } from '../../../src/projections/instructions.projection.ts';
import { paymentsTable } from '../../../src/projections/payments.projection.ts';
import { Troubles } from '../../../src/troubles.ts';
import type { SimulatedDatabase } from './database.ts';
import type { Random } from './random.ts';
import { connectorOf, type ProvidersPlan } from './provider-plan.ts';
import { SimulatedConnectors, type ConnectorsOptions } from './simulated-connectors.ts';
import { followAndWrite } from './simulated-projector.ts';
import { ConnectionLostError } from './store-errors.ts';
import { SimulatedLog } from './simulated-log.ts';
import { SimulatedTransport } from './simulated-transport.ts';
import type { Owner, Simulator } from './simulator.ts';
import { watchStore } from './store-watch.ts';
import type { Weather } from './weather.ts';

/** A machine's clock, which outlives its processes. */
export interface Clock {
  offsetMs: number;
}

export interface ProcessOptions {
  readonly simulator: Simulator;
  readonly database: SimulatedDatabase;
  readonly random: Random;
  /** Of this machine, and of this process on it. */
  readonly name: string;
  readonly clock: Clock;
  readonly weather: () => Weather;
  readonly terms: Terms;
  readonly residentsMax: number;
  readonly bufferedBytesMax: number;
  readonly plan: ProvidersPlan;
  readonly providers: Pick<ConnectorsOptions, 'providers' | 'written' | 'heard' | 'mayDie'>;
  /** Whether it is this process's part to dispatch a payment now. */
  readonly isMine: (paymentId: string) => boolean;
  /** The process heard of a fault that it did not expect. */
  readonly failed: (error: unknown) => void;
  readonly projected: () => void;
}

/**
 * One process: the product's runtime, faces, scheduler, stream door and projections, on simulated ports. It lives until it
 * is killed; nothing of it but what it sent happens afterwards.
 */
export class SimulatedProcess implements Owner {
  alive = true;
  readonly transport: SimulatedTransport;
  readonly runtime: Runtime;
  readonly ledger: Ledger;
  readonly payments: Payments;
  /** Takes what providers say by themselves, whichever process dispatches the payment. */
  readonly ear: Dispatcher;
  readonly #dispatcher: Dispatcher;
  readonly #connectors: SimulatedConnectors;
  readonly #breakers: Breakers;
  readonly #options: ProcessOptions;
  readonly #log: SimulatedLog;
  readonly #troubles: Troubles;
  readonly #stop = new AbortController();
  readonly #scheduler: DeadlineScheduler;
  #projector: Owner & { alive: boolean } = { alive: true };
  #door: StreamDoor | undefined;
  #isLoaded = false;

  constructor(options: ProcessOptions) {
    const { simulator, database, random, name, weather, terms, residentsMax } = options;
    this.#options = options;
    this.#troubles = new Troubles({ logger: nobodyReads as never, now: () => simulator.elapsedMs });
    const onTrouble = (error: Error | undefined): void => {
      if (error === undefined) this.#troubles.end('log');
      else this.#troubles.begin('log', error);
    };
    this.#log = new SimulatedLog({ simulator, database, owner: this, name, random, weather, onTrouble });
    this.transport = new SimulatedTransport(simulator, this, weather);
    const now = (): Date => new Date(this.now);
    this.runtime = new Runtime({
      log: this.#log,
      now,
      terms: { ...terms, railLimits: (provider) => options.plan.bounds[provider] },
      residentsMax,
      nextTurn: (work) => void simulator.after(0, work, this),
      openPaymentsOf: (id) => this.#openPaymentsOf(id),
      unavailable: () => this.#troubles.refusal,
    });
    // Pages and histories ask Postgres; commands and what is durable now do not.
    const pool = undefined as never;
    this.ledger = createLedger({ runtime: this.runtime, pool });
    this.payments = createPayments({ runtime: this.runtime, ledger: this.ledger, pool });
    this.#scheduler = new DeadlineScheduler({
      runtime: this.runtime,
      now,
      due: (at, limit) => this.#due(at, limit),
    });
    const { plan, providers } = options;
    const settleAfterMs = terms.settleAfterMs;
    this.#connectors = new SimulatedConnectors({
      simulator,
      owner: this,
      random: random.of('connectors'),
      plan,
      weather,
      now: () => this.now,
      ...providers,
    });
    this.#breakers = new Breakers({
      runtime: this.runtime,
      terms: (id) => connectorOf(plan, id)?.breaker,
      now,
      onError: (error) => this.#failedUnlessPassing(error),
    });
    this.#connectors.guardedBy(this.#breakers);
    const jitter = random.of('jitter');
    const dispatching = {
      runtime: this.runtime,
      connectors: this.#connectors,
      settlesAt: () => new Date(this.now + settleAfterMs).toISOString(),
      clock: {
        now,
        after: (ms: number, work: () => void) => simulator.after(ms, work, this),
        random: () => jitter.next(),
      },
      pollMs: plan.pollMs,
      askFirstMs: plan.askFirstMs,
      askMaxMs: plan.askMaxMs,
      giveUpMs: plan.giveUpMs,
      inFlightMax: plan.inFlightMax,
      onError: (error: unknown) => this.#failedUnlessPassing(error),
    };
    this.ear = new Dispatcher({ ...dispatching, due: () => Promise.resolve([]) });
    this.#dispatcher = new Dispatcher({ ...dispatching, due: (...asked) => this.#work(...asked) });
  }

  /** By its own clock. */
  get now(): number {
    return Math.floor(this.#options.simulator.now + this.#options.clock.offsetMs);
  }

  /** What its readiness says: nothing keeps the store from doing what it is asked. */
  get isReady(): boolean {
    return this.#troubles.current === undefined;
  }

  start(): void {
    const { simulator, database, failed } = this.#options;
    watchStore(simulator, database, this.#troubles, this);
    void this.#openDoor().catch(failed);
    void this.#observe().catch(failed);
    this.startProjector();
    this.#lookForDeadlines();
    void this.#dispatch().catch(failed);
  }

  /** Breakers first: an outage is not forgotten. */
  async #dispatch(): Promise<void> {
    const { simulator, plan, failed } = this.#options;
    for (let isLoaded = false; !isLoaded;) {
      try {
        await this.#breakers.load(plan.connectors.map(({ id }) => id));
        isLoaded = true;
      } catch {
        await simulator.sleep(100, this);
      }
    }
    this.#isLoaded = true;
    this.#dispatcher.start();
    const lookAfter = (): void => {
      const again = (): void => void simulator.after(1_000, lookAfter, this);
      if (!this.#stop.signal.aborted) this.#connectors.lookAfter().then(again, failed);
    };
    lookAfter();
  }

  /** What a commit or a read that failed comes to is seen at the next look. */
  #failedUnlessPassing(error: unknown): void {
    if (error instanceof UnitFailedError || error instanceof ConnectionLostError) return;
    this.#options.failed(error);
  }

  carryOut(request: KoraRequest, caller: Caller): Promise<Outcome> {
    return isAccountRequest(request) ? this.ledger.carryOut(request, caller) : this.payments.carryOut(request, caller);
  }

  /** Dies where it stands. */
  kill(): void {
    this.alive = false;
    this.#projector.alive = false;
    this.#log.forget();
    this.transport.cut();
  }

  /** Stops as a process does that is told to: nothing new, everything answered, clients sent away. */
  async stop(): Promise<void> {
    if (this.#isLoaded) await Promise.all([this.#dispatcher.stop(), this.ear.stop()]);
    await this.runtime.drain();
    this.#projector.alive = false;
    this.#stop.abort();
    await this.#door?.close();
    await this.#log.close();
    this.kill();
  }

  killProjector(): void {
    this.#projector.alive = false;
  }

  startProjector(): void {
    const owner = (this.#projector = new Part(this));
    const { simulator, database, random, failed, projected } = this.#options;
    const signal = this.#stop.signal;
    void followAndWrite({ log: this.#log, simulator, database, random, owner, signal, projected }).catch(failed);
  }

  async #openDoor(): Promise<void> {
    const { simulator, bufferedBytesMax } = this.#options;
    while (this.#door === undefined) {
      try {
        this.#door = await startStreamDoor({
          log: this.#log,
          authenticator: { verify: () => Promise.resolve({ ok: true, principal: watcher }) },
          host: 'simulated',
          port: 0,
          transport: this.transport.listen,
          limits: { bufferedBytesMax, recheckMs: 60_000, readsMax: 2 },
          timing: {
            now: () => this.now,
            elapsedMs: () => simulator.elapsedMs,
            nextTurn: (work) => void simulator.after(0, work, this),
            after: (delayMs, work) => simulator.after(delayMs, work, this),
          },
        });
      } catch {
        // The store did not answer: a real process would be started again.
        await simulator.sleep(100, this);
      }
    }
  }

  /** As src/composition.ts does it. */
  async #observe(): Promise<void> {
    const { signal } = this.#stop;
    // Before anything is served: what is loaded is at least as new.
    for (let after: Position = this.#options.database.store.last; !signal.aborted;) {
      try {
        for await (const unit of this.#log.subscribe(after, signal, 'foreign')) {
          this.runtime.observe(unit);
          this.#breakers.notice(unit);
          if (this.#isLoaded) this.#dispatcher.notice(unit, this.#options.isMine);
          after = unit.lastPosition;
        }
      } catch {
        await this.#options.simulator.sleep(1_000, this);
      }
    }
  }

  #lookForDeadlines(): void {
    const { simulator, random, failed } = this.#options;
    const again = (): void => void simulator.after(random.between(800, 1_200), () => this.#lookForDeadlines(), this);
    const failedNow = (error: unknown): void => {
      this.#failedUnlessPassing(error);
      again();
    };
    if (!this.#stop.signal.aborted) this.#scheduler.look().then(again, failedNow).catch(failed);
  }

  async #due(at: Date, limit: number): Promise<{ paymentId: string; kind: 'expire' | 'settle' }[]> {
    const { simulator, database, random } = this.#options;
    await simulator.sleep(random.between(0.1, 2), this);
    database.mustAnswer();
    const due = [...database.projections.tables.rows(deadlinesTable).values()]
      .filter((row) => Date.parse(row['due_at'] as string) <= at.getTime())
      .sort((one, other) => (String(one['due_at']) < String(other['due_at']) ? -1 : 1));
    return due.slice(0, limit).map((row) => ({
      paymentId: row['payment_id'] as string,
      kind: row['kind'] as 'expire' | 'settle',
    }));
  }

  async #work(sort: 'ready' | 'told', after: string | undefined, limit: number): Promise<WorkItem[]> {
    const { simulator, database, random, isMine, plan } = this.#options;
    await simulator.sleep(random.between(0.1, 2), this);
    database.mustAnswer();
    const order = sort === 'ready' ? 'updated_at' : 'payment_id';
    return [...database.projections.tables.rows(instructionsTable).values()]
      .filter(({ state }) => (sort === 'ready' ? state === 'ready' : state !== 'ready' && state !== 'asked'))
      .map((row) => row as Record<string, string>)
      .filter((row) => (row['provider'] ?? '') in plan.routes && isMine(row['payment_id'] ?? ''))
      .filter((row) => (row['payment_id'] ?? '') > (after ?? ''))
      .sort((one, other) => (String(one[order]) < String(other[order]) ? -1 : 1))
      .slice(0, limit)
      .map((row) => ({
        paymentId: row['payment_id'] ?? '',
        provider: row['provider'] ?? '',
        state: row['state'] as WorkItem['state'],
      }));
  }

  async #openPaymentsOf(id: string): Promise<number> {
    const { simulator, database, random } = this.#options;
    await simulator.sleep(random.between(0.1, 2), this);
    database.mustAnswer();
    const rows = [...database.projections.tables.rows(paymentsTable).values()];
    const open = ['INITIATED', 'AUTHORIZED', 'CAPTURED'];
    return rows.filter((row) => (row['payer'] === id || row['payee'] === id) && open.includes(row['status'] as string))
      .length;
  }
}

/** A part of a process that can die alone. */
class Part implements Owner {
  readonly #whole: Owner;
  #alive = true;

  constructor(whole: Owner) {
    this.#whole = whole;
  }

  get alive(): boolean {
    return this.#alive && this.#whole.alive;
  }

  set alive(alive: boolean) {
    this.#alive = alive;
  }
}

const nobodyReads = { error: () => undefined, info: () => undefined };

const watcher: Principal = {
  tenant: 'kora',
  principal: 'service:watcher',
  roles: ['service'],
  scopes: undefined,
  expiresAtMs: Number.MAX_SAFE_INTEGER / 2,
};
