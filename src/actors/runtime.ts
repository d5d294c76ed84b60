import type { AppendResult, EventLog, Position, RecordedUnit, Unit } from '../../eventstore/index.ts';
import { invariant, InvariantError } from '../kernel/invariant.ts';
import type { Refusal } from '../kernel/refusal.ts';
import type { WalletView } from '../machines/account/view.ts';
import { walletView } from '../machines/account/view.ts';
import type { WalletSnapshot } from '../machines/account/account.machine.ts';
import { walletFromFact } from '../machines/account/account.machine.ts';
import type { Command } from '../machines/commands.ts';
import { decide } from '../machines/decide.ts';
import { connectorFromFact, type ConnectorSnapshot, newConnector } from '../machines/connector/connector.machine.ts';
import { type ConnectorView, connectorView } from '../machines/connector/view.ts';
import type { Decision } from '../machines/decision.ts';
import { eventOf } from '../machines/fact-codec.ts';
import { refusalOfFailed } from '../machines/payment/failure.ts';
import { elsewhere } from '../machines/payment/key.ts';
import { appliedCommand, type PaymentSnapshot } from '../machines/payment/payment.machine.ts';
import type { PaymentView } from '../machines/payment/view.ts';
import { paymentView } from '../machines/payment/view.ts';
import type { PayoutSnapshot } from '../machines/payout/payout.machine.ts';
import { type PayoutView, payoutView, refusalOfFailedPayout } from '../machines/payout/view.ts';
import type { KoraStream } from '../machines/streams.ts';
import { accountStream, connectorStream, paymentStream, payoutStream, requestStream } from '../machines/streams.ts';
import { Participants } from './participants.ts';
import type { Caller, ConnectorRequest, KoraRequest, Terms } from './requests.ts';
import { commandOf, defaultTerms } from './requests.ts';
import { PendingUnit } from './resident.ts';
import { readPayment, readPayout, Residents } from './residents.ts';

/** What a request came to. Whatever is said here is durable. */
export type Outcome =
  | {
      readonly ok: true;
      readonly payment?: PaymentView;
      readonly account?: WalletView;
      readonly payout?: PayoutView;
      readonly connector?: ConnectorView;
      /** Position of the last event of the unit; absent where the answer was given before. */
      readonly position?: Position;
      /** True where the same request had been carried out before: this is its first answer again. */
      readonly duplicate: boolean;
    }
  | {
      readonly ok: false;
      readonly refusal: Refusal;
      /** The payment that records the refusal, where it is recorded. */
      readonly payment?: PaymentView;
      /** The same of a payout. */
      readonly payout?: PayoutView;
      readonly position?: Position;
      readonly duplicate: boolean;
    };

/** Told of every answer, once it is there. `outcome` undefined: a fault. Called where commands are fast: it counts, no more. */
export type CommandObserver = (type: Command['type'], outcome: Outcome | undefined, tookMs: number) => void;

export interface RuntimeOptions {
  readonly log: EventLog;
  readonly now?: () => Date;
  readonly terms?: Partial<Terms>;
  /** Actors kept in memory. Default 100,000. */
  readonly residentsMax?: number;
  /** Requests at work at the same time; further ones are refused as overloaded. Default 50,000. */
  readonly requestsMax?: number;
  /** How often a request is decided anew after lost races before it is refused as contended. Default 20. */
  readonly attemptsMax?: number;
  /** How many payments name an account and are not final: asked before an account is closed. */
  readonly openPaymentsOf?: (accountId: string) => Promise<number>;
  /** Why commands are refused before anything is begun, such as a store that has been away for long. Default: never. */
  readonly unavailable?: () => string | undefined;
  /** Starts work after the current turn. Default `setImmediate`; the simulation has turns of its own. */
  readonly nextTurn?: (work: () => void) => void;
  /** Default: nobody is told. */
  readonly onAnswer?: CommandObserver | undefined;
}

/** The log took a unit and could not say what became of it, or refused it for a reason that is nobody's decision. */
export class UnitFailedError extends Error {
  override readonly name = 'UnitFailedError';
  readonly code = 'UnitFailed';
}

