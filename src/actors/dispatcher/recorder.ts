import { RecentMap } from '../../kernel/recent-map.ts';
import type { InstructionOutcome, PaymentCommand } from '../../machines/commands.ts';
import type { PaymentSnapshot } from '../../machines/payment/payment.machine.ts';
import { newestAt } from '../../machines/payment/transfer.ts';
import type { Outcome } from '../runtime.ts';
import type { DispatcherOptions } from './options.ts';
import { resendAtOf } from './next-step.ts';
import type { Candidate, ConnectorTerms, SendAnswer, Told } from './ports.ts';

/** An intent that is durable and is ours to send. */
export interface Intent {
  readonly instruction: number;
  readonly told: Told;
}

type RecorderOptions = Pick<
  DispatcherOptions,
  'runtime' | 'connectors' | 'clock' | 'settlesAt' | 'span' | 'traceId' | 'correlationOf' | 'onError'
>;

/** Writes down what the dispatcher is about to do, and what came of it. */
export class Recorder {
  readonly #options: RecorderOptions;
  /** What ties a payment to the request that made it: it ties what its provider does to it too. */
  readonly #correlations = new RecentMap<string, string>(50_000);

  constructor(options: RecorderOptions) {
    this.#options = options;
  }

  correlate(paymentId: string, correlationId: string): void {
    this.#correlations.set(paymentId, correlationId);
  }

  /** To be called before a payment is worked on that was found on the work list. */
  async learn(paymentId: string): Promise<void> {
    const { correlationOf } = this.#options;
    if (correlationOf === undefined || this.#correlations.get(paymentId) !== undefined) return;
    this.correlate(paymentId, (await correlationOf(paymentId)) ?? `provider:${paymentId}`);
  }

  /** Where the request is not known the payment's own id ties what belongs to it together. */
  correlationOf(paymentId: string): string {
    return this.#correlations.get(paymentId) ?? `provider:${paymentId}`;
  }

  /**
   * The intent: durable before a byte is sent. Anything but an intent: it is not ours to send. Another process may have
   * written the same one at the same time; then it sends.
   */
  async instruct(payment: PaymentSnapshot, candidate: Candidate): Promise<Intent | Outcome> {
    const { clock, connectors } = this.#options;
    const terms = connectors.terms(candidate.id);
    const { context } = payment;
    const { paymentId } = context;
    const instruction = (context.transfer?.instructions?.number ?? 0) + 1;
    const sendBefore = new Date(clock.now().getTime() + (terms?.sendWithinMs ?? 0));
    const outcome = await this.#carryOut(
      {
        type: 'Instruct',
        paymentId,
        commandId: `instruct:${paymentId}:${instruction}`,
        fingerprint: candidate.id,
        connector: candidate.id,
        provider: candidate.profile,
        sendBefore: sendBefore.toISOString(),
        ...resendOf(sendBefore, terms),
      },
      once,
    );
    if (!outcome.ok || outcome.duplicate) return outcome;
    return { instruction, told: toldOf(payment, sendBefore, this.#options.traceId?.()) };
  }

  /** Sends it, unless it has become too late meanwhile. The connector looks at the time once more, at its socket. */
  send(connectorId: string, { told }: Intent): Promise<SendAnswer> {
    const { clock, connectors } = this.#options;
    if (clock.now().getTime() >= Date.parse(told.sendBefore))
      return Promise.resolve({ outcome: 'not_sent', reason: 'its time to be sent had gone by' });
    return connectors.send(connectorId, told);
  }

  /** Writes down what is known of an instruction. True: it was new. */
  record(paymentId: string, instruction: number, outcome: InstructionOutcome): Promise<boolean> {
    const { span } = this.#options;
    const work = (): Promise<boolean> => this.#record(paymentId, instruction, outcome);
    return span === undefined
      ? work()
      : span('db.updateSlice', { payout_slice_id: paymentId, correlation_id: this.correlationOf(paymentId) }, work);
  }

  async #record(paymentId: string, instruction: number, outcome: InstructionOutcome): Promise<boolean> {
    const payment = await this.#options.runtime.paymentState(paymentId);
    if (payment === undefined) return false;
    const { version, provider } = payment.context;
    // Of the same words at the same version only one is ever applied; at another version they may be new again.
    const written = await this.#carryOut(
      {
        type: 'RecordOutcome',
        paymentId,
        commandId: `outcome:${paymentId}:${instruction}:${outcome.said}:${version}`,
        fingerprint: outcome.said,
        instruction,
        outcome,
        settlesAt: this.#options.settlesAt(provider),
      },
      forEver,
    );
    return written.ok && !written.duplicate;
  }

