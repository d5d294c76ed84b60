import type { Caller, ResolveRequest } from '../../../src/actors/requests.ts';
import { UnitFailedError, type Outcome } from '../../../src/actors/runtime.ts';
import { check, Finding } from '../model/finding.ts';
import { isLive } from '../model/state.ts';
import type { Word } from '../model/providers.ts';
import { Oracle } from '../model/oracle.ts';
import { ProjectionsCheck } from '../model/projections-check.ts';
import { Topics } from '../model/topics.ts';
import { troubleCauseOf } from '../../../src/platform/postgres/store-trouble.ts';
import { commandIdOf } from '../../../src/kernel/ids.ts';
import type { InstructionOutcome } from '../../../src/machines/commands.ts';
import { textOf, type Operation, type Scenario } from '../scenario.ts';
import { SimulatedDatabase } from './database.ts';
import { Random } from './random.ts';
import { SimulatedProviders } from './simulated-providers.ts';
import { simulatedProjections } from './simulated-projector.ts';
import { SimulatedProcess, type Clock } from './simulated-process.ts';
import { ConnectionLostError } from './store-errors.ts';
import { Simulator } from './simulator.ts';
import { Watcher } from './watcher.ts';
import { calm, type Weather } from './weather.ts';

type Command = Operation & { readonly do: 'command' };

/** One simulated world: a store, some processes on it, clients, and an oracle that sees everything. */
export class World {
  readonly simulator = new Simulator();
  readonly database = new SimulatedDatabase(this.simulator);
  readonly topics = new Topics();
  readonly oracle: Oracle;
  readonly providers: SimulatedProviders;
  readonly #scenario: Scenario;
  readonly #random: Random;
  readonly #trace: ((line: string) => void) | undefined;
  readonly #projections: ProjectionsCheck;
  readonly #clocks: Clock[] = [];
  readonly #processes: (SimulatedProcess | undefined)[] = [];
  readonly #watchers: Watcher[] = [];
  readonly #acknowledged = new Set<string>();
  readonly #calls: Random;
  readonly #deaths: Random;
  #weather: Weather;
  #lives = 0;
  /** Commands and looks that are not through. */
  #open = 0;
  #isQuiet = false;
  #failure: Error | undefined;

