import { fc } from '@fast-check/vitest';
import { readRules } from '../../../../src/reconciliation/matching/rules.ts';
import type { Decision, Expectation, ExternalLine } from '../../../../src/reconciliation/matching/sides.ts';
import type { Fed } from '../../../../src/reconciliation/matching/store.ts';

/** Few tokens, amounts and days, so that everything meets everything. */
export const firstDay = Date.parse('2026-11-02') / 86_400_000;
export const lastDay = firstDay + 9;

export const rules = readRules({
  version: 'test',
  rules: [
    { id: 'reversal', kind: 'reversal' },
    { id: 'reference', kind: 'reference' },
    { id: 'text', kind: 'text' },
    { id: 'charges', kind: 'known', posting: 'fee', sign: 'debit', codes: ['NCHG', '*/*/CHRG'] },
    { id: 'counterparty', kind: 'counterparty' },
    { id: 'fee', kind: 'fee' },
    { id: 'parts', kind: 'parts' },
    { id: 'group', kind: 'group' },
    { id: 'split', kind: 'split' },
  ],
  profiles: {
    '*': { daysBefore: 0, daysAfter: 2, graceDays: 1, feeTolerance: { basisPoints: 100, absolute: { XOF: '2' } } },
    b: { daysBefore: 1, daysAfter: 1, graceDays: 2, feeTolerance: { basisPoints: 0, absolute: {} } },
  },
});

const dateOf = (day: number): string => new Date(day * 86_400_000).toISOString().slice(0, 10);
const date = fc.integer({ min: firstDay, max: firstDay + 7 }).map(dateOf);
const profile = fc.constantFrom('a', 'a', 'a', 'b');
const amount = fc.constantFrom(100n, 100n, 200n, 300n, 101n, 99n, 50n);
const tokens = (max: number) => fc.subarray(['t1', 't2', 't3', 't4', 't5', 't6', 't7', 'g1', 'g2'], { maxLength: max });
const counterparty = fc.option(fc.constantFrom('c1', 'c2'), { nil: undefined });
const currency = fc.constantFrom('XOF', 'XOF', 'XOF', 'XOF', 'XOF', 'CZK');

const expectation = fc.record({
  profile,
  direction: fc.constantFrom('in' as const, 'out' as const),
  amount,
  fee: fc.option(fc.constantFrom(1n, 50n), { nil: undefined }),
  currency,
  tokens: tokens(2),
  groupTokens: fc.subarray(['g1', 'g2'], { maxLength: 1 }),
  counterparty,
  date,
});

const line = fc.record({
  profile,
  account: fc.constantFrom('x', 'x', 'y'),
  amount: fc.tuple(amount, fc.boolean()).map(([one, credit]) => (credit ? one : -one)),
  currency,
  valueDate: date,
  tokens: tokens(2),
  textTokens: tokens(1),
  counterparty,
  parts: fc.option(fc.array(fc.record({ amount, tokens: tokens(2) }), { minLength: 1, maxLength: 3 }), {
    nil: undefined,
    freq: 6,
  }),
  reversal: fc.constantFrom(false, false, false, false, true),
  kindCode: fc.constantFrom(undefined, undefined, 'NTRF', 'NCHG', 'PMNT/RCDT/CHRG'),
  held: fc.constantFrom(false, false, false, false, true),
});

export interface World {
  readonly lines: readonly ExternalLine[];
  readonly expectations: readonly Expectation[];
  readonly decisions: readonly Decision[];
  /** Pieces of feeding in any order; all of them come to what stands above. */
  readonly feeds: readonly Fed[];
}

/** What it comes to, and one of the many ways in which it can come. */
export const worlds: fc.Arbitrary<World> = fc
  .record({
    lines: fc.array(line, { maxLength: 9 }),
    expectations: fc.array(
      fc.record({ first: expectation, later: fc.option(expectation, { freq: 3, nil: undefined }), withdrawn: fc.constantFrom(false, false, true) }),
      { maxLength: 9 },
    ),
    decisions: fc.array(
      fc.record({
        kind: fc.constantFrom('link' as const, 'forbid' as const),
        lines: fc.uniqueArray(fc.nat(8), { minLength: 1, maxLength: 2 }),
        expectations: fc.uniqueArray(fc.nat(8), { minLength: 1, maxLength: 2 }),
        revoked: fc.boolean(),
      }),
      { maxLength: 2 },
    ),
  })
  .chain((drawn) => {
    const lines = drawn.lines.map(({ parts, ...one }, at): ExternalLine => {
      const sign = one.amount > 0n ? 1n : -1n;
      const signed = parts?.map((part) => ({ ...part, amount: part.amount * sign }));
      const sum = signed?.reduce((all, part) => all + part.amount, 0n);
      return given({ ...one, id: `l${at}`, amount: sum ?? one.amount, parts: signed });
    });
    const versions = drawn.expectations.map(({ first, later, withdrawn }, at): Expectation[] => {
      const early = given<Expectation>({ ...first, id: `e${at}`, position: 1 });
      if (later === undefined) return [early];
      return [early, given<Expectation>({ ...later, id: `e${at}`, profile: first.profile, position: 2, withdrawn })];
    });
    const decisions = drawn.decisions.map((one, at): Decision => ({
      id: `d${at}`,
      kind: one.kind,
      lineIds: one.lines.map((id) => `l${id}`),
      expectationIds: one.expectations.map((id) => `e${id}`),
      by: 'somebody',
      at: '2026-11-10T08:00:00Z',
      revoked: one.revoked,
    }));
    const pieces: Fed[] = [
      ...lines.flatMap((one) => [{ lines: [{ ...one, held: true }] }, { lines: [one] }]),
      ...versions.flat().map((one) => ({ expectations: [one] })),
      ...decisions.flatMap((one) => [{ decisions: [{ ...one, revoked: false }] }, { decisions: [one] }]),
    ];
    // Everything comes at least once; some of it again.
    return fc
      .tuple(
        fc.shuffledSubarray(pieces, { minLength: pieces.length, maxLength: pieces.length }),
        pieces.length === 0 ? fc.constant([]) : fc.shuffledSubarray(pieces),
      )
      .map(([once, again]): World => ({
        lines,
        expectations: versions.map(merged),
        decisions,
        feeds: [...once, ...again],
      }));
  });

function merged(versions: readonly Expectation[]): Expectation {
  const [first, last] = [versions[0], versions.at(-1)];
  if (first === undefined || last === undefined) throw new Error('an expectation without a version');
  return {
    ...last,
    tokens: [...new Set(versions.flatMap(({ tokens: all }) => all))],
    groupTokens: [...new Set(versions.flatMap(({ groupTokens: all }) => all))],
  };
}

/** Without what is undefined. */
function given<Value>(one: { readonly [Name in keyof Value]: Value[Name] | undefined }): Value {
  return Object.fromEntries(Object.entries(one).filter(([, value]) => value !== undefined)) as Value;
}
