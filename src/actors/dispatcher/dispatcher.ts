import type { RecordedUnit } from '../../../eventstore/index.ts';
import type { InstructionOutcome } from '../../machines/commands.ts';
import { currentEvents } from '../../machines/fact-codec.ts';
import type { PaymentSnapshot } from '../../machines/payment/payment.machine.ts';
import type { Instruction } from '../../machines/payment/transfer.ts';
import { idOf } from '../../machines/streams.ts';
import type { Outcome } from '../runtime.ts';
import { nextStep, notFoundIsFinalAt, type Step } from './next-step.ts';
import { outcomeOfAnswer, outcomeOfStatus } from './outcomes.ts';
import type { DispatcherOptions } from './options.ts';
import type { StatusAnswer, WorkItem } from './ports.ts';
import { type Intent, Recorder } from './recorder.ts';

interface Visit {
  /** When it is looked at again. */
  at: number;
  /** How often in a row nothing came of it. */
  fruitless: number;
  /** At work at this moment. */
  busy: boolean;
  /** Since when no connector takes it. */
  waitingSince: number | undefined;
}

/**
 * Has providers do what payments are for. One of the processes runs it for a payment at a time, to save work; what keeps
 * money safe is the log: the intent is there, at the payment's exact version, before a byte is sent, and who did not write
 * the intent does not send (docs/in-doubt.md).
 */
export class Dispatcher {
  readonly #options: DispatcherOptions;
  readonly #recorder: Recorder;
  readonly #visits = new Map<string, Visit>();
  readonly #atWork = new Set<Promise<void>>();
  #cancelPoll: (() => void) | undefined;
  #polling: Promise<void> | undefined;
  readonly #cursors: Record<'ready' | 'told', string | undefined> = { ready: undefined, told: undefined };
  #stopped = false;

  constructor(options: DispatcherOptions) {
    this.#options = options;
    this.#recorder = new Recorder(options);
  }

  start(): void {
    this.#poll();
  }

  /** Takes nothing new, and resolves when the answers that were waited for are recorded. */
  async stop(): Promise<void> {
    this.#stopped = true;
    this.#cancelPoll?.();
    await this.#polling;
    while (this.#atWork.size > 0) await Promise.all(this.#atWork);
  }

  /** Tells it of a unit in the log, so that a new payment does not wait for the work list. */
  notice(unit: RecordedUnit, isMine: (paymentId: string) => boolean = () => true): void {
    for (const row of unit.rows) {
      if (!row.stream.startsWith('payment/')) continue;
      const events = currentEvents(row);
      // The last fact says whether it waits for a provider now; what a provider is at is asked for by the poll.
      const paymentId = idOf(row.stream);
      if (events.at(-1)?.type !== 'PaymentAuthorized' || !isMine(paymentId)) continue;
      this.#recorder.correlate(paymentId, unit.meta.correlationId);
      this.look(paymentId);
    }
  }

  /** Looks at a payment now, if it is not at work and there is room. Otherwise the next poll finds it. */
  look(paymentId: string): void {
    const visit = this.#visits.get(paymentId);
    if (visit?.busy === true || this.#isFull || this.#stopped) return;
    this.#work(paymentId, visit ?? this.#newVisit(paymentId));
  }

  get #isFull(): boolean {
    return this.#atWork.size >= (this.#options.inFlightMax ?? 512);
  }

  #newVisit(paymentId: string): Visit {
    const visit = { at: 0, fruitless: 0, busy: false, waitingSince: undefined };
    this.#visits.set(paymentId, visit);
    return visit;
  }

