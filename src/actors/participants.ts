import type { RequestHandled } from '../machines/account/account.facts.ts';
import type { WalletSnapshot } from '../machines/account/account.machine.ts';
import type { Command } from '../machines/commands.ts';
import { participants } from '../machines/participants.ts';
import type { World } from '../machines/decision.ts';
import type { PaymentSnapshot } from '../machines/payment/payment.machine.ts';
import type { KoraStream } from '../machines/streams.ts';
import { accountStream, paymentStream, requestStream } from '../machines/streams.ts';
import type { Resident } from './resident.ts';
import type { Residents } from './residents.ts';

/** The actors that one command is decided on, pinned in memory while it is at work. */
export class Participants {
  readonly world: World;
  readonly #residents: Residents;
  readonly #command: Command;
  readonly #lookUp: boolean;
  readonly #pinned = new Map<KoraStream, Resident>();

  constructor(residents: Residents, command: Command, lookUp: boolean) {
    this.#residents = residents;
    this.#command = command;
    this.#lookUp = lookUp;
    this.world = {
      payment: (id) => this.#pinned.get(paymentStream(id))?.newest as PaymentSnapshot | undefined,
      wallet: (id) => this.#pinned.get(accountStream(id))?.newest as WalletSnapshot | undefined,
      request: (id) => this.#pinned.get(requestStream(id))?.newest as RequestHandled | undefined,
    };
  }

  resident(stream: string): Resident | undefined {
    return this.#pinned.get(stream as KoraStream);
  }

  /**
   * Names and pins the command's actors. Undefined: all are awake and may be decided on, now, in this turn. Otherwise
   * what to wait for before asking again.
   */
  gather(speculation: boolean): Promise<unknown> | undefined {
    for (;;) {
      const before = this.#pinned.size;
      const { payments, wallets, requests } = participants(this.#command, this.world);
      for (const id of payments) this.#pin(paymentStream(id));
      for (const id of wallets) this.#pin(accountStream(id));
      for (const id of requests) this.#pin(requestStream(id));
      let waking: Promise<unknown>[] | undefined;
      for (const resident of this.#pinned.values()) {
        if (resident.knowledge === 'unknown') (waking ??= []).push(this.#residents.wake(resident));
      }
      if (waking !== undefined) return Promise.all(waking);
      if (this.#pinned.size === before) break;
    }
    for (const resident of this.#pinned.values()) {
      if ((resident.cautious || !speculation) && resident.pending !== undefined) return resident.pending.settled();
    }
    return undefined;
  }

  /** True where the last decision stood on a payment that was only assumed not to exist: now it will be looked up. */
  mustLoad(): boolean {
    let must = false;
    for (const resident of this.#pinned.values()) {
      if (resident.knowledge !== 'assumed' || resident.pending !== undefined) continue;
      resident.knowledge = 'unknown';
      must = true;
    }
    return must;
  }

  /** Resolves with true when everything that the actors' newest states stand on is durable; false when something fell. */
  async durable(): Promise<boolean> {
    const pending = new Set<Promise<boolean>>();
    for (const resident of this.#pinned.values()) {
      if (resident.pending !== undefined) pending.add(resident.pending.settled());
    }
    return pending.size === 0 || (await Promise.all(pending)).every(Boolean);
  }

  release(): void {
    for (const resident of this.#pinned.values()) this.#residents.unpin(resident);
  }

  #pin(stream: KoraStream): void {
    if (this.#pinned.has(stream)) return;
    const resident = this.#residents.pin(stream);
    this.#pinned.set(stream, resident);
    const maker = this.#command.type === 'Pay' && stream === paymentStream(this.#command.paymentId);
    if (maker && resident.knowledge === 'unknown' && !resident.cautious && !this.#lookUp)
      resident.knowledge = 'assumed';
  }
}
