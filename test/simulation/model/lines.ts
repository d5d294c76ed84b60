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
    default:
      return text(said['amount']);
  }
}
