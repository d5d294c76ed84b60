import type { RecordedRow } from '../../../eventstore/index.ts';

type Data = Readonly<Record<string, unknown>>;
function text(value: unknown): string {
  if (value === undefined) return '';
  return typeof value === 'string' ? value : JSON.stringify(value);
}

/** The facts of a row as the lines that a `Draft` makes of what is expected. */
export function linesOf({ stream, events }: RecordedRow): string[] {
  const category = stream.slice(0, stream.indexOf('/'));
  return events.map(({ type, data }) => {
    const said = data as Data;
    if (category === 'request') return 'handled';
    if (category === 'payout') return `${type} ${payoutOf(type, said)}`;
    if (category === 'connector') return `${type} ${text((said['after'] as Data)['state'])}`;
    if (category === 'system') return `${type} ${text(said['amount'])}`;
    return category === 'account'
      ? `${type} ${noteOf(type, said)} → ${after(said)}`
      : `${type} ${figuresOf(type, said)}`;
  });
}

function after(said: Data): string {
  const { status, posted, held, limit } = said['after'] as Record<string, string>;
  return `${text(status)} ${text(posted)} held ${text(held)} limit ${text(limit)}`;
}

function noteOf(type: string, said: Data): string {
  if (type === 'EntryPosted') {
    return `${text(said['amount'])} released ${text(said['released'] ?? '0')} forced ${text(said['forced'] ?? false)}`;
  }
  if (type === 'AccountOpened') {
    const opened = said['after'] as Record<string, unknown>;
    return `${text(opened['type'])} ${text(opened['currency'])} fee ${text(opened['feeBps'] ?? 0)}`;
  }
  if (type === 'PaymentRefused') return text(said['reason']);
  return text(said['amount']);
}

function payoutOf(type: string, said: Data): string {
  if (type === 'PayoutFailed') return text(said['reason']);
  if (type === 'PayoutCancelled') return (said['slices'] as string[]).join(' ');
  const slices = said['slices'] as { readonly paymentId: string; readonly amount: string }[];
  return `${text(said['amount'])} ${text(said['currency'])}: ${slices.map(({ paymentId, amount }) => `${paymentId} ${amount}`).join(' ')}`;
}

function figuresOf(type: string, said: Data): string {
  switch (type) {
    case 'PaymentInitiated':
      return `${text(said['kind'])} ${text(said['amount'])} ${text(said['currency'])} fee ${text(said['feeBps'] ?? 0)}`;
    case 'PaymentAuthorized':
      return `held ${text(said['held'])}`;
    case 'PaymentCaptured':
      return `${text(said['amount'])} due ${said['settlesAt'] !== undefined}`;
    case 'PaymentSettled':
      return `fee ${text(said['fee'])} provider ${text(said['providerFee'])}`;
    case 'PaymentFailed':
    case 'PaymentReversed':
      return text(said['reason']);
    case 'InstructionIssued':
      return `${text(said['instruction'])} ${text(said['connector'])} ${text(said['provider'])} ${text(said['sendBefore'])} ${text(said['resendAt'])}`;
    case 'InstructionNotSent':
    case 'InstructionInDoubt':
    case 'InstructionUnresolved':
      return text(said['instruction']);
    case 'InstructionAccepted':
    case 'InstructionConfirmed':
      return `${text(said['instruction'])} ${text(said['providerRef'])}`;
    case 'InstructionRefused':
      return `${text(said['instruction'])} ${text(said['code'])} ${text(said['elsewhere'])}`;
    case 'ProviderContradicted':
      return `${text(said['instruction'])} ${text(said['said'])}`;
    case 'LateSuccessPosted':
      return `${text(said['instruction'])} ${text(said['provider'])} ${text(said['providerRef'])} ${text(said['providerFee'])}`;
    case 'ProviderFeeCorrected':
      return text(said['providerFee']);
    default:
      return text(said['amount']);
  }
}
