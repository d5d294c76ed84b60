import type pg from 'pg';
import { int8Array, textArray } from '../../../eventstore/postgres/binary-array.ts';
import {
  type Decision,
  type Expectation,
  type ExternalLine,
  feedExpectation,
  feedLine,
  type Fed,
  type Key,
  keysOfExpectation,
  keysOfLine,
  type StoredExpectation,
  type StoredLine,
  weakKeyLeft,
  weakNumberOf,
  weakNumberOfLine,
} from '../matching/index.ts';
import { copyRow, inOrder, type Statement } from './in-order.ts';
import {
  arrayText,
  encodeExpectation,
  encodeLine,
  expectationOf,
  type ExpectationRow,
  lineOf,
  type LineRow,
  selectExpectations,
  selectLines,
} from './rows.ts';
import { lockToAmend } from './transaction.ts';

/** Takes in what is fed, within a transaction. False: the feed's place is elsewhere, and nothing may be written. */
export async function takeIn(client: pg.PoolClient, fed: Fed): Promise<boolean> {
  const { lines = [], expectations = [], decisions = [], cursor } = fed;
  if (cursor !== undefined && !(await moveCursor(client, cursor))) return false;
  if (lines.length > 0) await takeLines(client, lines);
  if (expectations.length > 0) await takeExpectations(client, expectations);
  for (const decision of decisions) await takeDecision(client, decision);
  return true;
}

async function moveCursor(client: pg.PoolClient, { feed, from, to }: NonNullable<Fed['cursor']>): Promise<boolean> {
  await client.query('insert into reconciliation.cursors values ($1, 0) on conflict do nothing', [feed]);
  const { rowCount } = await client.query(
    'update reconciliation.cursors set position = $3 where feed = $1 and position = $2',
    [feed, from, to],
  );
  return rowCount === 1;
}

async function takeLines(client: pg.PoolClient, incoming: readonly ExternalLine[]): Promise<void> {
  const { rows } = await client.query<LineRow>(`${selectLines} where o.id = any($1)`, [
    arrayText(incoming.map(({ id }) => id)),
  ]);
  let last = await lastNumber(client, 'lines');
  const known = new Map(rows.map(lineOf).map((one) => [one.line.id, one]));
  const fresh = new Set<number>();
  const nextNumber = (): number => {
    fresh.add(++last);
    return last;
  };
  const changed = new Map<string, StoredLine>();
  for (const line of incoming) {
    const fed = feedLine(known.get(line.id), line, nextNumber);
    if (fed === undefined) continue;
    known.set(line.id, fed);
    changed.set(line.id, fed);
  }
  const all = [...changed.values()];
  await inOrder(client, insertLines(all.filter(({ number }) => fresh.has(number))));
  // What changes of a line that is there is its release.
  const released = all.filter(({ number }) => !fresh.has(number));
  if (released.length === 0) return;
  await lockToAmend(client);
  await client.query(
    `update reconciliation.lines l set held = false, body = u.body
      from unnest($1::bigint[], $2::text[]) as u (number, body) where l.number = u.number`,
    [arrayText(released.map(({ number }) => number)), arrayText(released.map(({ line }) => encodeLine(line)))],
  );
  await lookAgain(client, 'line', 'any($1)', arrayText(released.map(({ number }) => number)));
}

function* insertLines(stored: readonly StoredLine[]): Generator<Statement> {
  if (stored.length === 0) return;
  yield {
    into: `reconciliation.lines
      (number, id, profile, account, amount, currency, value_date, held, weak_key, body)`,
    rows: stored.map(lineRow).join(''),
  };
  const keys = stored.flatMap(({ line, number }) => keysOfLine(line).map((key) => [key, number] as const));
  yield insertKeys('line_keys', keys);
}

function lineRow({ number, line }: StoredLine): string {
  const { id, profile, account, amount, currency, valueDate, held } = line;
  const weakKey = weakNumberOfLine(line) ?? null;
  return copyRow(number, id, profile, account, amount, currency, valueDate, held, weakKey, encodeLine(line));
}