/**
 * The actor runtime. A request becomes a command; the command's actors are woken; then, in one synchronous section, the
 * machines decide on the newest states, the facts go to the log as one unit, and the actors go on from there
 * speculatively. Nothing is answered before what it rests on is durable, refusals and duplicate answers included.
 */
export class Runtime {
  readonly #log: EventLog;
  readonly #now: () => Date;
  readonly #terms: Terms;
  readonly #residents: Residents;
  readonly #requestsMax: number;
  readonly #attemptsMax: number;
  readonly #openPaymentsOf: (accountId: string) => Promise<number>;
  readonly #unavailable: () => string | undefined;
  readonly #onAnswer: CommandObserver | undefined;
  #atWork = 0;
  #drained: (() => void) | undefined;
  /** While above 0, payments that nobody has heard of are looked up: lately they did exist. */
  #lookUps = 0;

  constructor(options: RuntimeOptions) {
    this.#log = options.log;
    this.#now = options.now ?? (() => new Date());
    this.#terms = { ...defaultTerms, ...options.terms };
    const nextTurn = options.nextTurn ?? ((work) => setImmediate(work));
    this.#residents = new Residents(options.log, options.residentsMax ?? 100_000, nextTurn);
    this.#requestsMax = options.requestsMax ?? 50_000;
    this.#attemptsMax = options.attemptsMax ?? 20;
    this.#openPaymentsOf = options.openPaymentsOf ?? (() => Promise.resolve(0));
    this.#unavailable = options.unavailable ?? (() => undefined);
    this.#onAnswer = options.onAnswer;
  }

  /** Requests that are not answered yet. */
  get atWork(): number {
    return this.#atWork;
  }

  /** Actors in memory. */
  get residents(): number {
    return this.#residents.size;
  }

  /**
   * Carries out one request. Resolves when the outcome is durable. Throws `UnitFailedError` where the log failed (the
   * outcome may be unknown: ask again with the same key), and whatever a read of the log throws.
   */
  execute(request: KoraRequest, caller: Caller): Promise<Outcome> {
    // Not `async`, nor is `carryOut`: what waits for its commit lives in memory, and each such frame is a tenth of it.
    let command: Command;
    try {
      command = commandOf(request, caller, this.#now(), this.#terms);
    } catch (error) {
      return Promise.reject(error instanceof Error ? error : new Error(String(error)));
    }
    if (command.type !== 'CloseAccount') return this.carryOut(command, caller);
    const close = command;
    return this.#openPaymentsOf(close.accountId).then((openPayments) =>
      this.carryOut({ ...close, openPayments }, caller),
    );
  }

