import type { Expectation, ExternalLine } from '../../src/reconciliation/matching/index.ts';
import { Seeded } from '../load/seeded.ts';

/** Some payments and the lines that the bank has of them, and what has to come out. */
export interface Deal {
  readonly kind: string;
  readonly expectations: readonly Expectation[];
  readonly lines: readonly ExternalLine[];
  /** By `line <id>` and `expectation <id>`: state, and reason where it stands alone. */
  readonly truth: Readonly<Record<string, string>>;
  /** Which expectations each line is of. */
  readonly pairs: readonly (readonly [line: string, expectation: string])[];
}

/** Every kind of fault is planted equally often; together they are one deal in fifty. */
export const faults = [
  'amountWrong',
  'feeTooHigh',
  'currencyWrong',
  'directionWrong',
  'paymentUnknown',
  'lineMissing',
  'lineTwice',
  'lineTakenBack',
  'reversalAlone',
  'referenceGarbled',
  'twins',
  'batchShort',
  'partWrong',
  'splitShort',
] as const;
type Fault = (typeof faults)[number];

/** Of a hundred clean deals; what has no reference at all is the rarest. */
const clean = [
  ...Array<'exact'>(66).fill('exact'),
  ...Array<'text'>(17).fill('text'),
  ...Array<'fee'>(8).fill('fee'),
  ...Array<'weak'>(4).fill('weak'),
  ...Array<'split'>(2).fill('split'),
  'group' as const,
  'parts' as const,
  'known' as const,
];
type Clean = (typeof clean)[number];

const first = Date.parse('2026-11-02') / 86_400_000;
const date = (day: number): string => new Date((first + day) * 86_400_000).toISOString().slice(0, 10);
/** Days after which nothing is open any more. */
export const today = date(40);

/** The deal of that number: always the same one, so that nobody has to keep it in memory. */
export function dealOf(number: number): Deal {
  const maker = new Maker(number);
  const fault = number % 50 === 49 ? faults[Math.floor(number / 50) % faults.length] : undefined;
  return fault === undefined ? maker.clean(clean[(number * 37) % clean.length] ?? 'exact') : maker.faulty(fault);
}

class Maker {
  readonly #number: number;
  readonly #random: Seeded;
  readonly #truth: Record<string, string> = {};
  readonly #pairs: [string, string][] = [];
  readonly #lines: ExternalLine[] = [];
  readonly #expectations: Expectation[] = [];

  constructor(number: number) {
    this.#number = number;
    this.#random = new Seeded(number);
  }

  clean(kind: Clean): Deal {
    switch (kind) {
      case 'exact':
      case 'text': {
        const one = this.#expect({}, 'MATCHED');
        this.#pair(this.#book(one, kind === 'text' ? this.#inText(one) : {}, 'MATCHED'), one);
        break;
      }
      case 'fee': {
        const one = this.#expect({}, 'MATCHED');
        this.#pair(this.#book(one, { amount: withFee(one, one.amount / 200n + 1n) }, 'MATCHED'), one);
        break;
      }
      case 'weak': {
        const one = this.#expect({}, 'MATCHED');
        this.#pair(this.#book(one, { tokens: [], textTokens: this.#words() }, 'MATCHED'), one);
        break;
      }
      case 'split': {
        const one = this.#expect({}, 'MATCHED');
        const half = signed(one) / 2n;
        for (const amount of [half, signed(one) - half]) this.#pair(this.#book(one, { amount }, 'MATCHED'), one);
        break;
      }
      case 'group': {
        const all = this.#batch('MATCHED');
        const line = this.#book(all[0], { tokens: [this.#token('group')], amount: total(all) }, 'MATCHED');
        for (const one of all) this.#pair(line, one);
        break;
      }
      case 'parts': {
        const all = this.#batch('MATCHED');
        const line = this.#book(all[0], { ...partsOf(all), tokens: [this.#token('own')] }, 'MATCHED');
        for (const one of all) this.#pair(line, one);
        break;
      }
      case 'known':
        this.#alone({ kindCode: 'NCHG', amount: -25n }, 'KNOWN');
        break;
    }
    return this.#deal(kind);
  }

