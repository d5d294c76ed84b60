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
  readonly number: string;
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

/** What has no state was never looked at. */
const columns = `o.number, body, coalesce(state, 'OPEN') as state, reason, match_id, coalesce(agreed, false) as agreed,
  state is null or coalesce(due = '-infinity', false) as waiting, state is not null as examined, coalesce(changes, 0) as changes`;
export const lineTables = 'reconciliation.lines o left join reconciliation.line_states s on s.line = o.number';
export const expectationTables =
  'reconciliation.expectations o left join reconciliation.expectation_states s on s.expectation = o.number';
export const selectLines = `select ${columns}, coalesce(direct, false) as direct from ${lineTables}`;
export const selectExpectations = `select ${columns} from ${expectationTables}`;

export function lineOf(row: LineRow): StoredLine {
  return { ...storedOf(row), line: decodeLine(row.body), direct: row.direct };
}

export function expectationOf(row: ExpectationRow): StoredExpectation {
  return { ...storedOf(row), expectation: decodeExpectation(row.body) };
}

function storedOf<State>({
  number,
  state,
  reason,
  match_id: matchId,
  agreed,
  waiting,
  examined,
  changes,
}: StoredRow<State>) {
  return {
    number: Number(number),
    state,
    agreed,
    waiting,
    examined,
    changes,
    ...(reason !== null && { reason }),
    ...(matchId !== null && { matchId: Number(matchId) }),
  };
}

export function encodeLine(line: ExternalLine): string {
  const parts = line.parts?.map((part) => ({ ...part, amount: part.amount.toString() }));
  return JSON.stringify({ ...line, amount: line.amount.toString(), parts });
}

export function encodeExpectation(one: Expectation): string {
  return JSON.stringify({ ...one, amount: one.amount.toString(), fee: one.fee?.toString() });
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

export function writtenBecause({ difference, ...because }: Because): MatchRow['because'] {
  return { ...because, ...(difference !== undefined && { difference: difference.toString() }) };
}

/**
 * An array as PostgreSQL reads it. Of arrays each is a text of its own: an array of arrays is a matrix, whose rows are of one
 * length. And it is several times as fast as what pg does.
 */
export function arrayText(values: readonly (string | bigint | number | boolean | null)[]): string {
  if (!values.every((value) => typeof value === 'string')) return `{${values.map(elementText).join(',')}}`;
  // Nearly never is there anything in a text that has to be escaped; one look at all of them is cheap.
  if (values.length === 0 || /[\\"]/.test(values.join(''))) return `{${values.map(elementText).join(',')}}`;
  return `{"${values.join('","')}"}`;
}

function elementText(value: string | bigint | number | boolean | null): string {
  return typeof value === 'string' ? `"${value.replace(/[\\"]/g, '\\$&')}"` : String(value);
}
