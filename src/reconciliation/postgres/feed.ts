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
import {
  encode,
  expectationColumns,
  expectationOf,
  type ExpectationRow,
  lineColumns,
  lineOf,
  type LineRow,
} from './rows.ts';

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
  const { rows } = await client.query<LineRow>(`select ${lineColumns} from reconciliation.lines where id = any($1)`, [
    incoming.map(({ id }) => id),
  ]);
  const known = new Map(rows.map(lineOf).map((one) => [one.line.id, one]));
  const there = new Set(known.keys());
  const changed = new Map<string, StoredLine>();
  for (const line of incoming) {
    const fed = feedLine(known.get(line.id), line);
    if (fed === undefined) continue;
    known.set(line.id, fed);
    changed.set(line.id, fed);
  }
  const all = [...changed.values()].map(({ line }) => line);
  await insertLines(
    client,
    all.filter(({ id }) => !there.has(id)),
  );
  // What changes of a line that is there is its release.
  const released = all.filter(({ id }) => there.has(id));
  if (released.length === 0) return;
  await client.query(
    `update reconciliation.lines l set held = false, waiting = true, body = u.body
      from unnest($1::text[], $2::text[]) as u (id, body) where l.id = u.id`,
    [released.map(({ id }) => id), released.map(encode)],
  );
}

async function insertLines(client: pg.PoolClient, lines: readonly ExternalLine[]): Promise<void> {
  if (lines.length === 0) return;
  const last = await lastNumber(client, 'lines');
  await client.query(
    `insert into reconciliation.lines
      (number, id, profile, account, amount, currency, value_date, held, body, weak_key)
      select * from unnest($1::bigint[], $2::text[], $3::text[], $4::text[], $5::numeric[], $6::text[], $7::date[],
        $8::boolean[], $9::text[], $10::bigint[])`,
    [
      lines.map((_, at) => last + at + 1),
      lines.map(({ id }) => id),
      lines.map(({ profile }) => profile),
      lines.map(({ account }) => account),
      lines.map(({ amount }) => amount.toString()),
      lines.map(({ currency }) => currency),
      lines.map(({ valueDate }) => valueDate),
      lines.map(({ held }) => held),
      lines.map(encode),
      lines.map((line) => weakNumberOfLine(line) ?? null),
    ],
  );
  const keys = lines.flatMap((line, at) => keysOfLine(line).map((key) => [key, last + at + 1] as const));
  await insertKeys(client, 'line_keys', keys);
}

async function takeExpectations(client: pg.PoolClient, incoming: readonly Expectation[]): Promise<void> {
  const { rows } = await client.query<ExpectationRow & { number: string }>(
    `select number, ${expectationColumns} from reconciliation.expectations where id = any($1)`,
    [incoming.map(({ id }) => id)],
  );
  const known = new Map<string, StoredExpectation>();
  const there = new Map<string, { readonly number: number; readonly keys: ReadonlySet<Key> }>();
  for (const row of rows) {
    const stored = expectationOf(row);
    known.set(stored.expectation.id, stored);
    there.set(stored.expectation.id, {
      number: Number(row.number),
      keys: new Set(keysOfExpectation(stored.expectation)),
    });
  }
  const changed = new Map<string, StoredExpectation>();
  const left: Key[] = [];
  for (const one of incoming) {
    const before = known.get(one.id);
    const fed = feedExpectation(before, one);
    if (fed === undefined) continue;
    const key = weakKeyLeft(before, fed.expectation);
    if (key !== undefined) left.push(key);
    known.set(one.id, fed);
    changed.set(one.id, fed);
  }
  const all = [...changed.values()].map(({ expectation }) => expectation);
  const last = await lastNumber(client, 'expectations');
  const numberOf = new Map(all.filter(({ id }) => !there.has(id)).map(({ id }, at) => [id, last + at + 1]));
  await upsertExpectations(client, all, (id) => numberOf.get(id) ?? there.get(id)?.number ?? 0);
  const keys = all.flatMap((one) =>
    keysOfExpectation(one)
      .filter((key) => there.get(one.id)?.keys.has(key) !== true)
      .map((key) => [key, numberOf.get(one.id) ?? there.get(one.id)?.number ?? 0] as const),
  );
  await insertKeys(client, 'expectation_keys', keys);
  if (left.length === 0) return;
  await client.query(
    'update reconciliation.lines set waiting = true where weak_key = any($1::bigint[]) and not agreed',
    [left],
  );
}

async function upsertExpectations(
  client: pg.PoolClient,
  all: readonly Expectation[],
  numberOf: (id: string) => number,
): Promise<void> {
  await client.query(
    `insert into reconciliation.expectations
      (number, id, profile, direction, amount, currency, date, position, withdrawn, body, weak_key)
      select * from unnest($1::bigint[], $2::text[], $3::text[], $4::text[], $5::numeric[], $6::text[], $7::date[],
        $8::bigint[], $9::boolean[], $10::text[], $11::bigint[])
      on conflict (id) do update set direction = excluded.direction, amount = excluded.amount,
        currency = excluded.currency, date = excluded.date, position = excluded.position,
        withdrawn = excluded.withdrawn, body = excluded.body, weak_key = excluded.weak_key, waiting = true`,
    [
      all.map(({ id }) => numberOf(id)),
      all.map(({ id }) => id),
      all.map(({ profile }) => profile),
      all.map(({ direction }) => direction),
      all.map(({ amount }) => amount.toString()),
      all.map(({ currency }) => currency),
      all.map(({ date }) => date),
      all.map(({ position }) => position),
      all.map(({ withdrawn = false }) => withdrawn),
      all.map(encode),
      all.map((one) => weakNumberOf(one) ?? null),
    ],
  );
}

async function takeDecision(client: pg.PoolClient, decision: Decision): Promise<void> {
  const { id, kind, lineIds, expectationIds, by, at, revoked } = decision;
  await client.query(
    `insert into reconciliation.decisions as d values ($1, $2, $3, $4, $5, $6, $7)
      on conflict (id) do update set revoked = d.revoked or excluded.revoked`,
    [id, kind, lineIds, expectationIds, by, at, revoked],
  );
  await client.query('update reconciliation.lines set waiting = true where id = any($1)', [lineIds]);
  await client.query('update reconciliation.expectations set waiting = true where id = any($1)', [expectationIds]);
}

async function lastNumber(client: pg.PoolClient, table: 'lines' | 'expectations'): Promise<number> {
  const { rows } = await client.query<{ last: string }>(
    `select coalesce(max(number), 0) as last from reconciliation.${table}`,
  );
  return Number(rows[0]?.last);
}

async function insertKeys(
  client: pg.PoolClient,
  table: 'line_keys' | 'expectation_keys',
  keys: readonly (readonly [Key, number])[],
): Promise<void> {
  if (keys.length === 0) return;
  // In the order of the index: neighbours go to the same page.
  const sorted = [...keys].sort(([a], [b]) => a - b);
  await client.query(`insert into reconciliation.${table} select * from unnest($1::bigint[], $2::bigint[])`, [
    sorted.map(([key]) => key),
    sorted.map(([, number]) => number),
  ]);
}
