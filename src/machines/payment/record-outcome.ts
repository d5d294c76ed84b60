import { formatMinor } from '../../kernel/money.ts';
import type { InstructionOutcome, RecordOutcome } from '../commands.ts';
import type { Decision, World } from '../decision.ts';
import { refuseReason } from '../reason.ts';
import { instructionLive, invalid } from '../refusals.ts';
import { paymentStream } from '../streams.ts';
import { refused, Unit } from '../unit.ts';
import { stamped } from './applied.ts';
import { capturedOf } from './pay.ts';
import type { PaymentFact } from './payment.facts.ts';
import type { PaymentContext, PaymentSnapshot } from './payment.machine.ts';
import { post, release } from './post.ts';
import { FEE_CORRECTION, POSTINGS } from './postings.ts';
import { refuseProviderFee } from './terms.ts';
import { ended, endedOrGivenBack, instructionOf, isLive, newestAt, type Instruction } from './transfer.ts';

/**
 * Takes down what is known of an instruction. A provider says things twice, late, out of order, and contradicts itself:
 * what is new is recorded with the money that it moves, what is known already leaves nothing, and what contradicts is
 * noted and moves nothing that was moved before (docs/in-doubt.md).
 */
export function decideOutcome(command: RecordOutcome, payment: PaymentSnapshot, world: World): Decision {
  const { context } = payment;
  const { outcome } = command;
  const number = command.instruction === 0 ? context.transfer?.instructions?.number : command.instruction;
  const named = number === undefined ? undefined : instructionOf(context.transfer, number);
  if (named === undefined) return refused(invalid('instruction', 'no provider was told so'));
  const malformed = refuseOutcome(outcome, context);
  if (malformed !== undefined) return refused(malformed);
  // What a provider says of our key, it says of the newest attempt there.
  const about = newestAt(context.transfer, named.connector) ?? named;
  const open = isLive(context.transfer) && context.transfer?.instructions === about;
  // Nobody can have seen that what is on its way was refused: who says so guesses.
  if (open && isPeoples(command) && outcome.said === 'refused' && about.state === 'on its way')
    return refused(instructionLive(about.connector));
  const facts = open ? factsOfOpen(command, payment, about) : factsOfEnded(outcome, payment, about);
  if (facts.length === 0) {
    return { outcome: 'duplicate', stream: paymentStream(command.paymentId), version: context.version };
  }
  const unit = new Unit(world);
  record(unit, command, payment, facts);
  return unit.decided();
}

/** The word of people: of a payment, not of one of the attempts. */
const isPeoples = ({ instruction }: RecordOutcome): boolean => instruction === 0;

function refuseOutcome(outcome: InstructionOutcome, { kind, amount }: PaymentContext): ReturnType<typeof refuseReason> {
  switch (outcome.said) {
    case 'not sent':
    case 'unknown':
    case 'unresolvable':
      return refuseReason(outcome.reason);
    case 'refused':
      return refuseReason(outcome.code);
    case 'accepted':
      return refuseReason(outcome.providerRef);
    case 'confirmed':
    case 'settled':
      return refuseReason(outcome.providerRef) ?? refuseProviderFee(POSTINGS[kind], amount, outcome.providerFee);
  }
}

/** Of an instruction whose outcome is not final. */
function factsOfOpen(command: RecordOutcome, payment: PaymentSnapshot, about: Instruction): PaymentFact[] {
  const { value, context } = payment;
  const { outcome, settlesAt } = command;
  const instruction = about.number;
  const status = context.transfer?.status;
  const whenSent = POSTINGS[context.kind].capturedWhen === 'sent';
  const captured = value === 'AUTHORIZED' ? [capturedOf(context.authorized, settlesAt)] : [];
  switch (outcome.said) {
    case 'not sent':
      // Only of what nothing else is known of yet: a sender may come back late.
      return about.state === 'on its way' ? [{ type: 'InstructionNotSent', instruction, reason: outcome.reason }] : [];
    case 'unknown':
      return about.state === 'on its way' || about.state === 'accepted'
        ? [{ type: 'InstructionInDoubt', instruction, reason: outcome.reason }]
        : [];
    case 'unresolvable':
      return status === 'in_doubt' && context.transfer?.unresolved === false
        ? [{ type: 'InstructionUnresolved', instruction, reason: outcome.reason }]
        : [];
    case 'accepted': {
      if (status === 'sent') return [];
      const { providerRef } = outcome;
      return [{ type: 'InstructionAccepted', instruction, providerRef }, ...(whenSent ? captured : [])];
    }
    case 'confirmed':
    case 'settled': {
      const { providerRef } = outcome;
      const facts: PaymentFact[] = [{ type: 'InstructionConfirmed', instruction, providerRef }, ...captured];
      if (whenSent || outcome.said === 'settled') facts.push(settledOf(outcome));
      return facts;
    }
    case 'refused': {
      const { code, elsewhere } = outcome;
      const facts: PaymentFact[] = [{ type: 'InstructionRefused', instruction, code, elsewhere }];
      if (status === 'pending' && elsewhere) return facts;
      if (value === 'CAPTURED') facts.push({ type: 'PaymentReversed', reason: 'provider' });
      else facts.push({ type: 'PaymentFailed', cause: 'requested', reason: code });
      return facts;
    }
  }
}

