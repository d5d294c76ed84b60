import { invariant } from '../../kernel/invariant.ts';
import type { Refusal } from '../../kernel/refusal.ts';
import type { RequestFact, RequestHandled, WalletFact, WalletFigures } from '../account/account.facts.ts';
import { walletFromFact } from '../account/account.machine.ts';
import type { ConnectorFact } from '../connector/connector.facts.ts';
import { connectorFromFact } from '../connector/connector.machine.ts';
import type { KnownFact } from '../event-versions.ts';
import type { PayoutFact } from '../payout/payout.facts.ts';
import { evolvePayout, type PayoutSnapshot } from '../payout/payout.machine.ts';
import type { Authorize, Capture, Command, Pay, Settle } from '../commands.ts';
import type { Decision } from '../decision.ts';
import { evolvePayment } from '../evolve.ts';
import type { PaymentFact } from '../payment/payment.facts.ts';
import type { PaymentSnapshot } from '../payment/payment.machine.ts';
import { categoryOf, idOf } from '../streams.ts';
import { TestWorld } from './test-world.ts';

/** `expect(given(what happened).when(command)).toEqual({ wrote: … })`: the tests of decisions read as sentences. */

type Fact = KnownFact;
type History = Readonly<Record<string, readonly Fact[]>>;

/** The instant at which the tests decide, and one before and one after it. */
export const NOW = '2024-03-01T12:00:00.000Z';
export const EARLIER = '2024-03-01T11:59:59.999Z';
export const LATER = '2024-03-08T12:00:00.000Z';

export function given(history: History) {
  const world = new TestWorld();
  for (const [stream, facts] of Object.entries(history)) {
    const last = facts.at(-1);
    invariant(last !== undefined, `${stream} has no facts`);
    if (categoryOf(stream) === 'payment') world.states.set(stream, payment(idOf(stream), facts as PaymentFact[]));
    else if (categoryOf(stream) === 'payout') world.states.set(stream, payout(idOf(stream), facts as PayoutFact[]));
    else if (categoryOf(stream) === 'connector')
      world.states.set(stream, connectorFromFact(last as ConnectorFact, facts.length, idOf(stream)));
    else if (categoryOf(stream) === 'request') world.states.set(stream, last as RequestFact);
    else world.states.set(stream, walletFromFact(last as WalletFact, facts.length, idOf(stream)));
  }
  return { when: (command: Command, at: string = NOW): Outcome => outcome(world.decide(command, at)) };
}

function payment(id: string, facts: readonly PaymentFact[]): PaymentSnapshot {
  let state: PaymentSnapshot | undefined;
  for (const fact of facts) {
    const next = evolvePayment(state, fact, id);
    invariant(next !== 'illegal', `the given history of ${id} is illegal at ${fact.type}`);
    state = next;
  }
  invariant(state !== undefined, `${id} has no facts`);
  return state;
}

function payout(id: string, facts: readonly PayoutFact[]): PayoutSnapshot {
  let state: PayoutSnapshot | undefined;
  for (const fact of facts) {
    const next = evolvePayout(state, fact, id);
    invariant(next !== 'illegal', `the given history of ${id} is illegal at ${fact.type}`);
    state = next;
  }
  invariant(state !== undefined, `${id} has no facts`);
  return state;
}

/** A decision in the words of a test. */
export interface Outcome {
  /** Facts by stream; absent when nothing is written. */
  readonly wrote?: History;
  /** With `wrote`: the refusal is recorded. */
  readonly refused?: Refusal;
  /** Applied before: the payment's version then, or what the account's request left. */
  readonly repeats?: number | RequestHandled;
}

function outcome(decision: Decision): Outcome {
  switch (decision.outcome) {
    case 'decided': {
      // The key of a step is in the units of all of them, and has tests of its own (key.test.ts).
      const changes = decision.changes.filter(({ facts: [first] }) => first.type !== 'StepHandled');
      const wrote = Object.fromEntries(changes.map(({ stream, facts }) => [stream, facts]));
      return decision.refusal === undefined ? { wrote } : { wrote, refused: decision.refusal };
    }
    case 'refused':
      return { refused: decision.refusal };
    case 'duplicate':
      return { repeats: decision.version };
    case 'duplicate-request':
      return { repeats: decision.request };
    case 'duplicate-payout':
    case 'duplicate-connector':
      return { repeats: decision.version };
  }
}

/** A wallet's figures: an open, empty customer in XOF, but for what is said. */
export function figures(of: Partial<WalletFigures> = {}): WalletFigures {
  return { type: 'customer', currency: 'XOF', status: 'OPEN', posted: '0', held: '0', limit: '0', ...of };
}

/** The history of a wallet that stands so, whatever led there. */
export function wallet(of: Partial<WalletFigures> = {}): WalletFact[] {
  return [{ type: 'AccountOpened', after: figures(of) }];
}

/** A `Pay` of kind P2P, of 300 XOF from alice to bob in one unit, but for what is said. */
export function pay(of: Partial<Pay> = {}): Pay {
  const paymentId = of.paymentId ?? 'p1';
  const defaults = { kind: 'P2P', amount: 300n, upTo: 'SETTLED', expiresAt: LATER, settlesAt: LATER } as const;
  const parties = of.kind === undefined ? { payer: 'alice', payee: 'bob' } : undefined;
  const currency = of.kind === 'REFUND' ? undefined : { currency: 'XOF' };
  return {
    type: 'Pay',
    commandId: paymentId,
    paymentId,
    fingerprint: 'f',
    ...defaults,
    ...currency,
    ...parties,
    ...of,
  };
}

const onPayment = { commandId: 'c1', fingerprint: 'f', paymentId: 'p1' } as const;
export const authorize = (of: Partial<Authorize> = {}): Authorize => ({
  type: 'Authorize',
  ...onPayment,
  expiresAt: LATER,
  ...of,
});
export const capture = (of: Partial<Capture> = {}): Capture => ({
  type: 'Capture',
  ...onPayment,
  settlesAt: LATER,
  ...of,
});
export const settle = (of: Partial<Settle> = {}): Settle => ({ type: 'Settle', ...onPayment, ...of });
export const fail = (reason = 'declined') => ({ type: 'Fail', ...onPayment, reason }) as const;
export const reverse = (reason: 'requested' | 'expired' | 'provider' = 'requested') =>
  ({ type: 'Reverse', ...onPayment, reason }) as const;
/** What the first fact of a command carries. */
export const by = (commandId: string, facts: number) => ({ commandId, fingerprint: 'f', facts });