  /** Ends a payment that no provider will take. True: it did. */
  async fail(payment: PaymentSnapshot, reason: string): Promise<boolean> {
    const { paymentId, version } = payment.context;
    const commandId = `undelivered:${paymentId}:${version}`;
    const outcome = await this.#carryOut({ type: 'Fail', paymentId, commandId, fingerprint: reason, reason }, once);
    return outcome.ok && !outcome.duplicate;
  }

  /**
   * Of what a provider says by itself. A refusal is left to be asked for: see `Dispatcher.told`. False: this process has not
   * heard that the connector was told so; another one may have, a moment ago.
   */
  async told(paymentId: string, connector: string, outcome: InstructionOutcome): Promise<boolean> {
    const payment = await this.#options.runtime.paymentState(paymentId);
    const about = newestAt(payment?.context.transfer, connector);
    if (about === undefined) return false;
    await this.learn(paymentId);
    if (outcome.said !== 'refused') await this.record(paymentId, about.number, outcome);
    return true;
  }

  /** What the log cannot take now is offered again: only this process knows what came of what it sent. */
  async #carryOut(command: PaymentCommand, patience: Patience): Promise<Outcome> {
    const { runtime, clock } = this.#options;
    const caller = {
      tenant: 'kora',
      principal: 'kora:dispatcher',
      correlationId: this.correlationOf(command.paymentId),
    };
    for (let tries = 1; ; tries++) {
      const outcome = await runtime.carryOut(command, caller).catch((error: unknown) => {
        if (tries >= patience.triesMax) throw error;
        // Once, when it is no hiccup any more: what a provider did is not written down yet.
        if (tries === 5) this.#options.onError?.(error);
        return undefined;
      });
      const isBusy = outcome?.ok === false && /^(Overloaded|Contended)$/.test(outcome.refusal.code);
      if (outcome !== undefined && (!isBusy || tries >= patience.triesMax)) return outcome;
      const pauseMs = Math.min(5_000, 100 * 2 ** tries) * (0.75 + clock.random() / 2);
      await new Promise<void>((resolve) => clock.after(pauseMs, resolve));
    }
  }
}

interface Patience {
  readonly triesMax: number;
}
const once: Patience = { triesMax: 1 };
/** Some ten minutes. Then the rules for what is in doubt find it out. */
const forEver: Patience = { triesMax: 120 };

function resendOf(sendBefore: Date, terms: ConnectorTerms | undefined): { readonly resendAt?: string } {
  const at = terms === undefined ? undefined : resendAtOf(sendBefore, terms);
  return at === undefined ? {} : { resendAt: at.toISOString() };
}

function toldOf({ context }: PaymentSnapshot, sendBefore: Date, traceId: string | undefined): Told {
  const { paymentId, kind, amount, currency, payer, payee, route } = context;
  const collects = kind === 'CASH_IN';
  return {
    id: paymentId,
    operation: collects ? 'collect' : 'disburse',
    amount: amount.toString(),
    currency,
    idempotencyKey: paymentId,
    account: route?.beneficiary ?? (collects ? payee : payer) ?? '',
    ...(route?.rail !== undefined && { rail: route.rail }),
    sendBefore: sendBefore.toISOString(),
    traceId: traceId ?? paymentId,
  };
}
