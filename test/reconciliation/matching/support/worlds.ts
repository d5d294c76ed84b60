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

/** What a world is mostly made of, so that every rule has much to do somewhere. */
interface Theme {
  readonly tokens: readonly string[];
  readonly tokensMax: number;
  readonly groups: readonly string[];
  readonly counterparties: readonly string[];
  readonly amounts: readonly bigint[];
  readonly profiles: readonly string[];
  readonly signs: readonly ('in' | 'out')[];
  readonly lineTokens?: readonly string[];
  /** Days on which it all happens. */
  readonly days: number;
  readonly countMin: number;
  readonly rare: number;
}
const mixed: Theme = {
  tokens: ['t1', 't2', 't3', 't4', 't5', 'g1', 'g2'],
  tokensMax: 2,
  groups: ['g1', 'g2'],
  counterparties: ['c1', 'c2'],
  amounts: [100n, 100n, 200n, 300n, 101n, 99n, 50n],
  profiles: ['a', 'a', 'a', 'b'],
  signs: ['in', 'out'],
  days: 8,
  countMin: 0,
  rare: 5,
};
const out: Theme = { ...mixed, profiles: ['a'], signs: ['out'], rare: 12, days: 3, countMin: 3 };
const themes: readonly Theme[] = [
  mixed,
  { ...out, tokens: ['t1', 't2', 't3'], amounts: [100n, 101n, 50n], tokensMax: 1 },
  { ...out, tokens: ['t1'], amounts: [100n, 100n, 50n, 49n], tokensMax: 1, groups: [] },
  { ...out, tokens: ['t1', 't2', 'g1'], groups: ['g1'], amounts: [100n, 200n], lineTokens: ['g1'], tokensMax: 1 },
  { ...out, lineTokens: ['g1', 'g1', 'g1', 't1'], groups: ['g1'], amounts: [100n, 200n, 300n], tokensMax: 1 },
  { ...out, tokensMax: 0, groups: [], counterparties: ['c1'], amounts: [100n], days: 8 },
  { ...out, tokensMax: 0, groups: [], amounts: [100n, 200n], days: 6 },
  { ...out, tokens: ['t1', 't2', 'g1'], tokensMax: 1, counterparties: ['c1', 'c1', 'c2'], amounts: [100n], days: 4 },
];

const seldom = <Value>(value: fc.Arbitrary<Value>, inSoMany: number): fc.Arbitrary<Value | undefined> =>
  once(inSoMany).chain((is) => (is ? value : fc.constant(undefined)));
/** True once in so many. */
const once = (inSoMany: number): fc.Arbitrary<boolean> =>
  fc.constantFrom(true, ...Array.from({ length: inSoMany - 1 }, () => false));

function dateIn({ days }: Theme): fc.Arbitrary<string> {
  return fc.constantFrom(...Array.from({ length: days }, (_, day) => dateOf(firstDay + day)));
}

function tokensOf(tokens: readonly string[], max: number): fc.Arbitrary<string[]> {
  return fc.uniqueArray(fc.constantFrom(...tokens), { maxLength: Math.min(max, new Set(tokens).size) });
}

function expectationOf(theme: Theme) {
  return fc.record({
    profile: fc.constantFrom(...theme.profiles),
    direction: fc.constantFrom(...theme.signs),
    amount: fc.constantFrom(...theme.amounts),
    fee: fc.option(fc.constantFrom(1n, 50n), { nil: undefined }),
    currency: once(10).map((other) => (other ? 'CZK' : 'XOF')),
    tokens: tokensOf(theme.tokens, theme.tokensMax),
    groupTokens: fc.subarray([...theme.groups], { maxLength: Math.min(theme.groups.length, 1) }),
    counterparty: fc.constantFrom(...theme.counterparties, undefined),
    date: dateIn(theme),
  });
}

function lineOf(theme: Theme) {
  const amount = fc.constantFrom(...theme.amounts);
  return fc.record({
    profile: fc.constantFrom(...theme.profiles),
    account: fc.constantFrom('x', 'x', 'y'),
    amount: fc.tuple(amount, fc.constantFrom(...theme.signs)).map(([one, sign]) => (sign === 'in' ? one : -one)),
    currency: once(10).map((other) => (other ? 'CZK' : 'XOF')),
    valueDate: dateIn(theme),
    tokens: tokensOf(theme.lineTokens ?? theme.tokens, theme.tokensMax),
    textTokens: tokensOf(theme.lineTokens ?? theme.tokens, Math.min(theme.tokensMax, 1)),
    counterparty: fc.constantFrom(...theme.counterparties, ...theme.counterparties, undefined),
    parts: seldom(
      fc.array(fc.record({ amount, tokens: tokensOf(theme.lineTokens ?? theme.tokens, theme.tokensMax) }), {
        minLength: 1,
        maxLength: 3,
      }),
      theme.rare,
    ),
    reversal: once(theme.rare + 2),
    kindCode: fc.constantFrom(...Array.from({ length: 12 }, () => undefined), 'NTRF', 'NCHG', 'PMNT/RCDT/CHRG'),
    held: once(theme.rare + 2),
  });
}

export interface World {
  readonly lines: readonly ExternalLine[];
  readonly expectations: readonly Expectation[];
  readonly decisions: readonly Decision[];
  /** Pieces of feeding in any order; all of them come to what stands above. */
  readonly feeds: readonly Fed[];
}

/** What it comes to, and one of the many ways in which it can come. */
export const worlds: fc.Arbitrary<World> = fc.constantFrom(...themes).chain(worldOf);

function worldOf(theme: Theme): fc.Arbitrary<World> {
  return drawnOf(theme).chain((drawn) => waysOf(drawn));
}

function drawnOf(theme: Theme) {
  const expectation = expectationOf(theme);
  return fc.record({
    lines: fc.array(lineOf(theme), { minLength: theme.countMin, maxLength: 9 }),
    expectations: fc.array(fc.record({ first: expectation, later: seldom(expectation, 3), withdrawn: once(3) }), {
      maxLength: 9,
    }),
    decisions: fc.array(
      fc.record({
        kind: fc.constantFrom('link' as const, 'forbid' as const),
        lines: fc.uniqueArray(fc.nat(8), { minLength: 1, maxLength: 2 }),
        expectations: fc.uniqueArray(fc.nat(8), { minLength: 1, maxLength: 2 }),
        revoked: fc.boolean(),
      }),
      { maxLength: 2 },
    ),
  });
}

function waysOf(
  drawn: ReturnType<typeof drawnOf> extends fc.Arbitrary<infer Drawn> ? Drawn : never,
): fc.Arbitrary<World> {
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
}

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
