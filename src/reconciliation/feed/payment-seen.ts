import type { FedEvent } from './contract.ts';

/** What reconciliation knows of a payment, from its events alone. */
export interface PaymentSeen {
  readonly id: string;
  /** Of the last event that is in it: what comes again is known by it. */
  readonly sequence: number;
  readonly kind: string;
  readonly amount: string;
  readonly currency: string;
  readonly provider: string | undefined;
  readonly payout: string | undefined;
  /** The original of a PAYOUT_RETURN. */
  readonly original: string | undefined;
  readonly status: 'INITIATED' | 'AUTHORIZED' | 'CAPTURED' | 'SETTLED' | 'FAILED' | 'REVERSED';
  /** A connector was told to do it: whatever its status, the provider may have. */
  readonly instructed: boolean;
  /** When it was captured, or a connector first told: from then on a statement may show it. */
  readonly since: string | undefined;
  /** The same to the instant, ISO 8601; absent in what was written before it was kept. */
  readonly sinceAt?: string;
  readonly fee: string | undefined;
  /** What the provider calls it, where it has said so. */
  readonly providerRef: string | undefined;
  readonly tokens: readonly string[];
  readonly groupTokens: readonly string[];
}

/** Types and versions that are understood. What is told in another version is parked; other types are passed over. */
export const understood: Readonly<Record<string, number>> = {
  'payment.initiated': 1,
  'payment.authorized': 1,
  'payment.captured': 1,
  'payment.settled': 1,
  'payment.failed': 1,
  'payment.reversed': 1,
  'payment.instructed': 1,
  'payment.accepted': 1,
  'payment.confirmed': 1,
  'payment.paid_late': 1,
  'payment.fee_corrected': 1,
  'statement.line': 1,
};

/** Whether it is passed over, taken, or too new for this process. */
export function standingOf({ type, version }: FedEvent): 'taken' | 'passed over' | 'unknown version' {
  const known = understood[type];
  if (known === undefined) return 'passed over';
  return version === known ? 'taken' : 'unknown version';
}

const statuses: Readonly<Record<string, PaymentSeen['status']>> = {
  'payment.authorized': 'AUTHORIZED',
  'payment.captured': 'CAPTURED',
  'payment.settled': 'SETTLED',
  'payment.failed': 'FAILED',
  'payment.reversed': 'REVERSED',
};

/** The payment after an event; what is in it already changes nothing. Undefined: its beginning was never told. */
export function seenAfter(seen: PaymentSeen | undefined, event: FedEvent): PaymentSeen | undefined {
  if (seen !== undefined && event.sequence <= seen.sequence) return seen;
  if (event.type === 'payment.initiated') return begun(event);
  if (seen === undefined) return undefined;
  const { data, sequence } = event;
  const text = (name: string): string | undefined => (typeof data[name] === 'string' ? data[name] : undefined);
  const status = statuses[event.type] ?? seen.status;
  const tokens = [...new Set([...seen.tokens, ...event.tokens])];
  const next: PaymentSeen = { ...seen, sequence, status, tokens };
  const since = { since: event.createdAt.slice(0, 10), sinceAt: event.createdAt };
  switch (event.type) {
    case 'payment.captured':
      return { ...next, amount: text('amount') ?? seen.amount, ...(seen.since === undefined && since) };
    case 'payment.settled':
    case 'payment.fee_corrected':
      return { ...next, fee: text('providerFee') };
    case 'payment.instructed':
      return {
        ...next,
        instructed: true,
        ...(seen.since === undefined && since),
        provider: text('provider') ?? seen.provider,
      };
    case 'payment.accepted':
    case 'payment.confirmed':
    case 'payment.paid_late':
      return { ...next, provider: text('provider') ?? seen.provider, providerRef: text('providerRef') };
    default:
      return next;
  }
}

function begun({ data, sequence, subject, tokens }: FedEvent): PaymentSeen {
  const text = (name: string): string | undefined => (typeof data[name] === 'string' ? data[name] : undefined);
  return {
    id: subject.slice('payment/'.length),
    sequence,
    kind: text('kind') ?? '',
    amount: text('amount') ?? '0',
    currency: text('currency') ?? '',
    provider: text('provider'),
    payout: text('payout'),
    original: text('original'),
    status: 'INITIATED',
    instructed: false,
    since: undefined,
    fee: undefined,
    providerRef: undefined,
    tokens: tokens.filter((token) => !token.startsWith(GROUP)),
    groupTokens: tokens.filter((token) => token.startsWith(GROUP)).map((token) => token.slice(GROUP.length)),
  };
}

/** Tokens of what a payment is booked together with are told apart by this. */
export const GROUP = 'group:';
