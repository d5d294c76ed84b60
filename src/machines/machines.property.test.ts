import { test as property, fc } from '@fast-check/vitest';
import { describe, expect, it } from 'vitest';
import type { WalletFact } from './account/account.facts.ts';
import { available, walletFromFact, type WalletSnapshot } from './account/account.machine.ts';
import type { Command, PayUpTo } from './commands.ts';
import type { Decision } from './decision.ts';
import { evolvePayment, evolveWallet } from './evolve.ts';
import { refusalOfFailed } from './payment/failure.ts';
import type { PaymentFact, PaymentKind } from './payment/payment.facts.ts';
import { appliedCommand, type PaymentSnapshot } from './payment/payment.machine.ts';
import { RECONCILIATION_KINDS } from './payment/postings.ts';
import { paymentView } from './payment/view.ts';
import { categoryOf, idOf } from './streams.ts';
import { Asker, type Ask } from './testing/asks.ts';
import { Auditor } from './testing/audit.ts';
import { TestWorld } from './testing/test-world.ts';

/**
 * Proves that no sequence of commands breaks the books: whatever is asked of a small world of wallets and payments, in
 * whatever order, with retries, every unit passes an auditor that knows nothing of the code, and replaying the facts
 * gives the state that deciding them gave.
 */

// ---- What may be asked: figures and choices, resolved on the world as it is when their turn comes ----

const pick = fc.nat({ max: 1_000_000 });
/** Now and then a choice is made among all, however wrong. */
const wild = fc.nat({ max: 9 }).map((n) => n === 9);
const amount = fc.oneof(
  { weight: 20, arbitrary: fc.bigInt({ min: 1n, max: 60n }) },
  { weight: 1, arbitrary: fc.constantFrom(-1n, 0n, 10n ** 30n) },
);
const seconds = fc.oneof(
  { weight: 8, arbitrary: fc.constant(1) },
  { weight: 1, arbitrary: fc.constantFrom(3_600, 86_400) },
);
const upTo = fc.constantFrom<PayUpTo[]>(
  'INITIATED',
  'AUTHORIZED',
  'AUTHORIZED',
  'CAPTURED',
  'CAPTURED',
  'SETTLED',
  'SETTLED',
  'SETTLED',
);

const ask: fc.Arbitrary<Ask> = fc.record({
  what: fc.oneof(
    { weight: 8, arbitrary: fc.constant('Pay' as const) },
    {
      weight: 14,
      arbitrary: fc.constantFrom('Authorize', 'Capture', 'Capture', 'Settle', 'Settle', 'Fail', 'Reverse', 'Reverse'),
    },
    {
      weight: 14,
      arbitrary: fc.constantFrom(
        'FreezeAccount',
        'UnfreezeAccount',
        'CloseAccount',
        'CloseAccount',
        'SetLimit',
        'OpenAccount',
      ),
    },
    {
      weight: 14,
      arbitrary: fc.constantFrom(
        'Instruct',
        'Instruct',
        'Instruct',
        'RecordOutcome',
        'RecordOutcome',
        'RecordOutcome',
        'RecordOutcome',
        'MeetSettlement',
        'CreatePayout',
        'CancelPayout',
        'OpenBreaker',
        'HalfOpenBreaker',
        'CloseBreaker',
        'ForceBreaker',
      ),
    },
    { weight: 2, arbitrary: fc.constantFrom('again', 'again with another body') },
  ),
  kind: fc.oneof(
    {
      weight: 14,
      arbitrary: fc.constantFrom(
        'P2P',
        'CASH_IN',
        'CASH_OUT',
        'CASH_OUT',
        'MERCHANT',
        'REFUND',
        'REFUND',
        'FUNDING',
        'PAYOUT',
        'PAYOUT_RETURN',
      ),
    },
    { weight: 1, arbitrary: fc.constantFrom(...RECONCILIATION_KINDS) },
  ),
  upTo,
  amount,
  /** All that the payer has: wallets must be emptied to be closed. */
  all: fc.nat({ max: 2 }).map((n) => n === 2),
  part: fc.option(amount, { freq: 3 }),
  providerFee: fc.option(fc.bigInt({ min: 0n, max: 5n })),
  reason: fc.constantFrom('requested', 'expired', 'provider'),
  seconds,
  one: pick,
  other: pick,
  wild,
});
class Run {
  readonly world = new TestWorld();
  readonly auditor = new Auditor();
  readonly sent: { readonly command: Command; readonly decision: Decision }[] = [];
  readonly #asker = new Asker(this.world);
  readonly #facts = new Map<string, PaymentFact[] | WalletFact[]>();