/** Of one that had ended, or was done. */
function factsOfEnded(outcome: InstructionOutcome, payment: PaymentSnapshot, about: Instruction): PaymentFact[] {
  const { value, context } = payment;
  const { said } = outcome;
  const instruction = about.number;
  switch (said) {
    case 'not sent':
    case 'unknown':
    case 'unresolvable':
      return [];
    case 'accepted':
      return about.state === 'refused' ? contradictionOf(about, said) : [];
    case 'refused':
      return about.state === 'confirmed' || about.state === 'paid late' ? contradictionOf(about, said) : [];
    case 'confirmed':
    case 'settled': {
      const { providerRef, providerFee } = outcome;
      // Of what was given back only the money itself is news: that it was collected is known.
      const isLate = (value === 'REVERSED' && said === 'settled' ? endedOrGivenBack : ended).includes(about.state);
      if (isLate) {
        const fee = formatMinor(providerFee ?? 0n);
        return [{ type: 'LateSuccessPosted', instruction, provider: about.provider, providerRef, providerFee: fee }];
      }
      if (about.state !== 'confirmed') return [];
      if (value === 'CAPTURED' && said === 'settled') return [settledOf(outcome)];
      if (value === 'SETTLED' && providerFee !== undefined && providerFee !== context.providerFee)
        return [{ type: 'ProviderFeeCorrected', providerFee: formatMinor(providerFee) }];
      return [];
    }
  }
}

/** Noted once, however often it is asked and says so. */
function contradictionOf({ number, contradicted }: Instruction, said: string): PaymentFact[] {
  return contradicted === said ? [] : [{ type: 'ProviderContradicted', instruction: number, said }];
}

function settledOf({ providerFee = 0n }: { readonly providerFee?: bigint }): PaymentFact {
  return { type: 'PaymentSettled', fee: '0', providerFee: formatMinor(providerFee) };
}

/** The facts, and the money that they move. */
function record(unit: Unit, command: RecordOutcome, before: PaymentSnapshot, facts: readonly PaymentFact[]): void {
  const { context } = before;
  const rules = POSTINGS[context.kind];
  const { context: after } = unit.payment(command.paymentId, stamped(command, facts));
  // The outcome is proven: a wallet that was frozen meanwhile takes it too.
  const forced = context.payer !== undefined && unit.wallet(context.payer).value === 'FROZEN';
  for (const fact of facts) {
    switch (fact.type) {
      case 'PaymentCaptured':
        post(unit, after, 'CAPTURED', rules.captured, { released: context.held, forced });
        break;
      case 'PaymentSettled':
        post(unit, after, 'SETTLED', rules.settled ?? []);
        break;
      case 'PaymentReversed':
        post(unit, after, 'REVERSED', rules.reversed ?? []);
        break;
      case 'PaymentFailed':
        release(unit, context, 'FAILED');
        break;
      case 'LateSuccessPosted': {
        const { provider, providerFee } = fact;
        const late = { ...after, provider, captured: context.amount, providerFee: BigInt(providerFee) };
        post(unit, late, 'LATE', rules.late ?? []);
        break;
      }
      case 'ProviderFeeCorrected': {
        const more = BigInt(fact.providerFee) - context.providerFee;
        post(unit, { ...after, captured: more }, 'FEE', FEE_CORRECTION);
        break;
      }
      case 'InstructionIssued':
      case 'InstructionNotSent':
      case 'InstructionAccepted':
      case 'InstructionInDoubt':
      case 'InstructionConfirmed':
      case 'InstructionRefused':
      case 'InstructionUnresolved':
      case 'ProviderContradicted':
      case 'PaymentInitiated':
      case 'PaymentAuthorized':
      case 'RefundReserved':
      case 'RefundReleased':
      case 'RefundRefused':
      case 'SettlementOverdue':
        break;
    }
  }
}
