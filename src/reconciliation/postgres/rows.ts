import type {
  Because,
  Expectation,
  ExternalLine,
  MatchKind,
  Reason,
  StoredExpectation,
  StoredLine,
  StoredMatch,
} from '../matching/index.ts';

/** How what is stored looks in rows. Bodies are JSON with amounts as texts. */

interface StoredRow<State> {
  readonly body: string;
  readonly state: State;
  readonly reason: Reason | null;
  readonly match_id: string | null;
  readonly agreed: boolean;
  readonly waiting: boolean;
  readonly examined: boolean;
  readonly changes: number;
}
export interface LineRow extends StoredRow<StoredLine['state']> {
  readonly direct: boolean;
}
export type ExpectationRow = StoredRow<StoredExpectation['state']>;

const columns = 'body, state, reason, match_id, agreed, waiting, examined, changes';
export const lineColumns = `${columns}, direct`;
export const expectationColumns = columns;

export function lineOf(row: LineRow): StoredLine {
  return { ...storedOf(row), line: decodeLine(row.body), direct: row.direct };
}

export function expectationOf(row: ExpectationRow): StoredExpectation {
  return { ...storedOf(row), expectation: decodeExpectation(row.body) };
}

function storedOf<State>({ state, reason, match_id: matchId, agreed, waiting, examined, changes }: StoredRow<State>) {
  return {
    state,
    agreed,
    waiting,
    examined,
    changes,
    ...(reason !== null && { reason }),
    ...(matchId !== null && { matchId: Number(matchId) }),
  };
}

export function encode(value: ExternalLine | Expectation): string {
  return JSON.stringify(value, (_, one: unknown) => (typeof one === 'bigint' ? one.toString() : one));
}

type Written<Value> = {
  readonly [Name in keyof Value]: Value[Name] extends bigint ? string : Value[Name];
};

function decodeLine(body: string): ExternalLine {
  const { amount, parts, ...rest } = JSON.parse(body) as Omit<Written<ExternalLine>, 'parts'> & {
    readonly parts?: readonly { readonly amount: string; readonly tokens: readonly string[] }[];
  };
  return {
    ...rest,
    amount: BigInt(amount),
    ...(parts && { parts: parts.map((part) => ({ ...part, amount: BigInt(part.amount) })) }),
  };
}

function decodeExpectation(body: string): Expectation {
  const { amount, fee, ...rest } = JSON.parse(body) as Omit<Written<Expectation>, 'fee'> & { readonly fee?: string };
  return { ...rest, amount: BigInt(amount), ...(fee !== undefined && { fee: BigInt(fee) }) };
}

export interface MatchRow {
  readonly id: string;
  readonly kind: MatchKind;
  readonly rule: string;
  readonly rules_version: string;
  readonly line_ids: string[];
  readonly expectation_ids: string[];
  /** As texts: pg reads an array of numerics as floats. */
  readonly fees: string[];
  readonly because: Omit<Because, 'difference'> & { readonly difference?: string };
}
export const matchColumns = 'id, kind, rule, rules_version, line_ids, expectation_ids, fees::text[], because';

export function matchOf(row: MatchRow): StoredMatch {
  const { difference, ...because } = row.because;
  return {
    id: Number(row.id),
    kind: row.kind,
    rule: row.rule,
    rulesVersion: row.rules_version,
    lineIds: row.line_ids,
    expectationIds: row.expectation_ids,
    fees: row.fees.map(BigInt),
    because: { ...because, ...(difference !== undefined && { difference: BigInt(difference) }) },
  };
}

export function encodeBecause(because: Because): string {
  return JSON.stringify(because, (_, one: unknown) => (typeof one === 'bigint' ? one.toString() : one));
}

/** An array of arrays is a matrix to PostgreSQL, whose rows are of one length: so each is written as its own text. */
export function arrayText(values: readonly (string | bigint)[]): string {
  return `{${values.map((value) => (typeof value === 'bigint' ? value : `"${value.replace(/[\\"]/g, '\\$&')}"`)).join(',')}}`;
}