  faulty(kind: Fault): Deal {
    switch (kind) {
      case 'amountWrong':
        this.#mismatch((one) => ({ amount: signed(one) > 0n ? signed(one) + 7n : signed(one) + 7_777n }));
        break;
      case 'feeTooHigh':
        this.#mismatch((one) => ({ amount: withFee(one, one.amount / 50n + 11n) }));
        break;
      case 'currencyWrong':
        this.#mismatch(() => ({ currency: 'EUR' }));
        break;
      case 'directionWrong':
        this.#mismatch((one) => ({ amount: -signed(one) }));
        break;
      case 'paymentUnknown':
        this.#alone({}, 'MISSING_INTERNAL unknown');
        break;
      case 'lineMissing':
        this.#expect({}, 'MISSING_PROVIDER unknown');
        break;
      case 'lineTwice': {
        const one = this.#expect({}, 'MATCHED');
        this.#pair(this.#book(one, {}, 'MATCHED'), one);
        this.#book(one, { valueDate: date(20) }, 'MISSING_INTERNAL reference_taken');
        break;
      }
      case 'lineTakenBack': {
        const one = this.#expect({}, 'MISSING_PROVIDER unknown');
        this.#book(one, {}, 'MATCHED');
        this.#book(one, { amount: -signed(one), reversal: true, valueDate: date(20) }, 'MATCHED');
        break;
      }
      case 'reversalAlone':
        this.#alone({ reversal: true }, 'MISSING_INTERNAL reversal_alone');
        break;
      case 'referenceGarbled': {
        const one = this.#expect({}, 'MISSING_PROVIDER unknown');
        this.#book(one, { tokens: [this.#token('other')], counterparty: 'somebody' }, 'MISSING_INTERNAL unknown');
        break;
      }
      case 'twins': {
        const one = this.#expect({}, 'MISSING_PROVIDER ambiguous');
        this.#expect({ ...one, tokens: [this.#token('twin')] }, 'MISSING_PROVIDER ambiguous');
        this.#book(one, { tokens: [] }, 'MISSING_INTERNAL ambiguous');
        break;
      }
      case 'batchShort': {
        const all = this.#batch('MISMATCH');
        this.#book(all[0], { tokens: [this.#token('group')], amount: total(all) + 1n }, 'MISMATCH');
        break;
      }
      case 'partWrong': {
        const all = this.#batch('MISMATCH');
        const { parts } = partsOf(all);
        const wrong = parts.map((part, at) => (at === 0 ? { ...part, amount: part.amount + 7n } : part));
        const more = { parts: wrong, amount: total(all) + 7n, tokens: [this.#token('own')] };
        this.#book(all[0], more, 'MISMATCH');
        break;
      }
      case 'splitShort': {
        const one = this.#expect({}, 'MISMATCH');
        const half = signed(one) / 2n;
        for (const amount of [half, half + (one.direction === 'in' ? -7n : 7n)])
          this.#book(one, { amount }, 'MISMATCH');
        break;
      }
    }
    return this.#deal(kind);
  }

  #deal(kind: string): Deal {
    const [truth, pairs] = [this.#truth, this.#pairs];
    return { kind, expectations: this.#expectations, lines: this.#lines, truth, pairs };
  }

  #mismatch(wrong: (one: Expectation) => Partial<ExternalLine>): void {
    const one = this.#expect({}, 'MISMATCH');
    this.#book(one, wrong(one), 'MISMATCH');
  }

  #expect(more: Partial<Expectation>, truth: string): Expectation {
    const id = `pay_${this.#number}_${this.#expectations.length}_${this.#random.uuid()}`;
    const one: Expectation = {
      profile: `bank-${this.#number % 4}`,
      direction: this.#number % 3 === 0 ? 'in' : 'out',
      amount: BigInt(2_000 + 2 * this.#random.below(50_000)),
      currency: 'XOF',
      tokens: [this.#token(`provider ${id}`), this.#token(`key ${id}`)],
      groupTokens: [],
      counterparty: this.#token('counterparty'),
      date: date(this.#random.below(10)),
      position: this.#number,
      ...more,
      id,
    };
    this.#expectations.push(one);
    this.#truth[`expectation ${id}`] = truth;
    return one;
  }

  /** Payments of one payout; its reference is booked by the bank where it books them as one. */
  #batch(truth: string): [Expectation, ...Expectation[]] {
    const more = { groupTokens: [this.#token('group')], direction: 'out' as const, date: date(this.#random.below(10)) };
    return [this.#expect(more, truth), ...Array.from({ length: 9 }, () => this.#expect(more, truth))];
  }

  #book(one: Expectation, more: Partial<ExternalLine>, truth: string): ExternalLine {
    const { profile, currency, counterparty = '', date: on } = one;
    return this.#line(
      { profile, currency, counterparty, amount: signed(one), valueDate: on, tokens: [one.tokens[0] ?? ''], ...more },
      truth,
    );
  }

  #alone(more: Partial<ExternalLine>, truth: string): void {
    const profile = `bank-${this.#number % 4}`;
    this.#line({ profile, valueDate: date(3), tokens: [this.#token('nobody')], amount: -4_711n, ...more }, truth);
  }

  #line(more: Partial<ExternalLine>, truth: string): ExternalLine {
    const id = `line_${this.#number}_${this.#lines.length}_${this.#random.uuid()}`;
    const line: ExternalLine = {
      profile: '',
      account: 'account',
      amount: 0n,
      currency: 'XOF',
      valueDate: '',
      tokens: [],
      textTokens: this.#words(),
      kindCode: 'NTRF',
      reversal: false,
      held: false,
      ...more,
      id,
    };
    this.#lines.push(line);
    this.#truth[`line ${id}`] = truth;
    return line;
  }

  #inText({ tokens }: Expectation): Partial<ExternalLine> {
    return { tokens: [], textTokens: [...this.#words().slice(1), tokens[1] ?? ''] };
  }

  /** Words of a text: some that every line has, some that only this one has. */
  #words(): string[] {
    return ['word every line', `word ${this.#random.below(500)}`, this.#token('word'), this.#token('words')];
  }

  /** As long as a keyed hash. */
  #token(what: string): string {
    return `${what} of ${this.#number} `.padEnd(43, '0');
  }

  #pair(line: ExternalLine, one: Expectation): void {
    this.#pairs.push([line.id, one.id]);
  }
}

function signed({ direction, amount }: Expectation): bigint {
  return direction === 'in' ? amount : -amount;
}

function withFee(one: Expectation, fee: bigint): bigint {
  return signed(one) - fee;
}

function total(all: readonly Expectation[]): bigint {
  return all.reduce((sum, one) => sum + signed(one), 0n);
}

function partsOf(all: readonly Expectation[]) {
  return { parts: all.map((one) => ({ amount: signed(one), tokens: one.tokens.slice(0, 1) })), amount: total(all) };
}
