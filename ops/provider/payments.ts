import { setTimeout as sleep } from 'node:timers/promises';
import type { Bank, Payment, PaymentStatus } from './bank.ts';
import type { Behaviour } from './behaviour.ts';
import type { Callbacks } from './callbacks.ts';
import type { Dice } from './dice.ts';

export interface Asked {
  readonly reference: string;
  readonly amount: string;
  readonly currency: string;
  readonly account: string;
}

/** What the wire says. `hang`: nothing, ever. */
export type Answer = { readonly status: number; readonly body: unknown } | 'hang';

/** What happens to a payment from its request to its confirmation, with everything that may go wrong. */
export class Payments {
  readonly #bank: Bank;
  readonly #dice: Dice;
  readonly #callbacks: Callbacks;
  readonly #attempts = new Map<string, number>();
  behaviour: Behaviour;

  constructor(bank: Bank, dice: Dice, callbacks: Callbacks, behaviour: Behaviour) {
    this.#bank = bank;
    this.#dice = dice;
    this.#callbacks = callbacks;
    this.behaviour = behaviour;
  }

  /** Goes on to its end whether or not somebody still waits for the answer. */
  async ask(operation: Payment['operation'], asked: Asked): Promise<Answer> {
    const behaviour = this.behaviour;
    const { reference } = asked;
    const attempt = (this.#attempts.get(reference) ?? 0) + 1;
    this.#attempts.set(reference, attempt);
    const rolls = (rate: number, purpose: string) => this.#dice.hits(rate, reference, `${purpose} ${attempt}`);
    const latencyMs = this.#dice.within(behaviour.latency, reference, `latency ${attempt}`);
    await sleep(latencyMs / 2);
    if (rolls(behaviour.errors, 'error')) return this.#after(latencyMs / 2, { status: 500, body: { error: 'oops' } });
    if (rolls(behaviour.notTaken, 'not taken')) {
      return this.#after(latencyMs / 2, { status: 503, body: { status: 'refused', code: 'ProviderUnavailable' } });
    }
    if (rolls(behaviour.onItsWay, 'on its way')) await sleep(behaviour.onItsWayFor);
    const [known] = behaviour.idempotency ? this.#bank.with(reference) : [];
    if (known !== undefined && !same(known, operation, asked)) {
      return this.#after(latencyMs / 2, { status: 409, body: { status: 'refused', code: 'KeyReused' } });
    }
    const payment = known ?? (await this.#take(operation, asked, attempt));
    await sleep(latencyMs / 2);
    if (rolls(behaviour.acceptedTimeouts, 'accepted time-out')) return 'hang';
    if (rolls(behaviour.acceptedErrors, 'accepted error')) return { status: 502, body: { error: 'oops' } };
    if (rolls(behaviour.garbage, 'garbage')) return { status: 200, body: '<html>Welcome to our bank' };
    return { status: payment.status === 'refused' ? 422 : 200, body: shown(payment) };
  }

  /** What is asked for is answered after the same latency, and may be an error too. */
  async status(reference: string, found: Payment | undefined): Promise<Answer> {
    const attempt = (this.#attempts.get(`? ${reference}`) ?? 0) + 1;
    this.#attempts.set(`? ${reference}`, attempt);
    const purpose = `status ${attempt}`;
    await sleep(this.#dice.within(this.behaviour.latency, reference, purpose));
    if (this.#dice.hits(this.behaviour.errors, reference, `${purpose} error`)) {
      return { status: 500, body: { error: 'oops' } };
    }
    return found === undefined ? { status: 404, body: { status: 'not_found' } } : { status: 200, body: shown(found) };
  }

  /** Says something of a payment, also what contradicts what was said before. */
  async say(payment: Payment, status: PaymentStatus, code?: string): Promise<void> {
    payment.status = status;
    if (code !== undefined) payment.code = code;
    const twice = this.#dice.hits(this.behaviour.duplicateCallbacks, payment.reference, `duplicate ${status}`);
    await Promise.all([this.#callbacks.tell(payment), ...(twice ? [this.#callbacks.tell(payment)] : [])]);
  }

  async #take(operation: Payment['operation'], asked: Asked, attempt: number): Promise<Payment> {
    const { behaviour } = this;
    const { reference } = asked;
    const dice = this.#dice;
    const id = dice.id(reference, `id ${this.#bank.with(reference).length}`);
    const payment = this.#bank.take({ id, operation, ...asked, status: 'pending' });
    if (dice.hits(behaviour.refusals, reference, `refusal ${attempt}`)) {
      payment.status = 'refused';
      payment.code = 'InvalidAccount';
      return payment;
    }
    const lateMs = dice.hits(behaviour.late, reference, 'late') ? behaviour.lateBy : 0;
    const waitMs = dice.within(behaviour.confirmAfter, reference, 'confirm') + lateMs;
    const refused = dice.hits(behaviour.refusedAfterAccepted, reference, 'refused after accepted');
    const end = () => (refused ? this.say(payment, 'refused', 'Rejected') : this.say(payment, 'confirmed'));
    if (dice.hits(behaviour.callbackFirst, reference, 'callback first')) {
      await Promise.race([end(), sleep(1_000)]);
    } else if (waitMs === 0) {
      void end();
    } else {
      void this.#later(waitMs, payment, end);
    }
    return payment;
  }

  async #later(waitMs: number, payment: Payment, end: () => Promise<void>): Promise<void> {
    const pending = { ...payment };
    const disordered = this.#dice.hits(this.behaviour.outOfOrderCallbacks, payment.reference, 'out of order');
    if (!disordered) void this.#callbacks.tell(pending);
    await sleep(waitMs);
    // Somebody may have said something else meanwhile, over the admin's port.
    if (payment.status === 'pending') await end();
    if (disordered) await this.#callbacks.tell(pending);
  }

  async #after(ms: number, answer: Answer): Promise<Answer> {
    await sleep(ms);
    return answer;
  }
}

function shown({ id, reference, status, amount, currency, fee, code }: Payment): object {
  return { id, reference, status, amount, currency, fee, ...(code === undefined ? {} : { code }) };
}

function same(known: Payment, operation: Payment['operation'], asked: Asked): boolean {
  const { amount, currency, account } = asked;
  return (
    known.operation === operation && known.amount === amount && known.currency === currency && known.account === account
  );
}
