import { commandIdOf, fingerprintOf } from '../kernel/ids.ts';
import type { AccountCommand, Command, PaymentCommand, PayUpTo } from '../machines/commands.ts';
import type { WalletType } from '../machines/account/account.facts.ts';
import type { PaymentKind, ReversalReason } from '../machines/payment/payment.facts.ts';

/**
 * What doors hand to the runtime: a request of somebody, already validated for its shape. Amounts are minor units.
 * `idempotencyKey` (1 to 255 characters) is the caller's name for this request: the same key is the same request.
 */
interface Keyed {
  readonly idempotencyKey: string;
}
export interface PayRequest extends Keyed {
  readonly type: 'Pay';
  readonly kind: PaymentKind;
  readonly amount: bigint;
  readonly currency: string;
  readonly payer?: string;
  readonly payee?: string;
  readonly provider?: string;
  readonly original?: string;
  readonly upTo: PayUpTo;
  readonly captureAmount?: bigint;
  readonly providerFee?: bigint;
}
export interface AuthorizeRequest extends Keyed {
  readonly type: 'Authorize';
  readonly paymentId: string;
}
export interface CaptureRequest extends Keyed {
  readonly type: 'Capture';
  readonly paymentId: string;
  readonly amount?: bigint;
}
export interface SettleRequest extends Keyed {
  readonly type: 'Settle';
  readonly paymentId: string;
  readonly providerFee?: bigint;
}
export interface FailRequest extends Keyed {
  readonly type: 'Fail';
  readonly paymentId: string;
  readonly reason: string;
}
export interface ReverseRequest extends Keyed {
  readonly type: 'Reverse';
  readonly paymentId: string;
  readonly reason: Exclude<ReversalReason, 'expired'>;
}
export type PaymentRequest =
  PayRequest | AuthorizeRequest | CaptureRequest | SettleRequest | FailRequest | ReverseRequest;

export interface OpenAccountRequest extends Keyed {
  readonly type: 'OpenAccount';
  /** Absent: the id is made from the idempotency key. */
  readonly accountId?: string;
  readonly walletType: WalletType;
  readonly currency: string;
  readonly limit?: bigint;
  readonly feeBps?: number;
  /** Whose wallet it is: `user:<id>`. Who may say so is the doors' business. */
  readonly owner?: string;
}
export interface ReasonedAccountRequest extends Keyed {
  readonly type: 'FreezeAccount' | 'UnfreezeAccount' | 'CloseAccount';
  readonly accountId: string;
  readonly reason: string;
}
export interface SetLimitRequest extends Keyed {
  readonly type: 'SetLimit';
  readonly accountId: string;
  readonly limit: bigint;
  readonly reason: string;
}
export type AccountRequest = OpenAccountRequest | ReasonedAccountRequest | SetLimitRequest;
export type KoraRequest = PaymentRequest | AccountRequest;

const onAccounts: Readonly<Record<AccountRequest['type'], true>> = {
  OpenAccount: true,
  FreezeAccount: true,
  UnfreezeAccount: true,
  CloseAccount: true,
  SetLimit: true,
};

/** Whether the request is the Ledger's; the others are Payments'. */
export function isAccountRequest(request: KoraRequest): request is AccountRequest {
  return Object.hasOwn(onAccounts, request.type);
}

/** Who asks, and what ties the request to others. */
export interface Caller {
  readonly tenant: string;
  /** A service or user id; part of every id that is made from an idempotency key. Never a name. */
  readonly principal: string;
  readonly correlationId: string;
  /** The session that it was asked in, where a person asked. It is recorded; keys are the principal's, so a new login does not pay twice. */
  readonly session?: string;
  readonly causationId?: string;
  /** When it holds in the world (ISO 8601), where that is not now. */
  readonly effectiveAt?: string;
}

/** How long things last where nobody says otherwise. */
export interface Terms {
  /** A hold that nothing captures is released after this long. Default 7 days. */
  readonly holdMs: number;
  /** Settlement is due this long after capture (J+1). Default 1 day. */
  readonly settleAfterMs: number;
}
export const defaultTerms: Terms = { holdMs: 7 * 24 * 3_600_000, settleAfterMs: 24 * 3_600_000 };

const instants = new Map<number, string>();

/** ISO 8601. Many requests come within a millisecond, and writing an instant costs as much as a hash. */
function instantOf(ms: number): string {
  let text = instants.get(ms);
  if (text === undefined) {
    if (instants.size >= 16) instants.clear();
    text = new Date(ms).toISOString();
    instants.set(ms, text);
  }
  return text;
}

/** Completes a request to a command: ids and fingerprint from what it says, instants from `now`. */
export function commandOf(request: KoraRequest, caller: Caller, now: Date, terms: Terms): Command {
  const { idempotencyKey, ...body } = request;
  const commandId = commandIdOf(caller.tenant, caller.principal, idempotencyKey);
  const fingerprint = fingerprintOf({ ...body });
  const after = (ms: number): string => instantOf(now.getTime() + ms);
  switch (body.type) {
    case 'Pay': {
      // The command that makes a payment is the payment's name.
      const paymentId = commandId;
      const expiresAt = after(terms.holdMs);
      return { ...body, paymentId, commandId, fingerprint, expiresAt, settlesAt: after(terms.settleAfterMs) };
    }
    case 'Authorize':
      return { ...body, commandId, fingerprint, expiresAt: after(terms.holdMs) };
    case 'Capture':
      return { ...body, commandId, fingerprint, settlesAt: after(terms.settleAfterMs) };
    case 'Settle':
    case 'Fail':
    case 'Reverse':
    case 'FreezeAccount':
    case 'UnfreezeAccount':
    case 'SetLimit':
      return { ...body, commandId, fingerprint } as PaymentCommand | AccountCommand;
    case 'CloseAccount':
      return { ...body, type: 'CloseAccount', commandId, fingerprint, openPayments: 0 };
    case 'OpenAccount':
      return { ...body, accountId: body.accountId ?? commandId, commandId, fingerprint };
  }
}
