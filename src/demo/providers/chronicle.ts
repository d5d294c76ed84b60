import { setTimeout as sleep } from 'node:timers/promises';
import type { EventLog, Position, RecordedRow } from '../../../eventstore/index.ts';
import type { BreakerState, ConnectorFact } from '../../machines/connector/connector.facts.ts';
import { currentEvents } from '../../machines/fact-codec.ts';
import type { PaymentKind } from '../../machines/payment/payment.facts.ts';
import { categoryOf, idOf } from '../../machines/streams.ts';
import { paymentEvents } from '../../projections/facts.ts';

/** A payment through a provider, as its facts tell it. */
export interface Journey {
  readonly kind: PaymentKind;
  /** Who was told, one after the other. */
  readonly told: string[];
  status: 'under way' | 'captured' | 'settled' | 'failed' | 'reversed';
  /** Nobody knows at this moment whether the provider has it. */
  inDoubt: boolean;
  wasInDoubt: boolean;
}

export interface Breaker {
  readonly connectorId: string;
  readonly state: BreakerState;
  readonly failures: number;
  readonly reason: string | undefined;
}

/** So long a slow machine may take for what takes a second or two. */
const patienceMs = 90_000;

/** Reads the log while it is written: what becomes of breakers, and of the payments of one provider. */
export class Chronicle {
  readonly journeys = new Map<string, Journey>();
  /** Every state that a breaker came to, in order. */
  readonly breakers: Breaker[] = [];
  readonly #log: EventLog;
  readonly #provider: string;
  readonly #onBreaker: (breaker: Breaker) => void;
  #position: Position = 0;
  #broken: unknown;

  /** @param onBreaker told of a breaker when its fact is durable */
  constructor(log: EventLog, provider: string, onBreaker: (breaker: Breaker) => void) {
    this.#log = log;
    this.#provider = provider;
    this.#onBreaker = onBreaker;
  }

  /** Resolves when the signal aborts. */
  async follow(after: Position, signal: AbortSignal): Promise<void> {
    try {
      for await (const { rows, lastPosition } of this.#log.subscribe(after, signal)) {
        for (const row of rows) this.#take(row);
        this.#position = lastPosition;
      }
    } catch (error) {
      this.#broken = error;
    }
  }

  /** How the breaker of a connector stands. */
  state(connectorId: string): BreakerState {
    return this.breakers.findLast((one) => one.connectorId === connectorId)?.state ?? 'CLOSED';
  }

  /** Resolves when the condition holds; rejects when it does not in good time, with what is known then. */
  async until(what: string, condition: () => boolean, signal: AbortSignal): Promise<void> {
    const end = performance.now() + patienceMs;
    while (!condition()) {
      signal.throwIfAborted();
      if (this.#broken !== undefined) throw new Error('the log cannot be followed', { cause: this.#broken });
      if (performance.now() > end) throw new Error(`waited in vain until ${what}: ${this.#summary()}`);
      await sleep(20);
    }
  }

  /** Resolves when so it is of every payment that is in the log now. */
  async untilAll(what: string, condition: (journey: Journey) => boolean, signal: AbortSignal): Promise<void> {
    // Whoever has an answer is ahead of who reads the log: what was asked for last may not be known here yet.
    const asked = await this.#log.lastPosition();
    const holds = (): boolean => this.#position >= asked && [...this.journeys.values()].every(condition);
    await this.until(what, holds, signal);
  }

  #take(row: RecordedRow): void {
    const category = categoryOf(row.stream);
    if (category === 'payment') this.#takePayment(row);
    if (category !== 'connector') return;
    for (const { data } of currentEvents(row)) {
      const { state, failures, reason } = (data as Pick<ConnectorFact, 'after'>).after;
      const breaker = { connectorId: idOf(row.stream), state, failures, reason };
      this.breakers.push(breaker);
      this.#onBreaker(breaker);
    }
  }

  #takePayment(row: RecordedRow): void {
    const id = idOf(row.stream);
    let journey = this.journeys.get(id);
    // Those of everybody else are many, and none of ours.
    if (journey === undefined && row.version !== 1) return;
    for (const { type, data } of paymentEvents(row)) {
      if (type === 'PaymentInitiated') {
        if (data.provider !== this.#provider) return;
        journey = { kind: data.kind, told: [], status: 'under way', inDoubt: false, wasInDoubt: false };
        this.journeys.set(id, journey);
      }
      if (journey === undefined) return;
      if (type === 'InstructionIssued') journey.told.push(data.connector);
      if (type === 'InstructionInDoubt') journey.inDoubt = journey.wasInDoubt = true;
      if (/^Instruction(Accepted|Confirmed|Refused)$/.test(type)) journey.inDoubt = false;
      journey.status = statusAfter[type] ?? journey.status;
    }
  }

  #summary(): string {
    const counts: Record<string, number> = {};
    for (const { kind, status, inDoubt } of this.journeys.values()) {
      const what = `${kind} ${inDoubt ? 'in doubt' : status}`;
      counts[what] = (counts[what] ?? 0) + 1;
    }
    const breakers = this.breakers.map(({ connectorId, state }) => `${connectorId} ${state}`);
    return [...Object.entries(counts).map(([what, count]) => `${count} ${what}`), ...breakers].join(', ');
  }
}

const statusAfter: Readonly<Partial<Record<string, Journey['status']>>> = {
  PaymentCaptured: 'captured',
  PaymentSettled: 'settled',
  PaymentFailed: 'failed',
  PaymentReversed: 'reversed',
};

/** A collection is settled at the provider's day's end only; everybody else's money has arrived by then. */
export function isDone({ kind, status }: Journey): boolean {
  return status !== 'under way' && (status !== 'captured' || kind === 'CASH_IN');
}
