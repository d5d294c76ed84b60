import type { Effect } from '../matching/store.ts';
import { chainsOf } from './chains.ts';
import type { Finding, FindingKind } from './finding.ts';
import type { PaymentSeen } from '../feed/payment-seen.ts';
import type { Core, CoreAnswer, LineMark } from './core.ts';
import { Together } from './together.ts';
import { type BookedAs, type BookedLine, bookingsFor } from './line-booking.ts';

/** An effect, with the run that found it. */
export interface FoundEffect extends Effect {
  readonly runId: string;
}

/** Spans around pieces of work: what the core does in one of them is inside of it, in its process too. */
export interface Spans {
  span<Result>(name: string, attributes: Readonly<Record<string, string>>, work: () => Result): Result;
}

/** What is to be carried out, and what was. */
export interface EffectStore {
  /** Effects that nobody has carried out, in their order. Nobody else carries out meanwhile. */
  waiting(limit: number): Promise<readonly FoundEffect[]>;
  lines(ids: readonly string[]): Promise<readonly BookedLine[]>;
  payment(id: string): Promise<PaymentSeen | undefined>;
  /**
   * From now on, until it is noted what became of the effect, no case can take the money of these lines out of suspense.
   *
   * @returns false: a case has taken some of it, and nothing was changed
   */
  leave(effect: Effect, lineIds: readonly string[]): Promise<boolean>;
  /** Notes what became of an effect, and how the ledger has its lines now, at once. */
  done(effect: Effect, result: Result, lines: readonly BookedLine[]): Promise<void>;
}

export interface Result {
  readonly outcome: 'done' | 'refused' | 'nothing';
  /** Of each thing that the core was asked for. */
  readonly answers: readonly CoreAnswer[];
}

export interface CarryOutOptions {
  readonly limit?: number;
  /** Chains of effects that have nothing to do with one another. Default 32. */
  readonly atOnce?: number;
  readonly spans?: Spans;
  /** Told of each finding that was carried out, or that the core refused. */
  readonly onFinding?: (finding: Finding) => void;
}

/**
 * Carries out what reconciliation found. What shares a line or a payment is carried out in its order, all else side by side.
 * Everything that the core is asked for has a key that follows from the effect, so that what a crash left half done is done
 * once. A refusal ends the effect: people get a case.
 *
 * @returns how many were carried out
 * @throws CoreUnreachableError: nothing is known of the effects that were under way; they are asked for again
 */
export async function carryOutEffects(
  store: EffectStore,
  core: Core,
  { limit = 1_000, atOnce = 32, spans = noSpans, onFinding }: CarryOutOptions = {},
): Promise<number> {
  const effects = await store.waiting(limit);
  const chains = chainsOf(effects).values();
  const marking = new Together<readonly LineMark[]>((all) => markAll(core, all.flat()));
  const patient: Core = { ...core, mark: (marks) => marking.add(marks) };
  const failures: unknown[] = [];
  const work = async (): Promise<void> => {
    for (const chain of chains)
      for (const effect of chain) {
        if (failures.length > 0) return;
        const { id, kind, runId } = effect;
        const about = {
          correlation_id: `reconciliation:${runId}`,
          'reconciliation.effect': id,
          'reconciliation.kind': kind,
        };
        const { outcome } = await spans.span('reconciliation.effect', about, () => carryOut(effect, store, patient));
        onFinding?.({ profile: effect.profile, kind: findings[effect.kind], refused: outcome === 'refused' });
      }
  };
  // All of them come to an end before anything is asked for again.
  await Promise.all(Array.from({ length: atOnce }, () => work().catch((error: unknown) => failures.push(error))));
  if (failures.length > 0) throw failures[0];
  return effects.length;
}

/** No more than the core takes in one call. */
async function markAll(core: Core, marks: readonly LineMark[]): Promise<void> {
  for (let at = 0; at < marks.length; at += 1_000) await core.mark(marks.slice(at, at + 1_000));
}

/** For those who do not trace. */
const noSpans: Spans = { span: (_name, _attributes, work) => work() };