  constructor(scenario: Scenario, trace?: (line: string) => void) {
    this.#scenario = scenario;
    this.#trace = trace;
    this.#weather = scenario.weather;
    this.#random = new Random(`run ${scenario.seed}`);
    this.#calls = this.#random.of('calls');
    this.#deaths = this.#random.of('deaths');
    const { store, projections } = this.database;
    this.#projections = new ProjectionsCheck(projections, store.units, simulatedProjections);
    const { plan, terms } = scenario;
    this.oracle = new Oracle({
      store,
      holdMs: terms.holdMs,
      plan,
      now: () => this.simulator.now,
      taken: (unit) => {
        this.topics.take(unit);
        this.trace(`unit ${unit.id} at ${unit.position} to ${unit.lastPosition}`);
      },
    });
    this.providers = new SimulatedProviders({
      simulator: this.simulator,
      random: this.#random.of('providers'),
      plan,
      weather: () => this.#weather,
      callBack: (...said) => this.#calledBack(...said),
      trace: (line) => this.trace(line),
      guard: (work) => this.guard(work),
    });
    this.database.onFinding = this.fail;
    for (let machine = 0; machine < scenario.machines; machine++) {
      this.#clocks.push({ offsetMs: 0 });
      this.#start(machine);
    }
    for (const operation of scenario.operations) {
      this.simulator.after(operation.atMs, () => this.#do(operation));
    }
  }

  /** Runs to the end of everything; throws what went wrong. */
  async run(): Promise<void> {
    const { operations, terms } = this.#scenario;
    const lastMs = operations.reduce((last, { atMs }) => Math.max(last, atMs), 0);
    this.simulator.after(lastMs + 1_000, () => this.#quiet());
    await this.#go(() => this.#isQuiet && this.#isThrough(), lastMs + 1_200_000 + terms.holdMs + terms.settleAfterMs);
    this.#lookAtEverything();
    await this.#go(() => this.#open === 0 && this.#isSmall(), this.simulator.elapsedMs + 60_000);
    this.#end();
  }

  trace(line: string): void {
    this.#trace?.(`${this.simulator.elapsedMs.toFixed(3)} ${line}`);
  }

  /** What throws ends the run. */
  guard(work: () => void): void {
    try {
      this.oracle.advance();
      work();
    } catch (error) {
      this.fail(error);
    }
  }

  readonly fail = (error: unknown): void => {
    this.#failure ??= error instanceof Error ? error : new Error(String(error));
  };

  /** A process to turn to. Undefined: the one that was chosen is down. */
  processFor(random: Random): SimulatedProcess | undefined {
    return this.#processes[random.whole(0, this.#processes.length - 1)];
  }

  async #go(done: () => boolean, untilMs: number): Promise<void> {
    const isDone = (): boolean => {
      if (this.#failure === undefined) this.guard(() => undefined);
      if (this.#failure !== undefined || done()) return true;
      return this.simulator.elapsedMs > untilMs;
    };
    await this.simulator.run(isDone);
    if (this.#failure !== undefined) throw this.#failure;
    if (!done()) throw new Finding('liveness', `not through after ${untilMs} ms: ${this.#missing()}`);
  }

  #start(machine: number): void {
    const life = this.#lives++;
    const process = new SimulatedProcess({
      simulator: this.simulator,
      database: this.database,
      random: this.#random.of(`process ${life}`),
      name: `process-${life}`,
      clock: this.#clocks[machine] as Clock,
      weather: () => this.#weather,
      terms: this.#scenario.terms,
      residentsMax: this.#scenario.residentsMax,
      bufferedBytesMax: this.#scenario.bufferedBytesMax,
      plan: this.#scenario.plan,
      providers: {
        providers: this.providers,
        written: (written) => {
          this.trace(`${written.connector} is sent ${written.paymentId}`);
          this.guard(() => this.oracle.words.written(written));
        },
        heard: (...heard) => {
          this.guard(() => this.oracle.words.heard(...heard));
        },
        mayDie: () => {
          if (!this.#deaths.chance(this.#weather.killedSending) || this.#processes[machine]?.alive !== true) return;
          this.trace(`process-${life} dies while it sends`);
          this.#endProcess(machine, 'kill', this.#deaths.pick([5, 100, 1_500]));
        },
      },
      isMine: (paymentId) => this.#isPartOf(machine, paymentId),
      failed: (error) => {
        if (!(error instanceof ConnectionLostError)) this.fail(error);
      },
      projected: () => this.guard(() => this.#projections.advance()),
    });
    this.#processes[machine] = process;
    process.start();
  }

  #do(operation: Operation): void {
    if (this.#trace !== undefined) this.trace(textOf(operation).trim());
    switch (operation.do) {
      case 'command':
        void this.#command(operation);
        return;
      case 'look':
        this.#look(operation.what, operation.id, operation.name);
        return;
      case 'resolve':
        this.#resolve(operation.paymentId, operation.name);
        return;
      case 'outage':
        this.providers.outage(operation.connector, operation.lengthMs);
        return;
      case 'watch':
        this.#watchers.push(new Watcher(this, operation.name, operation.topics, this.#random.of(operation.name)));
        return;
      case 'kill':
      case 'stop':
        this.#endProcess(operation.machine, operation.do, operation.downMs);
        return;
      case 'kill projector': {
        const process = this.#processes[operation.machine];
        process?.killProjector();
        this.simulator.after(operation.downMs, () => process?.startProjector(), process);
        return;
      }
      case 'turn clock': {
        if (operation.machine === 'store') this.database.clockOffsetMs += operation.jumpMs;
        else (this.#clocks[operation.machine] as Clock).offsetMs += operation.jumpMs;
        return;
      }
      case 'fill disk':
        this.database.disk = operation.what;
        this.simulator.after(operation.fullMs, () => (this.database.disk = 'roomy'));
        return;
    }
  }

  #endProcess(machine: number, how: 'kill' | 'stop', downMs: number): void {
    const process = this.#processes[machine];
    if (process === undefined) return;
    this.#processes[machine] = undefined;
    const restart = (): void => void this.simulator.after(downMs, () => this.#start(machine));
    if (how === 'kill') {
      process.kill();
      restart();
    } else process.stop().then(restart, this.fail);
  }

  /** Sends a command until it is answered, and then perhaps again. */
  async #command(operation: Command): Promise<void> {
    this.#open += 1;
    const random = this.#random.of(operation.name);
    const { simulator } = this;
    let again = operation.again;
    for (let tries = operation.tries; tries > 0; tries--) {
      const outcome = await this.#ask(operation, random);
      const isAnswered =
        outcome !== undefined && (outcome.ok || !['Overloaded', 'Contended'].includes(outcome.refusal.code));
      if (isAnswered && again-- <= 0) break;
      // In fair weather nobody gives up.
      if (this.#isQuiet) tries += 1;
      await simulator.sleep(random.between(5, 400));
    }
    this.#open -= 1;
  }

  /** One try: the answer, or nothing in time. */
  #ask({ name, principal, request }: Command, random: Random): Promise<Outcome | undefined> {
    const { requestLost, requestTwice, replyLost } = this.#weather;
    const caller: Caller = { tenant: 'kora', principal, correlationId: name };
    const id = this.oracle.asked(request, caller);
    return new Promise((resolve) => {
      const replied = (outcome: Outcome | undefined): void => {
        if (random.chance(replyLost)) return;
        this.simulator.after(this.#wayMs(random), () => {
          // What people say that is known already leaves nothing.
          const isNothing = request.type === 'Resolve' && outcome?.ok === true && outcome.duplicate;
          if (outcome?.ok === true && !isNothing) this.#acknowledged.add(id);
          resolve(outcome);
        });
      };
      const deliver = (): void => {
        const process = this.processFor(random);
        if (process === undefined) return;
        const before = new Date(process.now).toISOString();
        const arrivedAt = this.oracle.position;
        process.carryOut(request, caller).then(
          (outcome) => {
            // A dead process says nothing more.
            if (!process.alive) return;
            this.trace(`${name} answered ${outcome.ok ? 'ok' : outcome.refusal.code} at ${outcome.position ?? '-'}`);
            const clocks = [new Date(process.now).toISOString(), before];
            this.guard(() => this.oracle.answered({ request, caller, clocks, arrivedAt }, outcome));
            replied(outcome);
          },
          (error: unknown) => {
            if (!process.alive) return;
            this.trace(`${name} failed ${String(error)}`);
            if (!(error instanceof UnitFailedError || error instanceof ConnectionLostError)) this.fail(error);
            // What passes is waited for, however long: nobody is told that it failed.
            this.guard(() =>
              check(
                troubleCauseOf(error) === undefined || error instanceof ConnectionLostError,
                '7 patience',
                () => `${name} failed for trouble that passes`,
              ),
            );
            replied(undefined);
          },
        );
      };
      const copies = random.chance(requestTwice) ? 2 : random.chance(requestLost) ? 0 : 1;
      for (let copy = 0; copy < copies; copy++) this.simulator.after(this.#wayMs(random), deliver);
      this.simulator.after(random.between(500, 3_000), () => resolve(undefined));
    });
  }

  /** A provider calls, at whichever process. True: what it said is taken. */
  #calledBack(paymentId: string, connector: string, word: Word): Promise<boolean> {
    const process = this.processFor(this.#calls);
    if (process === undefined) return Promise.resolve(false);
    this.trace(`${connector} says that ${paymentId} is ${word.said}`);
    // A refusal is not to be believed until it is asked for.
    if (word.said !== 'refused') this.oracle.words.heard(paymentId, connector, word);
    return new Promise((resolve) => {
      this.simulator.after(5_000, () => resolve(false));
      process.ear.told(paymentId, connector, outcomeOf(word)).then(
        () => resolve(process.alive),
        (error: unknown) => {
          if (!(error instanceof UnitFailedError || error instanceof ConnectionLostError)) this.fail(error);
          resolve(false);
        },
      );
    });
  }

  /** Payments are parted among the machines; the part of one that is down is the next one's. */
  #isPartOf(machine: number, paymentId: string): boolean {
    if (this.#scenario.plan.election === 'everyone') return true;
    const { length } = this.#processes;
    const first = (paymentId.charCodeAt(3) + paymentId.charCodeAt(5)) % length;
    for (let next = 0; next < length; next++) {
      const at = (first + next) % length;
      if (this.#processes[at] !== undefined) return at === machine;
    }
    return false;
  }

  /** People say what they see in the provider's books, where it is over, and where nothing more can come. */
  #resolve(paymentId: string, name: string): void {
    const payment = this.oracle.payments.now(paymentId);
    const about = payment?.attempts.at(-1);
    if (payment === undefined || about === undefined || !isLive(payment)) return;
    const word = this.providers.truth(about.connector, paymentId);
    const slowest = this.simulator.now + Math.min(...this.#clocks.map(({ offsetMs }) => offsetMs));
    if (word === undefined || (word.said === 'refused' && slowest < Date.parse(about.sendBefore) + 100)) return;
    const idempotencyKey = `resolve ${name}`;
    const request: ResolveRequest =
      word.said === 'confirmed' || word.said === 'settled'
        ? { type: 'Resolve', paymentId, idempotencyKey, outcome: word.said, providerRef: word.ref, ...feeIn(word.fee) }
        : { type: 'Resolve', paymentId, idempotencyKey, outcome: 'refused', reason: 'not_carried_out' };
    const principal = 'user:people';
    this.oracle.truthful(commandIdOf('kora', principal, idempotencyKey));
    void this.#command({ do: 'command', atMs: 0, name, request, principal, tries: 12, again: 0 });
  }

  /** In the end what cannot be found out by asking is looked up. */
  #lookUp(round = 0): void {
    for (const { id, unresolved } of this.oracle.payments.all())
      if (unresolved) this.#resolve(id, `people ${id} ${round}`);
    this.simulator.after(4_000, () => this.#lookUp(round + 1));
  }

  #wayMs(random: Random): number {
    return random.chance(this.#weather.slow) ? random.between(20, 2_000) : random.between(0.1, 10);
  }

  /** Asks a process what is durable now. */
  #look(what: 'payment' | 'account', id: string, name: string, process = this.processFor(this.#random.of(name))): void {
    if (process === undefined) return;
    this.#open += 1;
    let isOpen = true;
    const closed = (): void => {
      if (isOpen) this.#open -= 1;
      isOpen = false;
    };
    const shown =
      what === 'payment'
        ? process.payments.payment(id).then((view) => this.guard(() => this.oracle.shownPayment(id, view)))
        : process.ledger.account(id).then((view) => this.guard(() => this.oracle.shownWallet(id, view)));
    shown.then(closed, (error: unknown) => {
      closed();
      if (!(error instanceof ConnectionLostError)) this.fail(error);
    });
    // It may never be answered: its process may die.
    this.simulator.after(5_000, closed);
  }

  /** Nothing bad happens any more; everything must come to an end by itself. */
  #quiet(): void {
    this.trace('quiet');
    this.#isQuiet = true;
    this.#weather = calm;
    // Clocks are put right, and never back.
    const offsetMs = Math.max(...this.#clocks.map((clock) => clock.offsetMs));
    for (const clock of this.#clocks) clock.offsetMs = offsetMs;
    this.providers.quiet();
    this.#lookUp();
  }

  #isThrough(): boolean {
    if (this.#open > 0 || !this.#processes.every((process) => process?.isReady)) return false;
    const { projections, store } = this.database;
    if (simulatedProjections.some(({ name }) => projections.checkpoint(name) < store.last)) return false;
    if (!this.providers.areThrough || !this.oracle.breakers.areClosed) return false;
    return !this.oracle.isAnythingDue && this.#watchers.every(({ isThrough }) => isThrough);
  }

  /** Whether no more actors are in memory than may be: what is at work on a deadline, or put out in the next turn, is over soon. */
  #isSmall(): boolean {
    const { residentsMax } = this.#scenario;
    return this.#processes.every((process) => (process?.runtime.residents ?? 0) <= residentsMax);
  }

  #missing(): string {
    const { projections, store } = this.database;
    const behind = simulatedProjections.filter(({ name }) => projections.checkpoint(name) < store.last);
    const watchers = this.#watchers.filter(({ isThrough }) => !isThrough).length;
    const unready = this.#processes.filter((process) => process?.isReady !== true).length;
    return `${this.#open} commands, ${behind.length} projections, ${watchers} watchers, ${unready} processes not ready, due: ${this.oracle.due.join(' ')}, providers through: ${this.providers.areThrough}, breakers closed: ${this.oracle.breakers.areClosed}, memory bounded: ${this.#isSmall()}`;
  }

  #lookAtEverything(): void {
    for (const process of this.#processes) {
      for (const { id } of this.oracle.wallets.all()) this.#look('account', id, '', process);
      for (const { id } of this.oracle.payments.all()) this.#look('payment', id, '', process);
    }
  }

  #end(): void {
    this.oracle.end(this.#acknowledged, this.database.projections.tables, this.providers.deeds);
    this.#projections.whole(this.database.store.last);
  }
}

const feeIn = (fee: bigint | undefined): { readonly providerFee?: bigint } =>
  fee === undefined ? {} : { providerFee: fee };

/** A provider's word as the door of its calls hands it on. */
function outcomeOf(word: Word): InstructionOutcome {
  switch (word.said) {
    case 'accepted':
      return { said: word.said, providerRef: word.ref };
    case 'confirmed':
    case 'settled':
      return { said: word.said, providerRef: word.ref, ...feeIn(word.fee) };
    case 'refused':
      return word;
    case 'not sent':
    case 'unknown':
    case 'unresolvable':
      return { said: word.said, reason: 'as it was said' };
  }
}