  constructor() {
    for (const command of this.#asker.opening()) this.#send(command);
  }

  /** Sends what is asked, and checks all that must hold after it. */
  take(wanted: Ask): void {
    const command = this.#asker.commandOf(wanted);
    const first = this.#send(command);
    // At once again: the same command is a repetition, or is refused in the same way.
    const again = this.world.decide(command, this.#asker.now());
    if (isOfBreaker(command)) return;
    if (first.outcome !== 'decided') expect(again).toEqual(first);
    else if (again.outcome !== 'duplicate') expect(again.outcome).toMatch(/^duplicate-/);
    else expect(again.version).toBe(this.world.payment(idOf(again.stream))?.context.version);
  }

  /** Everything that was applied is still known at the end, and everything can be read from the log alone. */
  finish(): void {
    for (const { command, decision } of this.sent) {
      if (decision.outcome !== 'decided' || isOfBreaker(command)) continue;
      expect(this.world.decide(command, this.#asker.now()).outcome).toMatch(/^duplicate/);
      const other = this.world.decide({ ...command, fingerprint: 'other' }, this.#asker.now());
      expect(other).toMatchObject({ outcome: 'refused', refusal: { code: 'IdempotencyConflict' } });
      this.#tryElsewhere(command);
    }
    for (const [stream, facts] of this.#facts) {
      const read = JSON.parse(JSON.stringify(facts)) as PaymentFact[] | WalletFact[];
      const id = idOf(stream);
      const replayed =
        categoryOf(stream) === 'payment'
          ? (read as PaymentFact[]).reduce<PaymentSnapshot | undefined>(
              (state, fact) => legal(evolvePayment(state, fact, id)),
              undefined,
            )
          : (read as WalletFact[]).reduce<WalletSnapshot | undefined>(
              (state, fact) => legal(evolveWallet(state, fact, id)),
              undefined,
            );
      expect(replayed).toEqual(this.world.states.get(stream));
      const last = read.at(-1);
      if (last !== undefined && 'after' in last) expect(walletFromFact(last, read.length, id)).toEqual(replayed);
    }
  }

  /** The key of what was applied, on a payment that has not applied it: whatever it was, and whatever it is now. */
  #tryElsewhere({ commandId }: Command): void {
    // What machines make names its own target.
    if (commandId.includes(':')) return;
    const isTarget = ({ context }: PaymentSnapshot): boolean =>
      context.paymentId !== commandId && appliedCommand(context, commandId) === undefined;
    const target = this.world.payments().find(isTarget)?.context.paymentId;
    if (target === undefined) return;
    const step = { commandId, fingerprint: 'of another target', paymentId: target };
    const steps: Command[] = [
      { ...step, type: 'Fail', reason: 'declined' },
      { ...step, type: 'Reverse', reason: 'requested' },
      { ...step, type: 'Settle' },
    ];
    for (const command of steps) {
      const decision = this.world.decide(command, this.#asker.now());
      expect(decision).toMatchObject({ outcome: 'refused', refusal: { code: 'IdempotencyConflict', commandId } });
    }
  }

  #send(command: Command): Decision {
    const before = new Map(this.world.wallets().map((wallet) => [wallet.context.accountId, wallet]));
    const decision = this.world.run(command, this.#asker.now());
    this.sent.push({ command, decision });
    if (decision.outcome === 'decided') {
      this.auditor.observe(decision.changes);
      for (const { stream, facts } of decision.changes) {
        const all = (this.#facts.get(stream) ?? []) as unknown[];
        all.push(...facts);
        if (/^(payment|account)/.test(stream)) this.#facts.set(stream, all as PaymentFact[]);
      }
    }
    for (const { context } of this.world.payments()) {
      expect(context.held).toBe(this.auditor.payments.get(context.paymentId)?.held);
    }
    this.#assertTrue(command, decision, before);
    return decision;
  }

  /** A refusal says what is so, and a recorded one is told again from the payment alone. */
  #assertTrue(command: Command, decision: Decision, before: ReadonlyMap<string, WalletSnapshot>): void {
    if (decision.outcome !== 'decided' && decision.outcome !== 'refused') return;
    const { refusal } = decision;
    if (refusal?.code === 'InsufficientFunds') {
      const wallet = before.get(refusal.accountId);
      expect(refusal.available).toBe(wallet === undefined ? '' : available(wallet.context).toString());
      expect(BigInt(refusal.available)).toBeLessThan(BigInt(refusal.asked));
    }
    if (refusal?.code === 'AccountFrozen') expect(before.get(refusal.accountId)?.value).toBe('FROZEN');
    if (refusal?.code === 'AccountClosed') expect(before.get(refusal.accountId)?.value).toBe('CLOSED');
    if (decision.outcome === 'decided' && refusal !== undefined && 'paymentId' in command) {
      const payment = this.world.payment(command.paymentId);
      expect(payment && refusalOfFailed(payment)).toEqual(refusal);
      expect(payment && paymentView(payment)).toMatchObject({ status: 'FAILED', failure: refusal });
    }
  }
}

/** What a breaker does of itself is refused by the state that it led to, and nobody needs to remember it. */
function isOfBreaker({ type }: Command): boolean {
  return type === 'OpenBreaker' || type === 'HalfOpenBreaker' || type === 'CloseBreaker';
}

function legal<State>(state: State | 'illegal'): State {
  if (state === 'illegal') throw new Error('the replay takes no such fact');
  return state;
}

// Long and unbiased runs: fast-check prefers short ones of extreme values, in which hardly anything can happen.
const asks = fc.noBias(fc.array(ask, { minLength: 1, maxLength: 80, size: 'max' }));

/** Some seconds alone; a machine that runs everything at once takes many times that. */
const TIMEOUT_MS = 240_000;

function play(wanted: readonly Ask[]): Run {
  const run = new Run();
  for (const one of wanted) run.take(one);
  run.finish();
  return run;
}

describe('any sequence of commands', () => {
  property.prop([asks], { numRuns: 150 })(
    'keeps the books, the limits and the machines',
    (wanted) => {
      play(wanted);
    },
    TIMEOUT_MS,
  );

  it(
    'reaches every state of every kind, every fact and every refusal (fixed seed)',
    () => {
      const seen = new Set<string>();
      fc.assert(
        fc.property(asks, (wanted) => {
          const run = play(wanted);
          for (const { decision } of run.sent) note(decision, seen);
        }),
        { seed: 20_240_301, numRuns: 1_500 },
      );
      const missing = EXPECTED.filter((what) => !seen.has(what));
      expect(missing).toEqual([]);
    },
    TIMEOUT_MS,
  );
});

function note(decision: Decision, seen: Set<string>): void {
  seen.add(decision.outcome);
  if (decision.outcome === 'refused') seen.add(`refused ${decision.refusal.code}`);
  if (decision.outcome !== 'decided') return;
  if (decision.refusal !== undefined) seen.add(`recorded ${decision.refusal.code}`);
  for (const { stream, facts, ...change } of decision.changes) {
    if ('next' in change && 'value' in change.next) {
      const { value, context } = change.next;
      seen.add('kind' in context ? `${context.kind} ${value}` : `${categoryOf(stream)} ${value}`);
      if ('transfer' in context && context.transfer !== undefined) seen.add(`slice ${context.transfer.status}`);
    }
    for (const fact of facts) {
      seen.add(`${categoryOf(stream)} ${fact.type}`);
      if ('forced' in fact) seen.add('forced entry');
      if ('diverted' in fact) seen.add('diverted entry');
      if ('released' in fact) seen.add('entry that consumes a hold');
      if (fact.type === 'PaymentReversed') seen.add(`reversed ${fact.reason}`);
    }
  }
}

const states = (kind: PaymentKind, of: string): string[] => of.split(' ').map((state) => `${kind} ${state}`);
const EXPECTED = [
  ...(['P2P', 'REFUND', 'FUNDING'] as const).flatMap((kind) =>
    states(kind, 'INITIATED AUTHORIZED SETTLED FAILED REVERSED'),
  ),
  ...(['CASH_IN', 'CASH_OUT', 'MERCHANT'] as const).flatMap((kind) =>
    states(kind, 'INITIATED AUTHORIZED CAPTURED SETTLED FAILED REVERSED'),
  ),
  ...states('PAYOUT', 'AUTHORIZED CAPTURED SETTLED FAILED REVERSED'),
  ...states('PAYOUT_RETURN', 'SETTLED'),
  ...RECONCILIATION_KINDS.flatMap((kind) => states(kind, 'AUTHORIZED SETTLED')),
  ...['OPEN', 'FROZEN', 'CLOSED'].map((status) => `account ${status}`),
  ...['OPEN', 'CANCELLED', 'FAILED'].map((status) => `payout ${status}`),
  ...['CLOSED', 'OPEN', 'HALF_OPEN'].map((state) => `connector ${state}`),
  ...['pending', 'sent', 'in_doubt', 'settled', 'failed'].map((status) => `slice ${status}`),
  ...['decided', 'refused', 'duplicate', 'duplicate-request', 'duplicate-payout', 'duplicate-connector'],
  ...['InsufficientFunds', 'AccountFrozen', 'AccountClosed', 'RefundExceedsCaptured'].map((code) => `recorded ${code}`),
  ...[
    'Invalid',
    'NotFound',
    'InsufficientFunds',
    'AccountFrozen',
    'AccountClosed',
    'AccountExists',
    'AccountNotEmpty',
    'IllegalTransition',
    'HoldExpired',
    'InstructionLive',
    'CaptureExceedsAuthorized',
    'IdempotencyConflict',
  ].map((code) => `refused ${code}`),
  'request RequestHandled',
  'request StepHandled',
  ...['Initiated', 'Authorized', 'Captured', 'Settled', 'Failed', 'Reversed'].map((fact) => `payment Payment${fact}`),
  ...['Issued', 'NotSent', 'Accepted', 'InDoubt', 'Confirmed', 'Refused', 'Unresolved'].map(
    (fact) => `payment Instruction${fact}`,
  ),
  ...['ProviderContradicted', 'LateSuccessPosted', 'ProviderFeeCorrected', 'SettlementOverdue'].map(
    (fact) => `payment ${fact}`,
  ),
  ...['PayoutCreated', 'PayoutFailed', 'PayoutCancelled'].map((fact) => `payout ${fact}`),
  ...['BreakerOpened', 'BreakerHalfOpened', 'BreakerClosed', 'BreakerForced'].map((fact) => `connector ${fact}`),
  ...['PayoutHandled', 'ConnectorHandled'].map((fact) => `request ${fact}`),
  ...['RefundReserved', 'RefundReleased', 'RefundRefused'].map((fact) => `payment ${fact}`),
  ...['Opened', 'Frozen', 'Unfrozen', 'Closed', 'LimitSet'].map((fact) => `account Account${fact}`),
  ...['HoldPlaced', 'HoldReleased', 'EntryPosted', 'PaymentRefused'].map((fact) => `account ${fact}`),
  ...['reversed requested', 'reversed expired', 'reversed provider'],
  ...['forced entry', 'diverted entry', 'entry that consumes a hold'],
];
