import { RecentMap } from '../../kernel/recent-map.ts';
import { isServiceFor, mayReadAccount, mayReadEverything, mayReadPayment } from '../access.ts';
import type { Principal } from '../principal.ts';
import type { ReadGate } from './read-gate.ts';
import type { StateReader } from './read-state.ts';
import { accountTopic, type StreamTopic, type Topic } from './topics.ts';

const scope = 'stream:read';
/** Owners and parties that are remembered. They never change, so nothing has to be forgotten but for room. */
const knownMax = 20_000;

/** Whether a principal may watch anything at all: people may, services only with the scope. */
export function mayConnect(principal: Principal): boolean {
  return !principal.roles.includes('service') || isServiceFor(principal, scope);
}

/** Whether a principal may watch every topic. */
export function mayWatchEverything(principal: Principal): boolean {
  return mayReadEverything(principal, scope);
}

/** What of an account or a payment says whose it is. */
interface Known {
  readonly owner?: string;
  readonly payer?: string;
  readonly payee?: string;
}

/** Who may watch which topic, by the owners that the log holds. One for the door. */
export class TopicAccess {
  readonly #states: StateReader;
  readonly #gate: ReadGate;
  readonly #known = new RecentMap<string, Known>(knownMax);

  constructor(states: StateReader, gate: ReadGate) {
    this.#states = states;
    this.#gate = gate;
  }

  /** Whether a topic is there and for this principal. Not asked for those who may watch everything, there or not. */
  async mayWatch(principal: Principal, topic: Topic): Promise<boolean> {
    switch (topic.kind) {
      case 'payments':
      case 'system':
      // Nobody's own: for those who may watch everything.
      case 'payout':
      case 'connector':
        return false;
      case 'wallet':
        return mayReadAccount(principal, await this.#read(topic), scope);
      case 'payment': {
        const payment = await this.#read(topic);
        const [payer, payee] = [await this.#ownerOf(payment?.payer), await this.#ownerOf(payment?.payee)];
        return mayReadPayment(principal, { payer, payee }, scope);
      }
    }
  }

  async #ownerOf(account: string | undefined): Promise<string | undefined> {
    if (account === undefined) return undefined;
    const topic = accountTopic(account);
    return topic.kind === 'wallet' ? (await this.#read(topic))?.owner : undefined;
  }

  async #read(topic: StreamTopic): Promise<Known | undefined> {
    const known = this.#known.get(topic.name);
    if (known !== undefined) return known;
    await this.#gate.enter();
    const { state } = await Promise.resolve(this.#states.read(topic)).finally(() => this.#gate.leave());
    // What is not there may come to be.
    if (state === null) return undefined;
    const { owner, payer, payee } = state as Known;
    const found = {
      ...(owner !== undefined && { owner }),
      ...(payer !== undefined && { payer }),
      ...(payee !== undefined && { payee }),
    };
    this.#known.set(topic.name, found);
    return found;
  }
}
