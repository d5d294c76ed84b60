import { commandIdOf, fingerprintOf } from '../kernel/ids.ts';
import { AMOUNT_MAX } from '../kernel/money.ts';
import type { AccountCommand, Command, InstructionOutcome, PaymentCommand, PayUpTo } from '../machines/commands.ts';
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
  /** Whom the provider pays or collects from, and by which rail: references, nothing personal. */
  readonly beneficiary?: string;
  readonly rail?: string;
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
/** Somebody says what became of what is in doubt: the provider's own word, or what its statement shows. */
export interface ResolveRequest extends Keyed {
  readonly type: 'Resolve';
  readonly paymentId: string;
  readonly outcome: 'confirmed' | 'settled' | 'refused';
  /** Of what was carried out: the provider's reference. */
  readonly providerRef?: string;
  readonly providerFee?: bigint;
  /** Of what was refused: why. */
  readonly reason?: string;
}
export interface CreatePayoutRequest extends Keyed {
  readonly type: 'CreatePayout';
  readonly amount: bigint;
  readonly currency: string;
  /** The treasury wallet. */
  readonly payer: string;
  readonly provider: string;
  readonly beneficiary: string;
  readonly rail?: string;
}
export interface CancelPayoutRequest extends Keyed {
  readonly type: 'CancelPayout';
  readonly payoutId: string;
  readonly reason: string;
}
export type PayoutRequest = CreatePayoutRequest | CancelPayoutRequest;
/** An operator's word on a connector's breaker. It is a matter of the Providers, and is carried out where it comes in. */
export interface ConnectorRequest extends Keyed {
  readonly type: 'ForceBreaker';
  readonly connectorId: string;
  readonly state: 'OPEN' | 'CLOSED';
  readonly reason: string;
}
export type PaymentRequest =
  PayRequest | AuthorizeRequest | CaptureRequest | SettleRequest | FailRequest | ReverseRequest | ResolveRequest;

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
export type KoraRequest = PaymentRequest | AccountRequest | PayoutRequest;

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
  /** Settlement is due this long after capture, where no calendar says. Default 1 day (J+1). */
  readonly settleAfterMs: number;
  /** When what is captured now is settled, by the calendar of a provider; undefined where it has none. */
  readonly settlesAt?: (now: Date, provider: string | undefined) => Date | undefined;
  /** What one transaction may be at a provider, by a rail, in minor units; undefined: no bound is known. */
  readonly railLimits?: (
    provider: string,
    rail: string | undefined,
    currency: string,
  ) => { readonly min: bigint; readonly max: bigint } | undefined;
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

const unlimited = { min: 1n, max: AMOUNT_MAX };

/** J+1, by the provider's calendar if it has one. */
export function settlementOf(now: Date, provider: string | undefined, terms: Terms): string {
  const planned = terms.settlesAt?.(now, provider);
  return planned === undefined ? instantOf(now.getTime() + terms.settleAfterMs) : planned.toISOString();
}

function outcomeOf({
  outcome,
  providerRef = '',
  providerFee,
  reason = '',
}: Omit<ResolveRequest, 'idempotencyKey'>): InstructionOutcome {
  if (outcome === 'refused') return { said: 'refused', code: reason, elsewhere: false };
  return { said: outcome, providerRef, ...(providerFee !== undefined && { providerFee }) };
}

/** Completes a request to a command: ids and fingerprint from what it says, instants from `now`. */
export function commandOf(request: KoraRequest | ConnectorRequest, caller: Caller, now: Date, terms: Terms): Command {
  const { idempotencyKey, ...body } = request;
  const commandId = commandIdOf(caller.tenant, caller.principal, idempotencyKey);
  const fingerprint = fingerprintOf({ ...body });
  const after = (ms: number): string => instantOf(now.getTime() + ms);
  const settlesAt = (provider?: string): string => settlementOf(now, provider, terms);
  switch (body.type) {
    case 'Pay': {
      // The command that makes a payment is the payment's name.
      const paymentId = commandId;
      const expiresAt = after(terms.holdMs);
      return { ...body, paymentId, commandId, fingerprint, expiresAt, settlesAt: settlesAt(body.provider) };
    }
    case 'Authorize':
      return { ...body, commandId, fingerprint, expiresAt: after(terms.holdMs) };
    case 'Capture':
      return { ...body, commandId, fingerprint, settlesAt: settlesAt() };
    case 'Resolve': {
      const { paymentId } = body;
      return {
        type: 'RecordOutcome',
        paymentId,
        commandId,
        fingerprint,
        instruction: 0,
        outcome: outcomeOf(body),
        settlesAt: settlesAt(),
      };
    }
    case 'CreatePayout': {
      const { min: sliceMin, max: sliceMax } = terms.railLimits?.(body.provider, body.rail, body.currency) ?? unlimited;
      const expiresAt = after(terms.holdMs);
      return { ...body, payoutId: commandId, commandId, fingerprint, sliceMin, sliceMax, expiresAt };
    }
    case 'CancelPayout':
    case 'ForceBreaker':
      return { ...body, commandId, fingerprint };
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