  #poll(): void {
    if (this.#stopped) return;
    const { clock, pollMs = 500, onError, span } = this.#options;
    const work = (): Promise<void> => this.#pollOnce();
    this.#polling = (span === undefined ? work() : span('dispatcher.pollSlices', {}, work)).catch((error: unknown) =>
      onError?.(error),
    );
    void this.#polling.then(() => {
      if (!this.#stopped) this.#cancelPoll = clock.after(pollMs, () => this.#poll());
    });
  }

  async #pollOnce(): Promise<void> {
    const { due, clock } = this.#options;
    // Both are gone through page by page, round after round: nothing hides behind what waits for its time.
    for (const sort of ['ready', 'told'] as const) {
      const page = await due(sort, this.#cursors[sort], pageMax);
      this.#cursors[sort] = page.length < pageMax ? undefined : page.at(-1)?.paymentId;
      for (const item of page) this.#offer(item, clock.now().getTime());
    }
    this.#forget(clock.now().getTime());
  }

  #offer({ paymentId, provider }: WorkItem, now: number): void {
    if (!this.#options.connectors.serves(provider)) return;
    const visit = this.#visits.get(paymentId);
    if (visit !== undefined && (visit.busy || now < visit.at)) return;
    this.look(paymentId);
  }

  /** What has not been looked at for long is not on the list any more. */
  #forget(now: number): void {
    for (const [id, visit] of this.#visits) if (!visit.busy && now > visit.at + forgetMs) this.#visits.delete(id);
  }

  #work(paymentId: string, visit: Visit): void {
    visit.busy = true;
    const work = this.#visit(paymentId, visit)
      .catch((error: unknown) => {
        this.#later(visit, 1_000);
        this.#options.onError?.(error);
      })
      .finally(() => {
        visit.busy = false;
        this.#atWork.delete(work);
      });
    this.#atWork.add(work);
  }

  /** One trace a visit: the intent, what connectors do, and what is written down of it. */
  async #visit(paymentId: string, visit: Visit): Promise<void> {
    const { span } = this.#options;
    await this.#recorder.learn(paymentId);
    const goOn = (): Promise<void> => this.#goOn(paymentId, visit);
    const attributes = { payout_slice_id: paymentId, correlation_id: this.#recorder.correlationOf(paymentId) };
    return span === undefined ? goOn() : span('dispatcher.executeSlice', attributes, goOn);
  }

  /** As many steps as can be made now. */
  async #goOn(paymentId: string, visit: Visit): Promise<void> {
    const { runtime, connectors, clock } = this.#options;
    for (let steps = 0; steps < stepsMax && !this.#stopped; steps++) {
      const payment = await runtime.paymentState(paymentId);
      if (payment === undefined || !connectors.serves(payment.context.provider ?? '')) return;
      const step = nextStep(payment, clock.now().getTime(), (id) => connectors.terms(id));
      if (!(await this.#take(step, payment, visit))) return;
    }
  }

  /** Makes one step. True: look at once what is next. */
  #take(step: Step, payment: PaymentSnapshot, visit: Visit): Promise<boolean> | boolean {
    const { paymentId } = payment.context;
    switch (step.do) {
      case 'nothing':
        // The work list may not know yet.
        visit.at = this.#options.clock.now().getTime() + doneMs;
        return false;
      case 'wait':
        visit.at = step.until;
        return false;
      case 'doubt': {
        const reason = 'whoever was to send it is not heard of';
        return this.#recorder.record(paymentId, step.about.number, { said: 'unknown', reason });
      }
      case 'give to people':
        return this.#recorder.record(paymentId, step.about.number, { said: 'unresolvable', reason: step.reason });
      case 'tell':
        return this.#tell(step, payment, visit);
      case 'ask':
        return this.#ask(step, payment, visit);
    }
  }

  /**
   * Asks the provider about a payment now, whatever its turn, whether or not this process runs a dispatcher. What it says is
   * durable when this resolves. It is one question: the rules for what is in doubt, and the turns, are as they were.
   */
  async askNow(paymentId: string): Promise<Asked> {
    const { runtime, connectors, clock } = this.#options;
    const payment = await runtime.paymentState(paymentId);
    if (payment === undefined) return refusedToAsk('NotFound', `there is no payment ${paymentId}`);
    const about = payment.context.transfer?.instructions;
    if (about === undefined) return refusedToAsk('NotAskable', 'no connector was ever told of it');
    const step = nextStep(payment, clock.now().getTime(), (id) => connectors.terms(id));
    if (step.do === 'wait' || step.do === 'tell')
      return refusedToAsk('NotAskable', 'it is on its way to the provider, which is asked by itself: look again');
    const terms = connectors.terms(about.connector);
    if (terms === undefined) return refusedToAsk('NotAskable', `there is no connector ${about.connector} any more`);
    if (about.providerRef === undefined && !terms.findsByKey)
      return refusedToAsk('NotAskable', 'the provider gave no reference, and cannot be asked by our key');
    if (!connectors.admits(about.connector))
      return refusedToAsk('NotAskable', `not now: the breaker of ${about.connector} is open`);
    await this.#recorder.learn(paymentId);
    const answer = await connectors.status(about.connector, about.providerRef ?? `key:${paymentId}`, paymentId);
    if (answer.status === 'not_found') {
      // Whether that is the end of it is for the rules to say, in its turn.
      this.look(paymentId);
      return { outcome: 'asked', said: 'not_found' };
    }
    const outcome = outcomeOfStatus(answer);
    if (outcome !== undefined) await this.#recorder.record(paymentId, about.number, outcome);
    return { outcome: 'asked', said: answer.status };
  }

  async #tell(step: Step & { do: 'tell' }, payment: PaymentSnapshot, visit: Visit): Promise<boolean> {
    const { context } = payment;
    const found = this.#options.connectors.select({
      profile: context.provider ?? '',
      operation: context.kind === 'CASH_IN' ? 'collect' : 'disburse',
      rail: context.route?.rail,
      currency: context.currency,
      amount: context.amount,
      except: step.refusedBy,
    });
    if (found === 'none' && step.refusedBy.size > 0)
      return this.#recorder.fail(payment, `refused by ${[...step.refusedBy].join(', ')}`);
    if (found === 'none' || found === 'none now') {
      if (this.#givesUp(payment, visit)) return this.#recorder.fail(payment, 'no connector takes it');
      this.#later(visit, 1_000, notNowMs);
      return false;
    }
    const intent = await this.#recorder.instruct(payment, found);
    if (!('told' in intent)) return this.#notOurs(intent, payment, visit);
    visit.waitingSince = undefined;
    return this.#send(found.id, intent, visit);
  }

  /** The intent was not written by us: another process was faster, or the payment may not be told. */
  async #notOurs(outcome: Outcome, payment: PaymentSnapshot, visit: Visit): Promise<boolean> {
    if (!outcome.ok && outcome.refusal.code === 'IllegalTransition' && outcome.refusal.allowed.includes('Fail'))
      return this.#recorder.fail(payment, 'cancelled');
    this.#later(visit, 1_000, notNowMs);
    return false;
  }

  async #send(connectorId: string, intent: Intent, visit: Visit): Promise<boolean> {
    const answer = await this.#recorder.send(connectorId, intent);
    const { id } = intent.told;
    await this.#recorder.record(id, intent.instruction, outcomeOfAnswer(answer));
    if (answer.outcome === 'not_sent') this.#later(visit, 1_000, notNowMs);
    else {
      visit.fruitless = 0;
      this.#later(visit, this.#options.askFirstMs ?? 1_000, this.#options.askMaxMs ?? 60_000);
    }
    // Refused: somebody else may take it, now. Not sent: not at once again, or it would go round and round.
    return answer.outcome === 'refused';
  }

  /** A hold has its own end; a collection, which holds nothing, is not tried for ever. */
  #givesUp({ context }: PaymentSnapshot, visit: Visit): boolean {
    if (context.expiresAt !== undefined) return false;
    const now = this.#options.clock.now().getTime();
    visit.waitingSince ??= now;
    return now - visit.waitingSince > (this.#options.giveUpMs ?? 15 * 60_000);
  }

  async #ask(step: Step & { do: 'ask' }, payment: PaymentSnapshot, visit: Visit): Promise<boolean> {
    const { connectors, askFirstMs = 1_000, askMaxMs = 60_000 } = this.#options;
    const { about, reference, rarely } = step;
    const { paymentId } = payment.context;
    const answer = await connectors.status(about.connector, reference, paymentId);
    if (answer.status === 'not_found') return this.#notFound(payment, about, visit);
    const outcome = outcomeOfStatus(answer);
    const isNew = outcome !== undefined && (await this.#recorder.record(paymentId, about.number, outcome));
    if (isNew) visit.fruitless = 0;
    if (rarely) this.#later(visit, rarelyMs);
    else this.#later(visit, askFirstMs, askMaxMs);
    return false;
  }

  /** The provider knows of nothing. Whether that is the end of it, only the time can tell. */
  async #notFound(payment: PaymentSnapshot, about: Instruction, visit: Visit): Promise<boolean> {
    const { connectors, clock, askFirstMs = 1_000, askMaxMs = 60_000 } = this.#options;
    const { context, value } = payment;
    const { paymentId, transfer } = context;
    this.#later(visit, askFirstMs, askMaxMs);
    if (transfer?.status === 'sent') {
      const reason = 'the provider knows it no more';
      return this.#recorder.record(paymentId, about.number, { said: 'unknown', reason });
    }
    const terms = connectors.terms(about.connector);
    if (transfer?.status !== 'in_doubt' || terms === undefined) return false;
    // It may still be on its way there.
    if (clock.now().getTime() < notFoundIsFinalAt(about, terms)) return false;
    const toPeople = (reason: string): Promise<boolean> =>
      this.#recorder.record(paymentId, about.number, { said: 'unresolvable', reason });
    if (value !== 'AUTHORIZED') return toPeople('taken on, and then not found');
    if (!terms.honoursKeys) return toPeople('not found, and the provider may do it twice if it is sent again');
    this.#later(visit, 1_000, notNowMs);
    if (!connectors.admits(about.connector)) return false;
    // The same again, to the same connector with the same key.
    const intent = await this.#recorder.instruct(payment, { id: about.connector, profile: about.provider });
    if ('told' in intent) return this.#send(about.connector, intent, visit);
    if (!intent.ok && intent.refusal.code === 'HoldExpired')
      return toPeople('not found, and it is too late to send it again');
    return false;
  }

  /** Looks at it again after a pause that grows, with jitter, so that many do not come back together. */
  #later(visit: Visit, firstMs: number, maxMs = firstMs): void {
    const { clock } = this.#options;
    const pauseMs = Math.min(maxMs, firstMs * 2 ** Math.min(visit.fruitless, 20));
    visit.fruitless += 1;
    visit.at = clock.now().getTime() + pauseMs * (0.75 + clock.random() / 2);
  }

  /**
   * Takes a provider's own word, whoever of the processes heard it, and whether or not it runs a dispatcher. Resolves when
   * what is new of it is durable. A refusal is not believed until it is asked for: it may have overtaken an acceptance.
   * False: nothing is known here of such an instruction. The provider must say it again: the news may be on its way.
   */
  async told(paymentId: string, connector: string, outcome: InstructionOutcome): Promise<boolean> {
    const isKnown = await this.#recorder.told(paymentId, connector, outcome);
    if (isKnown && outcome.said === 'refused') this.look(paymentId);
    return isKnown;
  }
}

/** What came of asking out of turn. */
export type Asked =
  | { readonly outcome: 'asked'; readonly said: StatusAnswer['status'] }
  | { readonly outcome: 'refused'; readonly code: 'NotFound' | 'NotAskable'; readonly message: string };

const refusedToAsk = (code: 'NotFound' | 'NotAskable', message: string): Asked => ({
  outcome: 'refused',
  code,
  message,
});

/** What nobody takes at the moment is offered again after so long at most. */
const notNowMs = 5_000;
const pageMax = 1_000;
const stepsMax = 20;
const forgetMs = 10 * 60_000;
/** After so long a payment that needs nothing is looked at again, if it is still on the list. */
const doneMs = 60_000;
/** How often it is asked whether what was collected has been settled: that is a matter of days. */
const rarelyMs = 5 * 60_000;
