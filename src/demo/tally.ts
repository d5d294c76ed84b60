import type { Command, CommandResult, Payment } from '../gateway/rpc/gen/kora/v1/payment_pb.js';
import { PaymentKind, PaymentStatus } from '../gateway/rpc/gen/kora/v1/payment_pb.js';
import { RefusalCode } from '../gateway/rpc/gen/kora/v1/refusal_pb.js';
import { paymentOf } from './day.ts';

/** Money of one currency as this side of the wire reckons it, from answers alone. */
export interface Flow {
  cashIn: bigint;
  funding: bigint;
  cashOut: bigint;
}

/** What the demo's clients know: every answer that they got, and nothing else. */
export class Tally {
  readonly payments = new Map<string, Payment>();
  readonly refusals = new Map<string, number>();
  commands = 0;
  sentTwice = 0;
  absorbed = 0;
  readonly problems: string[] = [];
  readonly #answers = new Map<string, string>();

  /** Takes an answer in; returns the payment when it is the first answer to its command. */
  take(command: Command, result: CommandResult): Payment | undefined {
    const key = (command.command.value as { idempotencyKey: string }).idempotencyKey;
    const payment = paymentOf(result);
    const { result: what } = result;
    if (what.case === 'fault') {
      this.problems.push(`${key}: ${what.value.message}`);
      return undefined;
    }
    const duplicate = what.case !== undefined && what.value.duplicate;
    const said = `${what.case ?? ''} ${payment === undefined ? '' : `${payment.paymentId} ${payment.status} ${payment.version}`}`;
    const first = this.#answers.get(key);
    if (duplicate) this.absorbed += 1;
    if (first !== undefined) {
      if (first !== said) this.problems.push(`${key}: answered "${first}", then "${said}"`);
      return undefined;
    }
    this.#answers.set(key, said);
    if (what.case === 'refused') {
      const code = RefusalCode[what.value.refusal?.code ?? RefusalCode.UNSPECIFIED];
      this.refusals.set(code, (this.refusals.get(code) ?? 0) + 1);
    }
    if (payment === undefined) return undefined;
    this.see(payment);
    return payment;
  }

  /** Takes in how a payment is. */
  see(payment: Payment): void {
    const known = this.payments.get(payment.paymentId);
    if (known === undefined || known.version < payment.version) this.payments.set(payment.paymentId, payment);
  }

  /** What came in and went out, per currency, by the answers. */
  flows(): Map<string, Flow> {
    const flows = new Map<string, Flow>();
    for (const { kind, status, currency, captured } of this.payments.values()) {
      const flow = flows.get(currency) ?? { cashIn: 0n, funding: 0n, cashOut: 0n };
      flows.set(currency, flow);
      if (status !== PaymentStatus.CAPTURED && status !== PaymentStatus.SETTLED) continue;
      if (kind === PaymentKind.CASH_IN) flow.cashIn += BigInt(captured);
      if (kind === PaymentKind.FUNDING) flow.funding += BigInt(captured);
      if (kind === PaymentKind.CASH_OUT || kind === PaymentKind.PAYOUT) flow.cashOut += BigInt(captured);
    }
    return flows;
  }
}
