import type { RequestFact } from '../machines/account/account.facts.ts';
import type { WalletSnapshot } from '../machines/account/account.machine.ts';
import type { Command } from '../machines/commands.ts';
import { participants } from '../machines/participants.ts';
import type { World } from '../machines/decision.ts';
import type { PaymentSnapshot } from '../machines/payment/payment.machine.ts';
import { accountStream, paymentStream, requestStream } from '../machines/streams.ts';
import type { Resident } from './resident.ts';
import type { Residents } from './residents.ts';

type Kind = 'payment' | 'account' | 'request';
const streamOf = { payment: paymentStream, account: accountStream, request: requestStream } as const;

/** The actors that one command is decided on, pinned in memory while it is at work: the world of its decision. */
export class Participants implements World {
  readonly #residents: Residents;
  readonly #command: Command;
  readonly #lookUp: boolean;
  /** A Pay's key is taken to be used for nothing else: the log proves it. */
  #keyAssumed: boolean;
  #readAgain = false;
  // A list: a command has three or four, and names of streams need not be made only to look something up.
  readonly #pinned: { readonly kind: Kind; readonly id: string; readonly resident: Resident }[] = [];

  constructor(residents: Residents, command: Command, lookUp: boolean) {
    this.#residents = residents;
    this.#command = command;
    this.#lookUp = lookUp;
    this.#keyAssumed = command.type === 'Pay';
  }

  payment(id: string): PaymentSnapshot | undefined {
    return this.#find('payment', id)?.newest as PaymentSnapshot | undefined;
  }

  wallet(id: string): WalletSnapshot | undefined {
    return this.#find('account', id)?.newest as WalletSnapshot | undefined;
  }

  request(id: string): RequestFact | undefined {
    return this.#find('request', id)?.newest as RequestFact | undefined;
  }

  resident(stream: string): Resident | undefined {
    for (const { resident } of this.#pinned) if (resident.stream === stream) return resident;
    return undefined;
  }

  /**
   * Names and pins the command's actors. Undefined: all are awake and may be decided on, now, in this turn. Otherwise
   * what to wait for before asking again.
   */
  gather(speculation: boolean): Promise<unknown> | undefined {
    for (;;) {
      const before = this.#pinned.length;
      const { payments, wallets, requests } = participants(this.#command, this);
      for (const id of payments) this.#pin('payment', id);
      for (const id of wallets) this.#pin('account', id);
      if (!this.#keyAssumed) for (const id of requests) this.#pin('request', id);
      let waking: Promise<unknown>[] | undefined;
      for (const { resident } of this.#pinned) {
        if (resident.knowledge === 'unknown') (waking ??= []).push(this.#residents.wake(resident));
      }
      if (waking !== undefined) return Promise.all(waking);
      if (this.#pinned.length === before) break;
    }
    for (const { resident } of this.#pinned) {
      if ((resident.cautious || !speculation) && resident.pending !== undefined) return resident.pending.settled();
    }
    return undefined;
  }

  /** The log has a stream in another version than was thought: it is looked at anew. */
  foundStale(stream: string): void {
    this.resident(stream)?.outdated();
    if (stream.startsWith('request/')) this.#keyAssumed = false;
  }

  /** True where the last decision stood on what was only assumed (no such payment, a key not used): now it is looked up. */
  mustLoad(): boolean {
    let must = this.#keyAssumed;
    this.#keyAssumed = false;
    for (const { resident } of this.#pinned) {
      if (resident.knowledge !== 'assumed' || resident.pending !== undefined) continue;
      resident.knowledge = 'unknown';
      must = true;
    }
    return must;
  }

  /**
   * True where a refusal stood on what was in memory, the first time: another process may have written since, and be
   * acknowledged, and no expected version proves a refusal that is not appended. Then it is read again.
   */
  mustReadAgain(): boolean {
    if (this.#readAgain) return false;
    this.#readAgain = true;
    let must = false;
    for (const { resident } of this.#pinned) {
      // What stands on a unit of ours is proven by its commit.
      if (resident.knowledge !== 'loaded' || resident.pending !== undefined) continue;
      resident.knowledge = 'unknown';
      must = true;
    }
    return must;
  }

  /** Resolves with true when everything that the actors' newest states stand on is durable; false when something fell. */
  async durable(): Promise<boolean> {
    const pending = new Set<Promise<boolean>>();
    for (const { resident } of this.#pinned) {
      if (resident.pending !== undefined) pending.add(resident.pending.settled());
    }
    return pending.size === 0 || (await Promise.all(pending)).every(Boolean);
  }

  /** Forgets the actors, once what stands on them is settled: they are loaded anew. */
  async forget(): Promise<void> {
    await this.durable();
    for (const { resident } of this.#pinned) if (resident.pending === undefined) resident.outdated();
  }

  release(): void {
    for (const { resident } of this.#pinned) this.#residents.unpin(resident);
  }

  #find(kind: Kind, id: string): Resident | undefined {
    for (const pinned of this.#pinned) if (pinned.id === id && pinned.kind === kind) return pinned.resident;
    return undefined;
  }

  #pin(kind: Kind, id: string): void {
    if (this.#find(kind, id) !== undefined) return;
    const resident = this.#residents.pin(streamOf[kind](id));
    this.#pinned.push({ kind, id, resident });
    const maker = this.#command.type === 'Pay' && kind === 'payment' && id === this.#command.paymentId;
    if (maker && resident.knowledge === 'unknown' && !resident.cautious && !this.#lookUp)
      resident.knowledge = 'assumed';
  }
}