  /** The same for an operator's word on a connector, which the Providers hand on. */
  operate(request: ConnectorRequest, caller: Caller): Promise<Outcome> {
    return this.carryOut(commandOf(request, caller, this.#now(), this.#terms), caller);
  }

  /** The same for a command that is complete: deadlines and other machine-made ones. */
  carryOut(command: Command, caller: Caller): Promise<Outcome> {
    if (this.#drained) return this.#turnedAway(command, 'Kora is shutting down: send it again to another process');
    if (this.#atWork >= this.#requestsMax)
      return this.#turnedAway(command, `${this.#atWork} requests are at work: try again later`);
    const unavailable = this.#unavailable();
    if (unavailable !== undefined) return this.#turnedAway(command, unavailable);
    return this.#atWorkOn(command, caller);
  }

  #turnedAway(command: Command, message: string): Promise<Outcome> {
    const outcome = overloaded(message);
    this.#onAnswer?.(command.type, outcome, 0);
    return Promise.resolve(outcome);
  }

  /**
   * Whether the log has what this request came to, as far as this process has heard. Then carrying it out once more comes
   * to the same answer, and soon.
   */
  async isApplied(request: KoraRequest | ConnectorRequest, caller: Caller): Promise<boolean> {
    const command = commandOf(request, caller, this.#now(), this.#terms);
    if (!('paymentId' in command)) return (await this.#durable(requestStream(command.commandId))) !== undefined;
    const payment = (await this.#durable(paymentStream(command.paymentId))) as PaymentSnapshot | undefined;
    return payment !== undefined && appliedCommand(payment.context, command.commandId) !== undefined;
  }

  /** A payment as it is durably. Undefined: there is none. */
  async payment(id: string): Promise<PaymentView | undefined> {
    const state = (await this.#durable(paymentStream(id))) as PaymentSnapshot | undefined;
    return state && paymentView(state);
  }

  /** A wallet as it is durably. Undefined: there is none. */
  async account(id: string): Promise<WalletView | undefined> {
    const state = (await this.#durable(accountStream(id))) as WalletSnapshot | undefined;
    return state && walletView(state);
  }

  /** A payout as it is durably, without what became of its slices. Undefined: there is none. */
  async payout(id: string): Promise<PayoutView | undefined> {
    const state = (await this.#durable(payoutStream(id))) as PayoutSnapshot | undefined;
    return state && payoutView(state);
  }

  /** A connector's breaker as it is durably. One of which nothing was ever written is closed. */
  async connector(id: string): Promise<ConnectorView> {
    const state = (await this.#durable(connectorStream(id))) as ConnectorSnapshot | undefined;
    return connectorView(state ?? newConnector(id));
  }

  /** A payment with all that its provider was told and has said, as it is durably. Undefined: there is none. */
  async paymentState(id: string): Promise<PaymentSnapshot | undefined> {
    return (await this.#durable(paymentStream(id))) as PaymentSnapshot | undefined;
  }

  /**
   * Tells the runtime of a unit in the log. What other processes wrote makes our state out of date: it is forgotten, so
   * that queries and refusals do not rest on it. (Facts never would: their expected versions are the fence.)
   */
  observe(unit: RecordedUnit): void {
    for (const row of unit.rows) {
      this.#residents.peek(row.stream as KoraStream)?.heardOf(row.version + row.events.length - 1);
    }
  }

  /**
   * Payer or payee of a payment that is in memory; where it has one of them only, that one. Undefined: nothing is known
   * here, which says nothing of the payment.
   */
  partyOf(paymentId: string, side: 'payer' | 'payee'): string | undefined {
    const state = this.#residents.peek(paymentStream(paymentId))?.newest as PaymentSnapshot | undefined;
    if (state === undefined) return undefined;
    const { payer, payee } = state.context;
    return side === 'payer' ? (payer ?? payee) : (payee ?? payer);
  }

  /** Another process came to this outcome: queries here must not miss it because the news of it is still on its way. */
  wroteElsewhere({ payment, account, payout }: Outcome & { readonly account?: WalletView }): void {
    const streams: KoraStream[] = [];
    if (payment !== undefined) streams.push(paymentStream(payment.paymentId));
    if (payout !== undefined) {
      // A payout that is cancelled ends slices.
      streams.push(payoutStream(payout.payoutId), ...payout.slices.map(({ paymentId }) => paymentStream(paymentId)));
    }
    for (const id of [payment?.payer, payment?.payee, account?.accountId, payout?.payer]) {
      if (id !== undefined) streams.push(accountStream(id));
    }
    for (const stream of streams) {
      const resident = this.#residents.peek(stream);
      // What is pending here falls if it stands on something old.
      if (resident === undefined || resident.knowledge === 'unknown' || resident.pending !== undefined) continue;
      resident.outdated();
    }
  }

  /** Takes no more requests and resolves when those at work are answered. */
  drain(): Promise<void> {
    return new Promise((resolve) => {
      this.#drained = resolve;
      if (this.#atWork === 0) resolve();
    });
  }

  #workEnded(): void {
    this.#atWork -= 1;
    if (this.#atWork === 0) this.#drained?.();
  }

  async #atWorkOn(command: Command, caller: Caller): Promise<Outcome> {
    this.#atWork += 1;
    const beganMs = this.#onAnswer === undefined ? 0 : performance.now();
    let outcome: Outcome | undefined;
    const participants = new Participants(this.#residents, command, this.#lookUps > 0);
    try {
      let misfits = 0;
      for (let lost = 0; lost < this.#attemptsMax;) {
        const obstacle = participants.gather(this.#log.capabilities.speculation);
        if (obstacle !== undefined) {
          await obstacle;
          continue;
        }
        const at = this.#now().toISOString();
        const decision = decideOrMisfit(command, at, participants);
        if (decision instanceof InvariantError) {
          if (misfits++ >= misfitsMax) throw decision;
          await participants.forget();
          continue;
        }
        if (decision.outcome !== 'decided') {
          const isRefused = decision.outcome === 'refused';
          if (participants.mustLoad() || (isRefused && participants.mustReload())) continue;
          // Asked now: what is known may be another thing after the wait.
          const isOutrun = isRefused && participants.standsOnOlder();
          // What it rests on may still fall; then it is decided again.
          if (!(await participants.durable())) {
            lost += 1;
            continue;
          }
          if (isOutrun) continue;
          return (outcome = await this.#answerWithoutWriting(command, decision));
        }
        const unfenced = participants.unfenced(decision.changes);
        if (unfenced !== undefined) {
          await unfenced;
          continue;
        }
        const result = await this.#append(decision, command, caller, at, participants);
        switch (result.outcome) {
          case 'committed':
            if (this.#lookUps > 0) this.#lookUps -= 1;
            return (outcome = answerOf(decision, result.lastPosition));
          case 'overloaded':
            return (outcome = overloaded('too many units wait for the log: try again later'));
          case 'stale':
            if (result.expected === 0 && result.stream.startsWith('payment/')) this.#lookUps = 1_000;
            lost += 1;
            break;
          case 'failed':
            throw new UnitFailedError(`the log failed: ${result.error.message}`, { cause: result.error });
        }
      }
      return (outcome = {
        ok: false,
        duplicate: false,
        refusal: {
          code: 'Contended',
          message: `others changed the same actors ${this.#attemptsMax} times while this was decided: send it again`,
        },
      });
    } finally {
      participants.release();
      this.#workEnded();
      this.#onAnswer?.(command.type, outcome, performance.now() - beganMs);
    }
  }

  /** Hands the unit to the log and lets the actors go on from it. Synchronous up to there. */
  #append(
    decision: Decision & { outcome: 'decided' },
    command: Command,
    caller: Caller,
    at: string,
    participants: Participants,
  ): Promise<AppendResult | { outcome: 'overloaded' }> {
    return new Promise((resolve) => {
      const pending = new PendingUnit(this.#residents.nextCount());
      const settled = (result: AppendResult): void => {
        for (const { stream } of decision.changes) {
          const resident = participants.resident(stream);
          if (result.outcome === 'committed') {
            resident?.committed(pending);
            continue;
          }
          resident?.fell(pending);
          if (result.outcome === 'failed') resident?.outdated();
        }
        if (result.outcome === 'stale' && result.actual !== undefined) participants.foundStale(result.stream);
        pending.settle(result.outcome === 'committed');
        resolve(result);
      };
      if (this.#log.submit(unitOf(decision, command, caller, at), settled) === 'overloaded') {
        resolve({ outcome: 'overloaded' });
        return;
      }
      for (const change of decision.changes) {
        if (change.expect === 'any') continue;
        const resident = participants.resident(change.stream);
        invariant(resident, `${change.stream} was changed by a decision that had not named it`);
        resident.speculate(pending, change.next);
      }
    });
  }

  async #answerWithoutWriting(command: Command, decision: Exclude<Decision, { outcome: 'decided' }>): Promise<Outcome> {
    switch (decision.outcome) {
      case 'refused':
        return { ok: false, refusal: decision.refusal, duplicate: false };
      case 'duplicate-request': {
        const { accountId, after, version } = decision.request;
        const then = walletFromFact({ type: 'AccountOpened', after }, version, accountId);
        return { ok: true, account: walletView(then), duplicate: true };
      }
      case 'duplicate': {
        const resident = this.#residents.peek(decision.stream)?.durable as PaymentSnapshot | undefined;
        const then =
          resident?.context.version === decision.version
            ? resident
            : await readPayment(this.#log, decision.stream, decision.version);
        invariant(then, `${decision.stream} is said to have applied ${command.commandId}, but is not in the log`);
        return { ...answerOfPayment(then), duplicate: true };
      }
      case 'duplicate-payout': {
        const then = await readPayout(this.#log, decision.stream, decision.version);
        invariant(then, `${decision.stream} is said to have applied ${command.commandId}, but is not in the log`);
        return { ...answerOfPayout(then), duplicate: true };
      }
      case 'duplicate-connector': {
        const { connectorId, version, after } = decision;
        const then = connectorFromFact({ type: 'BreakerForced', reason: '', after }, version, connectorId);
        return { ok: true, connector: connectorView(then), duplicate: true };
      }
    }
  }

  async #durable(stream: KoraStream): Promise<unknown> {
    const resident = this.#residents.pin(stream);
    try {
      while (resident.knowledge !== 'loaded') await this.#residents.wake(resident);
      return resident.durable;
    } finally {
      this.#residents.unpin(resident);
    }
  }
}

/** So often states that do not fit together are loaded anew; then it is no race but a bug. */
const misfitsMax = 3;

/**
 * A decision, or the invariant that it broke. With several processes the state of one actor may be newer than that of
 * another: a payment that holds money, on a wallet as it was before the hold. Nothing wrong could be written (expected
 * versions are the fence), but the machines do not take what does not fit.
 */
function decideOrMisfit(command: Command, at: string, participants: Participants): Decision | InvariantError {
  try {
    return decide(command, at, participants);
  } catch (error) {
    if (error instanceof InvariantError) return error;
    throw error;
  }
}

function overloaded(message: string): Outcome {
  return { ok: false, refusal: { code: 'Overloaded', message }, duplicate: false };
}

function unitOf(decision: Decision & { outcome: 'decided' }, command: Command, caller: Caller, at: string): Unit {
  const absent = elsewhere(command);
  return {
    id: command.commandId,
    ...(absent && { absent: [absent] }),
    appends: decision.changes.map((change) =>
      change.expect === 'any'
        ? { stream: change.stream, expect: change.expect, events: change.facts.map(eventOf) }
        : { stream: change.stream, expect: change.expect, events: change.facts.map(eventOf) },
    ),
    meta: { at, ...caller, commandId: command.commandId },
  };
}

function answerOf(decision: Decision & { outcome: 'decided' }, position: Position): Outcome {
  const payout = decision.changes.find((change) => change.stream.startsWith('payout/'));
  if (payout !== undefined && payout.expect !== 'any') {
    return { ...answerOfPayout(payout.next as PayoutSnapshot), position };
  }
  const payment = decision.changes.find((change) => change.stream.startsWith('payment/'));
  if (payment !== undefined && payment.expect !== 'any') {
    return { ...answerOfPayment(payment.next as PaymentSnapshot), position };
  }
  const connector = decision.changes.find((change) => change.stream.startsWith('connector/'));
  if (connector !== undefined && connector.expect !== 'any') {
    return { ok: true, connector: connectorView(connector.next as ConnectorSnapshot), position, duplicate: false };
  }
  const account = decision.changes.find((change) => change.stream.startsWith('account/'));
  invariant(account !== undefined && account.expect !== 'any', 'a unit changes a payment or an account');
  return { ok: true, account: walletView(account.next as WalletSnapshot), position, duplicate: false };
}

/** The same of a payout. */
function answerOfPayout(state: PayoutSnapshot): Outcome {
  const payout = payoutView(state);
  const refusal = refusalOfFailedPayout(state);
  return refusal === undefined
    ? { ok: true, payout, duplicate: false }
    : { ok: false, refusal, payout, duplicate: false };
}

/**
 * A payment that a refusal made FAILED is answered as that refusal, the first time and every later time. One that somebody
 * ended by `Fail` is what they asked for.
 */
function answerOfPayment(state: PaymentSnapshot): Outcome {
  const payment = paymentView(state);
  const refusal = refusalOfFailed(state);
  return refusal === undefined || refusal.code === 'PaymentFailed'
    ? { ok: true, payment, duplicate: false }
    : { ok: false, refusal, payment, duplicate: false };
}