async function carryOut(effect: Effect, store: EffectStore, core: Core): Promise<Result> {
  const wanted = wantedBooking(effect);
  const lines = wanted === undefined ? [] : await store.lines(effect.lineIds);
  const plan = wanted === undefined ? [] : lines.map((line) => ({ line, wanted, bookings: bookingsFor(line, wanted) }));
  const answers: CoreAnswer[] = [];
  const booked: BookedLine[] = [];
  // Before anything is settled: a line's money that a person has moved, or moves at this moment, settles nothing.
  const leaving = plan.filter(({ line, bookings = [] }) => line.bookedAs === 'suspense' && bookings.length > 0);
  const isFree =
    plan.every(({ bookings }) => bookings !== undefined) &&
    (leaving.length === 0 ||
      (await store.leave(
        effect,
        leaving.map(({ line }) => line.id),
      )));
  if (!isFree) answers.push(bookedOtherwise(plan));
  let refused = !isFree;
  // Before the line's own money leaves suspense: where the payment does not take it, it stays there.
  if (effect.kind === 'settle' && isFree) {
    for (const id of effect.expectationIds) {
      const answer = await settle(effect, id, store, core);
      if (answer === undefined) continue;
      answers.push(answer);
      refused ||= answer.outcome === 'refused';
    }
  }
  for (const { line, wanted: bookedAs, bookings = [] } of plan) {
    if (refused) break;
    let asked = 0;
    for (const booking of bookings) {
      const answer = await core.book(booking);
      answers.push(answer);
      if (answer.outcome === 'refused') {
        refused = true;
        break;
      }
      asked += 1;
    }
    if (!refused) booked.push({ ...line, bookedAs, bookings: line.bookings + asked });
  }
  const marks = marksOf(effect);
  if (!refused && marks.length > 0) await core.mark(marks);
  const result: Result = { outcome: refused ? 'refused' : answers.length === 0 ? 'nothing' : 'done', answers };
  await store.done(effect, result, booked);
  return result;
}

function bookedOtherwise(plan: readonly { readonly line: BookedLine; readonly wanted: BookedAs }[]): CoreAnswer {
  const [first] = plan;
  const as = [...new Set(plan.map(({ line }) => line.bookedAs))].join(', ');
  const message = `the line is booked as ${as}, or a case moves it just now, and should be ${first?.wanted ?? ''}`;
  return { outcome: 'refused', code: 'BookedOtherwise', message };
}

/** What the statements' lines are now. */
function marksOf({ kind, lineIds, expectationIds: [paymentId] }: Effect): LineMark[] {
  const status = statuses[kind];
  if (status === undefined) return [];
  const isMatched = status === 'matched' && paymentId !== undefined;
  return lineIds.map((lineId) => ({ lineId, status, ...(isMatched && { paymentId }) }));
}

const statuses: Readonly<Record<Effect['kind'], LineMark['status'] | undefined>> = {
  settle: 'matched',
  known: 'known',
  reversed: 'reversed',
  mismatch: 'mismatch',
  displaced: 'unmatched',
  missing_internal: 'unmatched',
  reopened: 'unmatched',
  missing_provider: undefined,
};

/** An effect as a finding: one name for a payment that is matched, whatever is carried out for it. */
const findings: Readonly<Record<Effect['kind'], FindingKind>> = {
  settle: 'matched',
  known: 'known',
  reversed: 'reversed',
  mismatch: 'mismatch',
  displaced: 'displaced',
  missing_internal: 'missing_internal',
  missing_provider: 'missing_provider',
  reopened: 'reopened',
};

/** How the ledger should have the lines of an effect; undefined: as it has them. */
function wantedBooking({ kind, detail }: Effect): Exclude<BookedAs, 'person'> | undefined {
  switch (kind) {
    case 'settle':
      return 'payment';
    // Nothing un-settles: what the line had settled stays so, and its own money waits for people.
    case 'displaced':
    case 'missing_internal':
      return 'suspense';
    case 'known':
      return detail.posting === 'interest' ? 'interest' : 'fee';
    // Both lines together come to nothing.
    case 'reversed':
      return 'none';
    case 'mismatch':
    case 'missing_provider':
    case 'reopened':
      return undefined;
  }
}

async function settle(
  { lineIds, detail: { fee = '0' } }: Effect,
  paymentId: string,
  store: EffectStore,
  core: Core,
): Promise<CoreAnswer | undefined> {
  const payment = await store.payment(paymentId);
  if (payment === undefined)
    return { outcome: 'refused', code: 'NotFound', message: `payment ${paymentId} was never told of` };
  const { instructed, status, providerRef } = payment;
  // Kinds that settle with their capture have nothing left to settle.
  if (!instructed && status === 'SETTLED') return undefined;
  const [line = ''] = [...lineIds].sort();
  return core.settle({
    key: `match:${line}:${paymentId}`,
    paymentId,
    instructed,
    providerRef: providerRef ?? `line:${line}`,
    providerFee: BigInt(fee),
  });
}
