/**
 * How the provider behaves: every row is a flag of the command line and a field of `POST /admin/behaviour`. Rates are from
 * 0 to 1, times in milliseconds, and a range is `200-2000`.
 */
export const behaviours = {
  latency: { kind: 'range', standard: '200-2000', what: 'until an answer; half of it before a payment is taken' },
  errors: { kind: 'rate', standard: 0.02, what: 'answered 500, and not taken' },
  acceptedErrors: { kind: 'rate', standard: 0, what: 'taken, and answered 500' },
  acceptedTimeouts: { kind: 'rate', standard: 0, what: 'taken, and never answered' },
  garbage: { kind: 'rate', standard: 0, what: 'taken, and answered with a page that is no answer' },
  notTaken: { kind: 'rate', standard: 0, what: 'answered 503 with code ProviderUnavailable, and not taken' },
  refusals: { kind: 'rate', standard: 0, what: 'refused at once, finally' },
  refusedAfterAccepted: { kind: 'rate', standard: 0, what: 'accepted, and refused when it should have been confirmed' },
  confirmAfter: { kind: 'range', standard: '0-3000', what: 'from taken to confirmed; 0-0: in the answer' },
  late: { kind: 'rate', standard: 0, what: 'confirmed only after lateBy' },
  lateBy: { kind: 'ms', standard: 60_000, what: 'what a late confirmation takes more' },
  onItsWay: { kind: 'rate', standard: 0, what: 'taken only after onItsWayFor; until then it is not found' },
  onItsWayFor: { kind: 'ms', standard: 5_000, what: 'what a request on its way takes more' },
  duplicateCallbacks: { kind: 'rate', standard: 0, what: 'callbacks sent twice' },
  outOfOrderCallbacks: { kind: 'rate', standard: 0, what: '"pending" is told after "confirmed"' },
  callbackFirst: { kind: 'rate', standard: 0, what: 'the callback comes before the answer' },
  idempotency: { kind: 'switch', standard: true, what: 'the same reference twice is one payment' },
} as const satisfies Readonly<Record<string, BehaviourRow>>;

interface BehaviourRow {
  readonly kind: 'rate' | 'range' | 'ms' | 'switch';
  readonly standard: number | string | boolean;
  readonly what: string;
}

export type BehaviourName = keyof typeof behaviours;
type ValueOf<Row extends BehaviourRow> = Row['kind'] extends 'range'
  ? string
  : Row['kind'] extends 'switch'
    ? boolean
    : number;
export type Behaviour = { readonly [Name in BehaviourName]: ValueOf<(typeof behaviours)[Name]> };

export const behaviourNames = Object.keys(behaviours) as BehaviourName[];

/** Texts of flags, or values of a JSON body. @throws an Error whose sentence names what is wrong */
export function readBehaviour(given: Readonly<Record<string, unknown>>): Partial<Behaviour> {
  return Object.fromEntries(
    Object.entries(given).map(([name, value]) => {
      if (!Object.hasOwn(behaviours, name)) throw new Error(`${name} is none of ${behaviourNames.join(', ')}`);
      return [name, readValue(name, behaviours[name as BehaviourName].kind, value)];
    }),
  );
}

export const standardBehaviour = Object.fromEntries(
  behaviourNames.map((name) => [name, behaviours[name].standard]),
) as unknown as Behaviour;

function readValue(name: string, kind: BehaviourRow['kind'], value: unknown): number | string | boolean {
  switch (kind) {
    case 'switch':
      if (typeof value === 'boolean') return value;
      throw new Error(`${name}: true or false is wanted`);
    case 'range': {
      const text = String(value);
      const [, least = '', most = ''] = /^([0-9]{1,7})-([0-9]{1,7})$/.exec(text) ?? [];
      if (least === '' || Number(least) > Number(most)) throw new Error(`${name}: a range is wanted, such as 200-2000`);
      return text;
    }
    case 'rate':
    case 'ms': {
      const number = typeof value === 'number' ? value : value === '' ? NaN : Number(value);
      const most = kind === 'rate' ? 1 : 86_400_000;
      if (!(number >= 0 && number <= most)) throw new Error(`${name}: a number from 0 to ${most} is wanted`);
      return number;
    }
  }
}
