import type { EventLog, Position, RecordedRow } from '../../../eventstore/index.ts';
import { invariant } from '../../kernel/invariant.ts';
import type { SystemEntryPosted, WalletFact } from '../../machines/account/account.facts.ts';
import { walletFromFact } from '../../machines/account/account.machine.ts';
import { walletView } from '../../machines/account/view.ts';
import { evolvePayment } from '../../machines/evolve.ts';
import { factsOf } from '../../machines/fact-codec.ts';
import type { PaymentFact } from '../../machines/payment/payment.facts.ts';
import type { PaymentSnapshot } from '../../machines/payment/payment.machine.ts';
import { paymentView, type PaymentView } from '../../machines/payment/view.ts';
import type { ConnectorFact } from '../../machines/connector/connector.facts.ts';
import { connectorFromFact, newConnector } from '../../machines/connector/connector.machine.ts';
import { connectorView } from '../../machines/connector/view.ts';
import type { PayoutFact } from '../../machines/payout/payout.facts.ts';
import { evolvePayout, type PayoutSnapshot } from '../../machines/payout/payout.machine.ts';
import { payoutView } from '../../machines/payout/view.ts';
import { lastPositionOf } from './frames.ts';
import type { StreamTopic } from './topics.ts';

/** What a topic is, from the log: its state after `version`, whose event is at `position`. */
export interface TopicState {
  /** Null: it does not exist (yet). */
  readonly state: object | null;
  readonly version: number;
  readonly position: Position;
}

const nothing: TopicState = { state: null, version: 0, position: 0 };

interface Sum {
  readonly version: number;
  readonly position: Position;
  readonly currency: string;
  readonly posted: bigint;
}

/** System accounts whose sum is remembered, so that the next snapshot reads only what came since. */
const sumsMax = 1_000;

/** Reads the states of topics from the log, never from a projection, which may lag. */
export class StateReader {
  readonly #log: EventLog;
  readonly #sums = new Map<string, Sum>();

  constructor(log: EventLog) {
    this.#log = log;
  }

  read(topic: StreamTopic): Promise<TopicState> {
    switch (topic.kind) {
      case 'payment':
        return this.#payment(topic);
      case 'wallet':
        return this.#wallet(topic);
      case 'system':
        return this.#systemAccount(topic);
      case 'payout':
        return this.#payout(topic);
      case 'connector':
        return this.#connector(topic);
    }
  }

  async #payment({ id, stream, discreet }: StreamTopic): Promise<TopicState> {
    let payment: PaymentSnapshot | undefined;
    let position = 0;
    for await (const row of this.#log.readStream(stream)) {
      for (const fact of factsOf(row)) {
        const next = evolvePayment(payment, fact as PaymentFact, id);
        invariant(next !== 'illegal', `${stream}: ${fact.type} at ${row.position} is no legal step`);
        payment = next;
      }
      position = lastPositionOf(row);
    }
    if (payment === undefined) return nothing;
    const view = paymentView(payment);
    return { state: discreet === true ? discreetView(view) : view, version: payment.context.version, position };
  }

  /** As its own history has it: where the money of its slices is, they say on topics of their own. */
  async #payout({ id, stream }: StreamTopic): Promise<TopicState> {
    let payout: PayoutSnapshot | undefined;
    let position = 0;
    for await (const row of this.#log.readStream(stream)) {
      for (const fact of factsOf(row)) {
        const next = evolvePayout(payout, fact as PayoutFact, id);
        invariant(next !== 'illegal', `${stream}: ${fact.type} at ${row.position} is no legal step`);
        payout = next;
      }
      position = lastPositionOf(row);
    }
    if (payout === undefined) return nothing;
    return { state: payoutView(payout), version: payout.context.version, position };
  }

  async #lastRow(stream: StreamTopic['stream']): Promise<RecordedRow | undefined> {
    return (await this.#log.readLast([stream])).get(stream);
  }

  /** A connector's last fact says everything. One of which nothing was ever written is closed. */
  async #connector({ id, stream }: StreamTopic): Promise<TopicState> {
    const row = await this.#lastRow(stream);
    const last = row && factsOf(row).at(-1);
    if (row === undefined || last === undefined) return { ...nothing, state: connectorView(newConnector(id)) };
    const version = row.version + row.events.length - 1;
    const connector = connectorFromFact(last as ConnectorFact, version, id);
    return { state: connectorView(connector), version, position: lastPositionOf(row) };
  }

  /** A wallet's last fact says everything. */
  async #wallet({ id, stream }: StreamTopic): Promise<TopicState> {
    const row = await this.#lastRow(stream);
    const last = row && factsOf(row).at(-1);
    if (row === undefined || last === undefined) return nothing;
    const version = row.version + row.events.length - 1;
    const wallet = walletFromFact(last as WalletFact, version, id);
    return { state: walletView(wallet), version, position: lastPositionOf(row) };
  }

  /** Its facts say only the entry, so they are summed: all of them once, then only the newer ones. */
  async #systemAccount({ id, stream }: StreamTopic): Promise<TopicState> {
    let sum = this.#sums.get(id);
    for await (const row of this.#log.readStream(stream, sum?.version ?? 0)) {
      let posted = sum?.posted ?? 0n;
      let currency = sum?.currency ?? '';
      for (const fact of factsOf(row)) {
        const entry = fact as SystemEntryPosted;
        posted += BigInt(entry.amount);
        currency = entry.currency;
      }
      sum = { version: row.version + row.events.length - 1, position: lastPositionOf(row), currency, posted };
    }
    if (sum === undefined) return nothing;
    this.#remember(id, sum);
    const { version, position, currency, posted } = sum;
    const state = { accountId: id, type: 'system', currency, posted: posted.toString(), version };
    return { state, version, position };
  }

  #remember(id: string, sum: Sum): void {
    // A reader that began earlier may end later.
    if ((this.#sums.get(id)?.version ?? 0) > sum.version) return;
    this.#sums.delete(id);
    this.#sums.set(id, sum);
    if (this.#sums.size > sumsMax) for (const oldest of [...this.#sums.keys()].slice(0, 1)) this.#sums.delete(oldest);
  }
}

/** What a party to a payment is told of it. */
function discreetView({ fee: _fee, providerFee: _providerFee, failure, ...view }: PaymentView): object {
  return failure === undefined ? view : { ...view, failure: { code: failure.code } };
}
