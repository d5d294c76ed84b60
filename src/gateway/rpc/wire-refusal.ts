import { create, type MessageInitShape } from '@bufbuild/protobuf';
import { Code } from '@connectrpc/connect';
import type { Refusal, RefusalCode } from '../../kernel/refusal.ts';
import { type Refusal as WireRefusal, RefusalCode as WireCode, RefusalSchema } from './gen/kora/v1/refusal_pb.js';

/** What a refusal is on the wire: its code there, and the status code of a single call. A new code breaks the build. */
const wireCodes: Readonly<Record<RefusalCode, { readonly refusal: WireCode; readonly status: Code }>> = {
  Invalid: { refusal: WireCode.INVALID, status: Code.InvalidArgument },
  NotFound: { refusal: WireCode.NOT_FOUND, status: Code.NotFound },
  InsufficientFunds: { refusal: WireCode.INSUFFICIENT_FUNDS, status: Code.FailedPrecondition },
  AccountFrozen: { refusal: WireCode.ACCOUNT_FROZEN, status: Code.FailedPrecondition },
  AccountClosed: { refusal: WireCode.ACCOUNT_CLOSED, status: Code.FailedPrecondition },
  AccountExists: { refusal: WireCode.ACCOUNT_EXISTS, status: Code.AlreadyExists },
  AccountNotEmpty: { refusal: WireCode.ACCOUNT_NOT_EMPTY, status: Code.FailedPrecondition },
  IllegalTransition: { refusal: WireCode.ILLEGAL_TRANSITION, status: Code.FailedPrecondition },
  InstructionLive: { refusal: WireCode.INSTRUCTION_LIVE, status: Code.FailedPrecondition },
  HoldExpired: { refusal: WireCode.HOLD_EXPIRED, status: Code.FailedPrecondition },
  CaptureExceedsAuthorized: { refusal: WireCode.CAPTURE_EXCEEDS_AUTHORIZED, status: Code.FailedPrecondition },
  RefundExceedsCaptured: { refusal: WireCode.REFUND_EXCEEDS_CAPTURED, status: Code.FailedPrecondition },
  PaymentFailed: { refusal: WireCode.PAYMENT_FAILED, status: Code.FailedPrecondition },
  IdempotencyConflict: { refusal: WireCode.IDEMPOTENCY_CONFLICT, status: Code.AlreadyExists },
  Overloaded: { refusal: WireCode.OVERLOADED, status: Code.ResourceExhausted },
  Contended: { refusal: WireCode.CONTENDED, status: Code.Aborted },
};

/** The status code of a single call that was refused. */
export function statusOf(refusal: Refusal): Code {
  return wireCodes[refusal.code].status;
}

export function wireRefusal(refusal: Refusal): WireRefusal {
  return create(RefusalSchema, {
    code: wireCodes[refusal.code].refusal,
    message: refusal.message,
    figures: figuresOf(refusal),
  });
}

function figuresOf(refusal: Refusal): NonNullable<MessageInitShape<typeof RefusalSchema>['figures']> {
  switch (refusal.code) {
    case 'Invalid':
      return { case: 'invalid', value: { field: refusal.field ?? '' } };
    case 'NotFound':
      return { case: 'notFound', value: { what: refusal.what, id: refusal.id } };
    case 'InsufficientFunds': {
      const { accountId, available, asked } = refusal;
      return { case: 'insufficientFunds', value: { accountId, available, asked } };
    }
    case 'AccountFrozen':
    case 'AccountClosed':
    case 'AccountExists':
      return { case: 'account', value: { accountId: refusal.accountId } };
    case 'AccountNotEmpty': {
      const { accountId, posted, held, openPayments } = refusal;
      return { case: 'accountNotEmpty', value: { accountId, posted, held, openPayments } };
    }
    case 'IllegalTransition': {
      const { state, command, allowed } = refusal;
      return { case: 'illegalTransition', value: { state, command, allowed: [...allowed] } };
    }
    case 'InstructionLive':
      return { case: 'instructionLive', value: { connector: refusal.connector } };
    case 'HoldExpired':
      return { case: 'holdExpired', value: { expiresAt: refusal.expiresAt } };
    case 'CaptureExceedsAuthorized': {
      const { authorized, asked } = refusal;
      return { case: 'captureExceedsAuthorized', value: { authorized, asked } };
    }
    case 'RefundExceedsCaptured': {
      const { refundable, asked } = refusal;
      return { case: 'refundExceedsCaptured', value: { refundable, asked } };
    }
    case 'PaymentFailed':
      return { case: 'paymentFailed', value: { reason: refusal.reason } };
    case 'IdempotencyConflict':
      return { case: 'idempotencyConflict', value: { commandId: refusal.commandId } };
    case 'Overloaded':
    case 'Contended':
      return { case: undefined };
  }
}
