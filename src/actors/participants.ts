import type { RequestFact } from '../machines/account/account.facts.ts';
import type { WalletSnapshot } from '../machines/account/account.machine.ts';
import type { Command } from '../machines/commands.ts';
import { participants } from '../machines/participants.ts';
import type { World } from '../machines/decision.ts';
import type { PaymentSnapshot } from '../machines/payment/payment.machine.ts';
import type { ConnectorSnapshot } from '../machines/connector/connector.machine.ts';
import type { PayoutSnapshot } from '../machines/payout/payout.machine.ts';
import { accountStream, connectorStream, paymentStream, payoutStream, requestStream } from '../machines/streams.ts';
import type { Resident } from './resident.ts';
import type { Residents } from './residents.ts';

type Kind = 'payment' | 'account' | 'request' | 'payout' | 'connector';
const streamOf = {
  payment: paymentStream,
  account: accountStream,
  request: requestStream,
  payout: payoutStream,
  connector: connectorStream,
} as const;

interface Pinned {
  readonly kind: Kind;
  readonly id: string;
  readonly resident: Resident;
}

/** The actors that one command is decided on, pinned in memory while it is at work: the world of its decision. */
export class Participants implements World {
  readonly #residents: Residents;
  readonly #command: Command;
  readonly #lookUp: boolean;
  /** The residents' count of reads when the command came: a read that was under way then is not of now. */
  readonly #since: number;
  /** A Pay's key is taken to be used for nothing else: the log proves it. */
  #keyAssumed: boolean;
  // A list: a command has three or four, and names of streams need not be made only to look something up.
  readonly #pinned: Pinned[] = [];

  constructor(residents: Residents, command: Command, lookUp: boolean) {
    this.#residents = residents;
    this.#command = command;
    this.#lookUp = lookUp;
    this.#since = residents.reads;
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

  payout(id: string): PayoutSnapshot | undefined {
    return this.#find('payout', id)?.newest as PayoutSnapshot | undefined;
  }

  connector(id: string): ConnectorSnapshot | undefined {
    return this.#find('connector', id)?.newest as ConnectorSnapshot | undefined;
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
      const { payments, wallets, requests, payouts, connectors, all } = participants(this.#command, this);
      for (const id of payments) this.#pin('payment', id);
      for (const id of wallets) this.#pin('account', id);
      if (payouts !== undefined) for (const id of payouts) this.#pin('payout', id);
      if (connectors !== undefined) for (const id of connectors) this.#pin('connector', id);
      if (!this.#keyAssumed) for (const id of requests) this.#pin('request', id);
      let waking: Promise<unknown>[] | undefined;
      for (const pinned of this.#pinned) {
        if (pinned.resident.knowledge !== 'unknown') continue;
        (waking ??= []).push(this.#residents.wake(pinned.resident));
      }
      if (waking !== undefined) return Promise.all(waking);
      if (all === true || this.#pinned.length === before) break;
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
   * True where a refusal stood on what was not read since the command came: now it is. What is refused leaves nothing for
   * the log to check, and another process may have moved the actors on, by this very command even. Who made the read is
   * all the same: commands that are refused together would have each other read again without end.
   */
  mustReload(): boolean {
    let must = false;
    for (const { resident } of this.#pinned) {
      if (resident.knownSince > this.#since || resident.pending !== undefined) continue;
      resident.knowledge = 'unknown';
      must = true;
    }
    return this.#mustReloadRequest() || must;
  }

  /**
   * The same for a command on an account or a payout, whose only trace is its request, where that was read before what it
   * is on was: in between another process may have carried out this very command, and left things as they are now.
   */
  #mustReloadRequest(): boolean {
    const { commandId } = this.#command;
    const request = this.#find('request', commandId);
    if (request === undefined || request.pending !== undefined) return false;
    const isEarlier = ({ kind, resident }: Pinned): boolean =>
      this.#isOn(kind) && request.readBegan !== resident.readBegan && request.readBegan <= resident.readEnded;
    if (!this.#pinned.some(isEarlier)) return false;
    request.knowledge = 'unknown';
    return true;
  }

  /** Whether the command is on actors of the kind, and what it leaves on them does not say whose doing it was. */
  #isOn(kind: Kind): boolean {
    if ('accountId' in this.#command) return kind === 'account';
    return 'payoutId' in this.#command && (kind === 'payout' || kind === 'payment');
  }

  /**
   * True where the newest states stand on a unit of our own that was handed in before the command came. It may be durable
   * long before that is heard here, and another process may have moved the actor on since: a refusal waits for it, and is
   * decided again.
   */
  standsOnOlder(): boolean {
    return this.#pinned.some(({ resident: { pending } }) => pending !== undefined && pending.began <= this.#since);
  }

  /**
   * What a unit must wait for before it may be handed in: a wallet that it leaves alone, so that no expected version fences
   * it, whose opening, freezing or closing is not durable and may still fall. Undefined: nothing, as nearly always.
   */
  unfenced(changes: readonly { readonly stream: string }[]): Promise<boolean> | undefined {
    for (const { kind, resident } of this.#pinned) {
      if (kind !== 'account' || resident.pending === undefined) continue;
      const [durable, newest] = [resident.durable, resident.newest] as (WalletSnapshot | undefined)[];
      if (durable?.value === newest?.value) continue;
      if (!changes.some(({ stream }) => stream === resident.stream)) return resident.pending.settled();
    }
    return undefined;
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
