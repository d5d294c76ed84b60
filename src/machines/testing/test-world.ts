import { invariant } from '../../kernel/invariant.ts';
import type { RequestFact } from '../account/account.facts.ts';
import type { WalletSnapshot } from '../account/account.machine.ts';
import type { Command } from '../commands.ts';
import { decide } from '../decide.ts';
import type { Change, Decision, World } from '../decision.ts';
import { participants } from '../participants.ts';
import { elsewhere } from '../payment/key.ts';
import type { PaymentSnapshot } from '../payment/payment.machine.ts';
import type { ConnectorSnapshot } from '../connector/connector.machine.ts';
import type { PayoutSnapshot } from '../payout/payout.machine.ts';
import { accountStream, categoryOf, connectorStream, paymentStream, payoutStream, requestStream } from '../streams.ts';

type State = PaymentSnapshot | WalletSnapshot | RequestFact | PayoutSnapshot | ConnectorSnapshot;

/**
 * The smallest runtime there is: one map of states, decisions applied at once. It is as strict as a real one about what
 * a decision may read, so it also proves that `participants` names everybody.
 */
export class TestWorld {
  readonly states = new Map<string, State>();
  /** Every unit that was decided, oldest first. */
  readonly units: (readonly Change[])[] = [];

  run(command: Command, at: string): Decision {
    const decision = this.decide(command, at);
    if (decision.outcome === 'decided') {
      const other = elsewhere(command);
      invariant(other === undefined || !this.states.has(other), `the key of ${command.commandId} was used in ${other}`);
      this.apply(decision.changes);
    }
    return decision;
  }

  decide(command: Command, at: string): Decision {
    const loaded = new Set<string>();
    for (;;) {
      const before = loaded.size;
      for (const stream of streamsOf(
        command,
        this.#seenBy((stream) => loaded.has(stream)),
      ))
        loaded.add(stream);
      if (loaded.size === before) break;
    }
    const strict = this.#seenBy((stream) => {
      invariant(loaded.has(stream), `${stream} was read, but participants did not name it`);
      return true;
    });
    return decide(command, at, strict);
  }

  apply(changes: readonly Change[]): void {
    for (const change of changes) {
      if (change.expect === 'any') continue;
      const versionNow = versionOf(this.states.get(change.stream));
      invariant(versionNow === change.expect, `${change.stream} is at ${versionNow}, not at ${change.expect}`);
      this.states.set(change.stream, change.next);
    }
    this.units.push(changes);
  }

  payment(id: string): PaymentSnapshot | undefined {
    return this.states.get(paymentStream(id)) as PaymentSnapshot | undefined;
  }

  wallet(id: string): WalletSnapshot | undefined {
    return this.states.get(accountStream(id)) as WalletSnapshot | undefined;
  }

  payments(): PaymentSnapshot[] {
    return this.#of('payment') as PaymentSnapshot[];
  }

  wallets(): WalletSnapshot[] {
    return this.#of('account') as WalletSnapshot[];
  }

  #of(category: string): State[] {
    return [...this.states].filter(([stream]) => categoryOf(stream) === category).map(([, state]) => state);
  }

  #seenBy(isSeen: (stream: string) => boolean): World {
    const get = (stream: string): unknown => (isSeen(stream) ? this.states.get(stream) : undefined);
    return {
      payment: (id) => get(paymentStream(id)) as PaymentSnapshot | undefined,
      wallet: (id) => get(accountStream(id)) as WalletSnapshot | undefined,
      request: (id) => get(requestStream(id)) as RequestFact | undefined,
      payout: (id) => get(payoutStream(id)) as PayoutSnapshot | undefined,
      connector: (id) => get(connectorStream(id)) as ConnectorSnapshot | undefined,
    };
  }
}

function streamsOf(command: Command, world: World): string[] {
  const { payments, wallets, requests, payouts = [], connectors = [] } = participants(command, world);
  return [
    ...payments.map(paymentStream),
    ...wallets.map(accountStream),
    ...requests.map(requestStream),
    ...payouts.map(payoutStream),
    ...connectors.map(connectorStream),
  ];
}

function versionOf(state: State | undefined): number {
  if (state === undefined) return 0;
  return 'context' in state ? state.context.version : 1;
}