async function takeExpectations(client: pg.PoolClient, incoming: readonly Expectation[]): Promise<void> {
  const { rows } = await client.query<ExpectationRow>(`${selectExpectations} where o.id = any($1)`, [
    arrayText(incoming.map(({ id }) => id)),
  ]);
  let last = await lastNumber(client, 'expectations');
  const before = last;
  const known = new Map(rows.map(expectationOf).map((one) => [one.expectation.id, one]));
  const keysBefore = new Map([...known].map(([id, one]) => [id, new Set(keysOfExpectation(one.expectation))]));
  const changed = new Map<string, StoredExpectation>();
  const left: Key[] = [];
  for (const one of incoming) {
    const stored = known.get(one.id);
    const fed = feedExpectation(stored, one, () => ++last);
    if (fed === undefined) continue;
    const key = weakKeyLeft(stored, fed.expectation);
    if (key !== undefined) left.push(key);
    known.set(one.id, fed);
    changed.set(one.id, fed);
  }
  const all = [...changed.values()];
  if (all.some(({ number }) => number <= before)) await lockToAmend(client);
  const newKeys = (): (readonly [Key, number])[] =>
    all.flatMap(({ expectation, number }) =>
      keysOfExpectation(expectation)
        .filter((key) => keysBefore.get(expectation.id)?.has(key) !== true)
        .map((key) => [key, number] as const),
    );
  await inOrder(client, insertExpectations(all, before, newKeys));
  const changedNumbers = all.map(({ number }) => number).filter((number) => number <= before);
  if (changedNumbers.length > 0) await lookAgain(client, 'expectation', 'any($1)', arrayText(changedNumbers));
  if (left.length === 0) return;
  const neighbours = 'any(array(select number from reconciliation.lines where weak_key = any($1))) and not agreed';
  await lookAgain(client, 'line', neighbours, arrayText(left));
}

function* insertExpectations(
  stored: readonly StoredExpectation[],
  lastBefore: number,
  newKeys: () => readonly (readonly [Key, number])[],
): Generator<Statement> {
  const fresh = stored.filter(({ number }) => number > lastBefore);
  if (fresh.length > 0)
    yield {
      into: `reconciliation.expectations
        (number, id, profile, direction, amount, currency, date, position, withdrawn, weak_key, body)`,
      rows: fresh.map(expectationRow).join(''),
    };
  const changed = stored.filter(({ number }) => number <= lastBefore);
  if (changed.length > 0) yield updateExpectations(changed);
  yield insertKeys('expectation_keys', newKeys());
}

function expectationRow({ number, expectation }: StoredExpectation): string {
  const { id, profile, direction, amount, currency, date, position, withdrawn = false } = expectation;
  const weakKey = weakNumberOf(expectation) ?? null;
  const body = encodeExpectation(expectation);
  return copyRow(number, id, profile, direction, amount, currency, date, position, withdrawn, weakKey, body);
}

/** All but its profile may change. */
function updateExpectations(stored: readonly StoredExpectation[]): Statement {
  const all = stored.map(({ expectation }) => expectation);
  return {
    text: `update reconciliation.expectations e set direction = u.direction, amount = u.amount, currency = u.currency,
        date = u.date, position = u.position, withdrawn = u.withdrawn, weak_key = u.weak_key, body = u.body
      from unnest($1::bigint[], $2::text[], $3::numeric[], $4::text[], $5::date[], $6::bigint[], $7::boolean[],
        $8::bigint[], $9::text[])
        as u (number, direction, amount, currency, date, position, withdrawn, weak_key, body)
      where e.number = u.number`,
    values: [
      int8Array(stored.map(({ number }) => number)),
      textArray(all.map(({ direction }) => direction)),
      arrayText(all.map(({ amount }) => amount)),
      textArray(all.map(({ currency }) => currency)),
      arrayText(all.map(({ date }) => date)),
      int8Array(all.map(({ position }) => position)),
      arrayText(all.map(({ withdrawn = false }) => withdrawn)),
      int8Array(all.map((one) => weakNumberOf(one) ?? null)),
      textArray(all.map(encodeExpectation)),
    ],
  };
}

async function lookAgain(client: pg.PoolClient, side: 'line' | 'expectation', which: string, value: string) {
  await client.query(`update reconciliation.${side}_states set due = '-infinity' where ${side} = ${which}`, [value]);
}

async function takeDecision(client: pg.PoolClient, decision: Decision): Promise<void> {
  const { id, kind, lineIds, expectationIds, by, at, revoked } = decision;
  await lockToAmend(client);
  await client.query(
    `insert into reconciliation.decisions as d values ($1, $2, $3, $4, $5, $6, $7)
      on conflict (id) do update set revoked = d.revoked or excluded.revoked`,
    [id, kind, arrayText(lineIds), arrayText(expectationIds), by, at, revoked],
  );
  const numbers = (table: string): string =>
    `any(array(select number from reconciliation.${table} where id = any($1)))`;
  await lookAgain(client, 'line', numbers('lines'), arrayText(lineIds));
  await lookAgain(client, 'expectation', numbers('expectations'), arrayText(expectationIds));
}

async function lastNumber(client: pg.PoolClient, table: 'lines' | 'expectations'): Promise<number> {
  const { rows } = await client.query<{ last: string }>(
    `select coalesce(max(number), 0) as last from reconciliation.${table}`,
  );
  return Number(rows[0]?.last);
}

function insertKeys(table: 'line_keys' | 'expectation_keys', keys: readonly (readonly [Key, number])[]): Statement {
  // In the order of the index: neighbours go to the same page.
  const sorted = [...keys].sort(([a], [b]) => a - b);
  return {
    into: `reconciliation.${table} (key, ${table === 'line_keys' ? 'line' : 'expectation'})`,
    rows: sorted.map(([key, number]) => `${key}\t${number}\n`).join(''),
  };
}
