import type { RecordedUnit } from '../../../eventstore/index.ts';
import { connectorOf, type ProvidersPlan } from '../world/provider-plan.ts';
import type { BreakersModel } from './breakers.ts';
import { check, Finding } from './finding.ts';
import type { Told, Word } from './providers.ts';
import type { Attempt, History, Payment, Payout } from './state.ts';

/** Somebody writes a request to a connector's socket. */
export interface Written {
  readonly paymentId: string;
  readonly connector: string;
  readonly sendBefore: string;
  /** By the clock of who sends it. */
  readonly at: number;
}

/**
 * What was really said of instructions, and really sent: what the log says of them must be one of these words, and what is
 * sent must have its intent in the log.
 */
export class Words {
  readonly #plan: ProvidersPlan;
  readonly #breakers: BreakersModel;
  readonly #payment: (id: string) => Payment | undefined;
  /** By payment and connector. */
  readonly #said = new Map<string, Map<string, Word>>();
  readonly #written = new Set<string>();

  constructor(plan: ProvidersPlan, breakers: BreakersModel, payment: (id: string) => Payment | undefined) {
    this.#plan = plan;
    this.#breakers = breakers;
    this.#payment = payment;
  }

  /** A word reaches Kora: as an answer, or (a refusal is not believed then) as a call of the provider's. */
  heard(paymentId: string, connector: string, word: Word): void {
    const key = `${paymentId} ${connector}`;
    let said = this.#said.get(key);
    if (said === undefined) this.#said.set(key, (said = new Map<string, Word>()));
    const text = JSON.stringify(word, (_, value: unknown) => (typeof value === 'bigint' ? value.toString() : value));
    said.set(text, word);
  }

  /** Its intent is in the log, is of this connector, has not been sent yet, and it is not too late. */
  written({ paymentId, connector, sendBefore, at }: Written): void {
    const attempt = this.#payment(paymentId)?.attempts.find(
      (one) => one.connector === connector && one.sendBefore === sendBefore,
    );
    const what = `${paymentId} was sent to ${connector}`;
    check(
      attempt !== undefined,
      '4 intent',
      () => `${what}, and the log has no such intent (to be sent before ${sendBefore})`,
    );
    check(attempt.known !== 'not sent', '4 intent', () => `${what} after its sender had said that it did not send it`);
    const name = nameOf(paymentId, attempt);
    check(!this.#written.has(name), '4 intent', () => `${what} twice for intent ${attempt.number}`);
    check(at < Date.parse(sendBefore), '4 too late', () => `${what} at ${at}, and was to be sent before ${sendBefore}`);
    this.#written.add(name);
    this.#breakers.used(connector);
  }

  /** The intent as its unit has it, if it is one that the configuration allows. */
  intentIn(unit: RecordedUnit, paymentId: string): Told {
    const row = unit.rows.find(({ stream }) => stream === `payment/${paymentId}`);
    const fact = row?.events[0]?.data as unknown as Omit<Told, 'type' | 'paymentId'>;
    const { connector, provider, sendBefore, resendAt } = fact;
    const plan = connectorOf(this.#plan, connector);
    check(plan?.provider === provider, '4 intent', () => `${connector} is not a connector of ${provider}`);
    const { honoursKeys, findsByKey, requestTimeoutMs, clockSkewMs, notFoundFinalAfterMs } = plan.terms;
    const finalAt = Date.parse(sendBefore) + requestTimeoutMs + clockSkewMs + notFoundFinalAfterMs;
    const isRight = honoursKeys && findsByKey ? Date.parse(resendAt ?? '') >= finalAt : resendAt === undefined;
    check(isRight, '4 intent', () => `${paymentId} at ${connector} may be sent again at ${resendAt ?? 'never'}`);
    return { type: 'Tell', paymentId, connector, provider, sendBefore, resendAt };
  }

  /** The words of that sort that the log may have of an instruction now. */
  of(paymentId: string, number: number, said: Word['said'], at: string): Word[] {
    const attempt = this.#payment(paymentId)?.attempts.find((one) => one.number === number);
    if (attempt === undefined) throw new Finding('3 unit', `${paymentId} has no instruction ${number}`);
    const { connector, sendBefore } = attempt;
    const isWritten = this.#written.has(nameOf(paymentId, attempt));
    const isPast = (afterMs: number): boolean => Date.parse(at) >= Date.parse(sendBefore) + afterMs;
    const terms = connectorOf(this.#plan, connector)?.terms;
    const overdueMs = (terms?.requestTimeoutMs ?? 0) + (terms?.clockSkewMs ?? 0);
    const words = [...(this.#said.get(`${paymentId} ${connector}`)?.values() ?? [])].filter(
      (word) => word.said === said,
    );
    switch (said) {
      case 'not sent':
        check(!isWritten, '4 words', () => `instruction ${number} of ${paymentId} was sent, and is said not to be`);
        return [{ said }];
      case 'unknown':
        // Somebody got no answer; or nobody is heard of any more.
        return words.length > 0 || isPast(overdueMs) ? [{ said }] : [];
      case 'unresolvable': {
        const isAsked = terms?.findsByKey === true;
        const isKnown = attempt.known !== 'on its way' && (attempt.hasRef || isAsked);
        const isFinal = isPast(overdueMs + (terms?.notFoundFinalAfterMs ?? 0));
        check(
          !isKnown || isFinal,
          '4 words',
          () => `instruction ${number} of ${paymentId} is given to people, and may still be on its way`,
        );
        return [{ said }];
      }
      case 'accepted':
      case 'confirmed':
      case 'settled':
      case 'refused':
        return words;
    }
  }

  /** Why a payment was given up, if that is so. */
  undelivered(unit: RecordedUnit, paymentId: string, payouts: History<Payout>): string {
    const row = unit.rows.find(({ stream }) => stream === `payment/${paymentId}`);
    const { reason } = row?.events[0]?.data as { reason: string };
    const payment = this.#payment(paymentId);
    const refused = payment?.attempts.filter(({ known }) => known === 'refused' || known === 'done late') ?? [];
    const isRight = ((): boolean => {
      if (reason === 'cancelled') return payouts.now(payment?.payout ?? '')?.status === 'CANCELLED';
      if (reason === 'no connector takes it') return payment?.kind === 'CASH_IN';
      const names = reason.replace('refused by ', '').split(', ').sort();
      return reason.startsWith('refused by ') && String(names) === String(refused.map((one) => one.connector).sort());
    })();
    check(isRight, '4 words', () => `${paymentId} was given up: ${reason}`);
    return reason;
  }
}

const nameOf = (paymentId: string, { number }: Attempt): string => `${paymentId} ${number}`;
