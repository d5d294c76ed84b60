import type pg from 'pg';
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
import { inOrder, type Statement } from './in-order.ts';
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
import { lock } from './transaction.ts';

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
  await lock(client, 'matching');
  await client.query(
    `update reconciliation.lines l set held = false, body = u.body
      from unnest($1::bigint[], $2::text[]) as u (number, body) where l.number = u.number`,
    [arrayText(released.map(({ number }) => number)), arrayText(released.map(({ line }) => encodeLine(line)))],
  );
  await lookAgain(client, 'line', 'any($1)', arrayText(released.map(({ number }) => number)));
}

function* insertLines(stored: readonly StoredLine[]): Generator<Statement> {
  if (stored.length === 0) return;
  const lines = stored.map(({ line }) => line);
  const numbers = arrayText(stored.map(({ number }) => number));
  yield {
    text: `insert into reconciliation.lines
      (number, id, profile, account, amount, currency, value_date, held, weak_key, body)
      select * from rows from (unnest($1::bigint[], $2::text[], $3::text[], $4::text[], $5::numeric[], $6::text[],
        $7::date[], $8::boolean[], $9::bigint[]), json_array_elements_text($10))`,
    values: [
      numbers,
      arrayText(lines.map(({ id }) => id)),
      arrayText(lines.map(({ profile }) => profile)),
      arrayText(lines.map(({ account }) => account)),
      arrayText(lines.map(({ amount }) => amount)),
      arrayText(lines.map(({ currency }) => currency)),
      arrayText(lines.map(({ valueDate }) => valueDate)),
      arrayText(lines.map(({ held }) => held)),
      arrayText(lines.map((line) => weakNumberOfLine(line) ?? null)),
      JSON.stringify(lines.map(encodeLine)),
    ],
  };
  yield {
    text: 'insert into reconciliation.line_states (line) select * from unnest($1::bigint[])',
    values: [numbers],
  };
  const keys = stored.flatMap(({ line, number }) => keysOfLine(line).map((key) => [key, number] as const));
  yield insertKeys('line_keys', keys);
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
  if (all.some(({ number }) => number <= before)) await lock(client, 'matching');
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
  const all = stored.map(({ expectation }) => expectation);
  yield {
    text: `insert into reconciliation.expectations
      (number, id, profile, direction, amount, currency, date, position, withdrawn, weak_key, body)
      select * from rows from (unnest($1::bigint[], $2::text[], $3::text[], $4::text[], $5::numeric[], $6::text[],
        $7::date[], $8::bigint[], $9::boolean[], $10::bigint[]), json_array_elements_text($11))
      on conflict (id) do update set direction = excluded.direction, amount = excluded.amount,
        currency = excluded.currency, date = excluded.date, position = excluded.position,
        withdrawn = excluded.withdrawn, body = excluded.body, weak_key = excluded.weak_key`,
    values: [
      arrayText(stored.map(({ number }) => number)),
      arrayText(all.map(({ id }) => id)),
      arrayText(all.map(({ profile }) => profile)),
      arrayText(all.map(({ direction }) => direction)),
      arrayText(all.map(({ amount }) => amount)),
      arrayText(all.map(({ currency }) => currency)),
      arrayText(all.map(({ date }) => date)),
      arrayText(all.map(({ position }) => position)),
      arrayText(all.map(({ withdrawn = false }) => withdrawn)),
      arrayText(all.map((one) => weakNumberOf(one) ?? null)),
      JSON.stringify(all.map(encodeExpectation)),
    ],
  };
  yield {
    text: 'insert into reconciliation.expectation_states (expectation) select * from unnest($1::bigint[])',
    values: [arrayText(stored.map(({ number }) => number).filter((number) => number > lastBefore))],
  };
  yield insertKeys('expectation_keys', newKeys());
}

async function lookAgain(client: pg.PoolClient, side: 'line' | 'expectation', which: string, value: string) {
  await client.query(`update reconciliation.${side}_states set due = '-infinity' where ${side} = ${which}`, [value]);
}

async function takeDecision(client: pg.PoolClient, decision: Decision): Promise<void> {
  const { id, kind, lineIds, expectationIds, by, at, revoked } = decision;
  await lock(client, 'matching');
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
    text: `insert into reconciliation.${table} select * from unnest($1::bigint[], $2::bigint[])`,
    values: [arrayText(sorted.map(([key]) => key)), arrayText(sorted.map(([, number]) => number))],
  };
}
