import type { Caller, KoraRequest } from '../../actors/requests.ts';
import type { Outcome } from '../../actors/runtime.ts';
import type { RefusalCode } from '../../kernel/refusal.ts';

/** What goes between processes, as JSON. They may be of different versions while an upgrade is under way. */
export interface ForwardedCall {
  readonly request: KoraRequest;
  readonly caller: Caller;
  /** Of the trace that it belongs to, as in the header of that name (W3C Trace Context). */
  readonly traceparent?: string;
}

/** The outcome; or `null`: the process that was asked did not carry it out, or cannot say, and the one that asked does. */
export type ForwardedAnswer = Outcome | null;

export const FORWARD_PATH = '/kora/forward/1';

/**
 * The fields that a request has. A field that this version does not know would be left out of the command silently, so the
 * request is not taken, and whoever sent it carries it out.
 */
type RequestOf<Type, Request = KoraRequest> = Request extends { readonly type: infer Of }
  ? Type extends Of
    ? Request
    : never
  : never;
type Fields<Request> = {
  readonly [Field in Exclude<keyof Request, 'type'>]-?: NonNullable<Request[Field]> extends bigint ? 'n' : 's';
};
type ByType = { readonly [Type in KoraRequest['type']]: Fields<RequestOf<Type>> };

const reasoned = { idempotencyKey: 's', accountId: 's', reason: 's' } as const;
const fieldsOf: ByType = {
  Pay: {
    idempotencyKey: 's',
    kind: 's',
    amount: 'n',
    currency: 's',
    payer: 's',
    payee: 's',
    provider: 's',
    beneficiary: 's',
    rail: 's',
    original: 's',
    upTo: 's',
    captureAmount: 'n',
    providerFee: 'n',
  },
  Authorize: { idempotencyKey: 's', paymentId: 's' },
  Capture: { idempotencyKey: 's', paymentId: 's', amount: 'n' },
  Settle: { idempotencyKey: 's', paymentId: 's', providerFee: 'n' },
  Fail: { idempotencyKey: 's', paymentId: 's', reason: 's' },
  Reverse: { idempotencyKey: 's', paymentId: 's', reason: 's' },
  Resolve: {
    idempotencyKey: 's',
    paymentId: 's',
    outcome: 's',
    providerRef: 's',
    providerFee: 'n',
    reason: 's',
  },
  CreatePayout: {
    idempotencyKey: 's',
    amount: 'n',
    currency: 's',
    payer: 's',
    provider: 's',
    beneficiary: 's',
    rail: 's',
  },
  CancelPayout: { idempotencyKey: 's', payoutId: 's', reason: 's' },
  OpenAccount: {
    idempotencyKey: 's',
    accountId: 's',
    walletType: 's',
    currency: 's',
    limit: 'n',
    feeBps: 's',
    owner: 's',
  },
  FreezeAccount: reasoned,
  UnfreezeAccount: reasoned,
  CloseAccount: reasoned,
  SetLimit: { ...reasoned, limit: 'n' },
};

const callerFields: Readonly<Record<keyof Caller, true>> = {
  tenant: true,
  principal: true,
  correlationId: true,
  session: true,
  causationId: true,
  effectiveAt: true,
};

const refusalCodes: Readonly<Record<RefusalCode, true>> = {
  Invalid: true,
  NotFound: true,
  InsufficientFunds: true,
  AccountFrozen: true,
  AccountClosed: true,
  AccountExists: true,
  AccountNotEmpty: true,
  IllegalTransition: true,
  InstructionLive: true,
  HoldExpired: true,
  CaptureExceedsAuthorized: true,
  RefundExceedsCaptured: true,
  PaymentFailed: true,
  IdempotencyConflict: true,
  Overloaded: true,
  Contended: true,
};

export function writeCalls(calls: readonly ForwardedCall[]): string {
  return JSON.stringify(calls, (_, value: unknown) => (typeof value === 'bigint' ? String(value) : value));
}

/** @returns the calls; undefined in the place of one that this version cannot read. Throws where it is no list at all. */
export function readCalls(text: string): (ForwardedCall | undefined)[] {
  const calls = JSON.parse(text) as unknown;
  if (!Array.isArray(calls)) throw new TypeError('a list of calls is wanted');
  return calls.map((call: unknown) => readCall(call as ReadCall | null));
}

type ReadCall = { readonly [Part in keyof ForwardedCall]?: unknown };

function readCall(call: ReadCall | null): ForwardedCall | undefined {
  const { request, caller, traceparent } = call ?? {};
  if (!isRecord(request) || !isRecord(caller)) return undefined;
  if (!Object.keys(caller).every((field) => Object.hasOwn(callerFields, field))) return undefined;
  const { type } = request;
  if (typeof type !== 'string' || !Object.hasOwn(fieldsOf, type)) return undefined;
  const fields: Readonly<Record<string, 'n' | 's'>> = fieldsOf[type as KoraRequest['type']];
  const read: Record<string, unknown> = { type };
  for (const [field, value] of Object.entries(request)) {
    if (field === 'type') continue;
    if (!Object.hasOwn(fields, field)) return undefined;
    if (fields[field] !== 'n') read[field] = value;
    else if (typeof value === 'string' && /^-?[0-9]{1,40}$/.test(value)) read[field] = BigInt(value);
    else return undefined;
  }
  return {
    request: read as unknown as KoraRequest,
    caller: caller as unknown as Caller,
    ...(typeof traceparent === 'string' && { traceparent }),
  };
}

/** @throws TypeError where it is not an answer for each call */
export function readAnswers(text: string, calls: number): ForwardedAnswer[] {
  const answers = JSON.parse(text) as unknown;
  if (!Array.isArray(answers) || answers.length !== calls) throw new TypeError('an answer to each call is wanted');
  return answers.map((answer: unknown) => {
    if (!isRecord(answer) || typeof answer['ok'] !== 'boolean') return null;
    const outcome = answer as unknown as Outcome;
    // A refusal of a newer version, which our doors could not put into words.
    if (!outcome.ok && !Object.hasOwn(refusalCodes, outcome.refusal.code)) return null;
    return outcome;
  });
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null;
}
