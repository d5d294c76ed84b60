import { append, type AppendResult, type EventLog, type Unit } from '../../eventstore/index.ts';
import type { Command, OpenAccount, Pay } from '../../src/machines/commands.ts';
import { eventOf } from '../../src/machines/fact-codec.ts';
import type { Decision } from '../../src/machines/decision.ts';
import { TestWorld } from '../../src/machines/testing/test-world.ts';
import type { WalletType } from '../../src/machines/account/account.facts.ts';

const day = 86_400_000;

/**
 * Writes correct units to a log without the runtime: decides on a world of its own and appends what was decided. One
 * scribe to a log; what it submits is committed in its order.
 */
export class Scribe {
  readonly world = new TestWorld();
  /** The clock: what is decided next is decided at this instant. */
  at = Date.parse('2025-01-01T00:00:00Z');
  readonly #log: EventLog;
  readonly #pending = new Set<Promise<AppendResult>>();
  #commands = 0;

  constructor(log: EventLog) {
    this.#log = log;
  }

  /** Decides a command and submits its facts. Returns the decision; `written` waits for the log. */
  run(command: Command, effectiveAt?: string): Decision {
    const at = new Date(this.at).toISOString();
    const decision = this.world.run(command, at);
    if (decision.outcome !== 'decided') return decision;
    const unit: Unit = {
      id: command.commandId,
      appends: decision.changes.map(
        ({ stream, expect, facts }) =>
          ({
            stream,
            expect,
            events: facts.map(eventOf),
          }) as Unit['appends'][number],
      ),
      meta: {
        at,
        ...(effectiveAt !== undefined && { effectiveAt }),
        correlationId: `correlation-${command.commandId}`,
        principal: 'service:test',
        commandId: command.commandId,
      },
    };
    const appended = append(this.#log, unit).then((result) => {
      this.#pending.delete(appended);
      if (result.outcome !== 'committed') throw new Error(`unit ${unit.id} was not written: ${JSON.stringify(result)}`);
      return result;
    });
    appended.catch(() => undefined);
    this.#pending.add(appended);
    return decision;
  }

  /** Runs it, and throws unless facts were written (a recorded refusal counts). */
  must(command: Command, effectiveAt?: string): string {
    const decision = this.run(command, effectiveAt);
    if (decision.outcome !== 'decided') throw new Error(`${command.type} wrote nothing: ${JSON.stringify(decision)}`);
    return command.commandId;
  }

  /** Resolves when all that was submitted is durable. */
  async written(): Promise<void> {
    await Promise.all(this.#pending);
  }

  open(accountId: string, of: Partial<OpenAccount> & { walletType?: WalletType } = {}): string {
    const walletType = of.walletType ?? 'customer';
    return this.must({ ...this.#ids(), type: 'OpenAccount', accountId, walletType, currency: 'XOF', ...of });
  }

  cashIn(payee: string, amount: bigint, of: Partial<Pay> = {}, effectiveAt?: string): string {
    return this.pay({ kind: 'CASH_IN', payee, provider: 'cash', amount, ...of }, effectiveAt);
  }

  p2p(payer: string, payee: string, amount: bigint, of: Partial<Pay> = {}, effectiveAt?: string): string {
    return this.pay({ kind: 'P2P', payer, payee, amount, ...of }, effectiveAt);
  }

  merchant(payer: string, payee: string, amount: bigint, of: Partial<Pay> = {}, effectiveAt?: string): string {
    return this.pay({ kind: 'MERCHANT', payer, payee, amount, ...of }, effectiveAt);
  }

  /** Gives the payment's id. */
  pay(of: Partial<Pay> & Pick<Pay, 'kind' | 'amount'>, effectiveAt?: string): string {
    const ids = this.#ids('p');
    const currency = of.kind === 'REFUND' ? undefined : { currency: 'XOF' };
    const later = new Date(this.at + day).toISOString();
    return this.must(
      {
        type: 'Pay',
        paymentId: ids.commandId,
        ...ids,
        ...currency,
        upTo: 'SETTLED',
        expiresAt: later,
        settlesAt: later,
        ...of,
      },
      effectiveAt,
    );
  }

  authorize(paymentId: string): void {
    this.must({ ...this.#ids(), type: 'Authorize', paymentId, expiresAt: new Date(this.at + day).toISOString() });
  }
  capture(paymentId: string, amount?: bigint): void {
    const settlesAt = new Date(this.at + day).toISOString();
    this.must({ ...this.#ids(), type: 'Capture', paymentId, settlesAt, ...(amount !== undefined && { amount }) });
  }
  settle(paymentId: string, providerFee?: bigint): void {
    this.must({ ...this.#ids(), type: 'Settle', paymentId, ...(providerFee !== undefined && { providerFee }) });
  }
  reverse(paymentId: string, reason: 'requested' | 'expired' | 'provider' = 'requested'): void {
    this.must({ ...this.#ids(), type: 'Reverse', paymentId, reason });
  }
  fail(paymentId: string, reason = 'declined'): void {
    this.must({ ...this.#ids(), type: 'Fail', paymentId, reason });
  }

  #ids(prefix = 'c') {
    const number = ++this.#commands;
    return { commandId: `${prefix}${number}`, fingerprint: `f${number}` };
  }
}
