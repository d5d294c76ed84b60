import { invariant } from '../../kernel/invariant.ts';
import { AMOUNT_MAX, formatMinor } from '../../kernel/money.ts';
import type { Refusal } from '../../kernel/refusal.ts';
import { hasCome } from '../../kernel/time.ts';
import { holdPlaced } from '../account/moves.ts';
import type { CancelPayout, CreatePayout, PayoutCommand } from '../commands.ts';
import type { Decision, World } from '../decision.ts';
import { failedBy } from '../payment/failure.ts';
import { refuseClosed, refuseDebit } from '../payment/judge.ts';
import { answerToUsedKey } from '../payment/key.ts';
import { release } from '../payment/post.ts';
import { isProviderName, isReference } from '../payment/terms.ts';
import { isLive } from '../payment/transfer.ts';
import { paymentRefused } from '../account/moves.ts';
import { refuseReason } from '../reason.ts';
import { idempotencyConflict, illegalTransition, invalid, notFound } from '../refusals.ts';
import { payoutStream } from '../streams.ts';
import { refused, Unit } from '../unit.ts';
import type { PayoutSnapshot } from './payout.machine.ts';
import { SLICES_MAX, sliceAmounts, sliceIdsOf } from './slices.ts';

/** Commands on a payout open `request/<command id>`, as those on an account do: their duplicate is answered from there. */
export function decidePayout(command: PayoutCommand, at: string, world: World): Decision {
  const { payoutId, commandId, fingerprint } = command;
  const request = world.request(commandId);
  if (request?.type === 'PayoutHandled' && request.payoutId === payoutId) {
    return request.fingerprint === fingerprint
      ? { outcome: 'duplicate-payout', stream: payoutStream(payoutId), version: request.version }
      : refused(idempotencyConflict(commandId));
  }
  const used = answerToUsedKey(command, world);
  if (used !== undefined) return used;
  return command.type === 'CreatePayout' ? create(command, at, world) : cancel(command, world);
}

function create(command: CreatePayout, at: string, world: World): Decision {
  const { payoutId, commandId, fingerprint, amount, currency, payer, provider, beneficiary, rail } = command;
  const malformed = refuseFields(command, at);
  if (malformed !== undefined) return refused(malformed);
  const treasury = world.wallet(payer);
  if (treasury === undefined) return refused(notFound('account', payer));
  if (treasury.context.currency !== currency)
    return refused(invalid('currency', `account ${payer} is in ${treasury.context.currency}, not in ${currency}`));
  if (treasury.context.type !== 'treasury')
    return refused(invalid('payer', `account ${payer} is a ${treasury.context.type} account: a treasury pays out`));
  const amounts = sliceAmounts(amount, command.sliceMin, command.sliceMax);
  if (amounts === undefined) return refused(uncuttable(command));

  const unit = new Unit(world);
  const ids = sliceIdsOf(command);
  const slices = amounts.map((one, index) => ({ paymentId: ids[index] ?? '', amount: formatMinor(one) }));
  const created = {
    type: 'PayoutCreated',
    amount: formatMinor(amount),
    currency,
    payer,
    provider,
    beneficiary,
    ...(rail !== undefined && { rail }),
    slices,
  } as const;
  const refusal = refuseClosed({ payer: treasury, payee: undefined }) ?? refuseDebit(treasury, amount);
  if (refusal !== undefined) {
    const { reason, details = {} } = failedBy(refusal);
    unit.payoutFacts(payoutId, [created, { type: 'PayoutFailed', reason, details }]);
    unit.walletFact(payer, paymentRefused(treasury, payoutId, reason));
    unit.request(commandId, { type: 'PayoutHandled', fingerprint, payoutId, version: 2 });
    return unit.decided(refusal);
  }
  for (const slice of slices) {
    unit.payment(slice.paymentId, [
      {
        type: 'PaymentInitiated',
        kind: 'PAYOUT',
        amount: slice.amount,
        currency,
        payer,
        provider,
        payout: payoutId,
        beneficiary,
        ...(rail !== undefined && { rail }),
      },
      { type: 'PaymentAuthorized', held: slice.amount, expiresAt: command.expiresAt },
    ]);
    unit.walletFact(payer, holdPlaced(unit.wallet(payer), slice.paymentId, BigInt(slice.amount)));
  }
  unit.payoutFacts(payoutId, [created]);
  unit.request(commandId, { type: 'PayoutHandled', fingerprint, payoutId, version: 1 });
  return unit.decided();
}

function refuseFields(
  { amount, provider, beneficiary, rail, expiresAt }: CreatePayout,
  at: string,
): Refusal | undefined {
  if (amount <= 0n || amount > AMOUNT_MAX) return invalid('amount', 'the amount must be above 0, of 30 digits at most');
  if (!isProviderName(provider)) return invalid('provider', 'not a name of a provider');
  if (!isReference(beneficiary)) return invalid('beneficiary', 'a reference is 1 to 64 of A–Z a–z 0–9 _ . -');
  if (rail !== undefined && !isReference(rail)) return invalid('rail', 'not a name of a rail');
  return hasCome(expiresAt, at) ? invalid('expiresAt', 'the holds would be expired already') : undefined;
}

function uncuttable({ amount, sliceMin, sliceMax, provider }: CreatePayout): Refusal {
  if (amount < sliceMin) return invalid('amount', `${provider} takes nothing below ${sliceMin}`);
  return (amount + sliceMax - 1n) / sliceMax > BigInt(SLICES_MAX)
    ? invalid('amount', `it would be more than ${SLICES_MAX} slices of ${sliceMax}`)
    : invalid('amount', `it cannot be cut into slices between ${sliceMin} and ${sliceMax}`);
}

/** Ends the slices that no provider has, and says which they are. */
function cancel(command: CancelPayout, world: World): Decision {
  const { payoutId, commandId, fingerprint, reason } = command;
  const malformed = refuseReason(reason);
  if (malformed !== undefined) return refused(malformed);
  const payout = world.payout(payoutId);
  if (payout === undefined) return refused(notFound('payout', payoutId));
  if (payout.value === 'FAILED') return refused(illegalTransition('FAILED', command.type, []));
  const pending = pendingSlices(payout, world);
  if (pending.length === 0)
    return refused(illegalTransition(payout.value, command.type, [], 'no slice is pending: providers have them all'));

  const unit = new Unit(world);
  for (const paymentId of pending) {
    const slice = world.payment(paymentId);
    unit.payment(paymentId, [{ type: 'PaymentFailed', cause: 'requested', reason: 'cancelled' }]);
    if (slice !== undefined) release(unit, slice.context, 'FAILED');
  }
  const { context } = unit.payoutFacts(payoutId, [{ type: 'PayoutCancelled', reason, slices: pending }]);
  unit.request(commandId, { type: 'PayoutHandled', fingerprint, payoutId, version: context.version });
  return unit.decided();
}

function pendingSlices({ context }: PayoutSnapshot, world: World): string[] {
  return context.slices
    .map(({ paymentId }) => paymentId)
    .filter((id) => {
      const slice = world.payment(id);
      // Who does not see it sees an older state; it was made with its payout.
      invariant(slice !== undefined, `a payout has slice ${id}, which is not there`);
      return slice.value === 'AUTHORIZED' && !isLive(slice.context.transfer);
    });
}
