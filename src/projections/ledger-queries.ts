import type pg from 'pg';
import type { Position } from '../../eventstore/index.ts';
import { currentEvents } from '../machines/fact-codec.ts';
import { accountStream, systemStream } from '../machines/streams.ts';
import { accountsById } from './queries.ts';

/** Questions that the log itself answers: they do not lag. */

export interface BalanceQuestion {
  readonly account: string;
  /** By business time: everything that holds at this instant, whenever it was recorded. */
  readonly at?: Date | undefined;
  /** By what was recorded: the log up to and with this position. */
  readonly position?: Position | undefined;
}

export interface Balance {
  readonly account: string;
  /** Undefined for an account that had no fact by then. */
  readonly currency: string | undefined;
  readonly posted: bigint;
  /** Wallets, by position or now: a hold has no business time. */
  readonly held: bigint | undefined;
}

/**
 * The balance of a wallet or a system account: now, at an instant of business time, or as recorded at a position. By
 * instant, and for a system account by position, its entries are added up.
 *
 * @returns undefined when there is no such account
 */
export async function balanceAt(
  pool: pg.Pool,
  { account, at, position }: BalanceQuestion,
): Promise<Balance | undefined> {
  const stream = await streamOf(pool, account);
  if (stream === undefined) return undefined;
  if (at !== undefined) return balanceByTime(pool, account, at, position);
  return stream === accountStream(account)
    ? walletAt(pool, account, stream, position)
    : systemAccountAt(pool, account, stream, position);
}

/** An account is a wallet or a system account; their ids never meet. */
async function streamOf(pool: pg.Pool, account: string): Promise<string | undefined> {
  const { rows } = await pool.query<{ stream: string }>(
    'select stream from projections.account_heads where stream = any($1)',
    [[accountStream(account), systemStream(account)]],
  );
  return rows[0]?.stream;
}

interface Sum {
  posted: string | null;
  currency: string | null;
}

function balanceOf(account: string, sum: Sum | undefined, base = 0n): Balance {
  const posted = base + BigInt(sum?.posted ?? '0');
  return { account, currency: sum?.currency ?? undefined, posted, held: undefined };
}

async function balanceByTime(
  pool: pg.Pool,
  account: string,
  at: Date,
  position: Position | undefined,
): Promise<Balance> {
  const { rows } = await pool.query<Sum>(
    `select sum(amount)::text as posted, min(currency) as currency from projections.entries_of_account($1)
     where effective_at <= $2 and ($3::bigint is null or position <= $3)`,
    [account, at, position ?? null],
  );
  return balanceOf(account, rows[0]);
}

/** Adds entries up: of now, only those that came after what the accounts projection has added up already. */
async function systemAccountAt(
  pool: pg.Pool,
  account: string,
  stream: string,
  position: Position | undefined,
): Promise<Balance> {
  const [base] = position === undefined ? await accountsById(pool, [account]) : [];
  const { rows } = await pool.query<Sum>(
    `select sum((e.event #>> '{data,amount}')::numeric)::text as posted, min(e.event #>> '{data,currency}') as currency
     from projections.account_rows l cross join lateral json_array_elements(l.events) with ordinality as e (event, number)
     where l.stream = $1 and l.version > $2 and ($3::bigint is null or l.position + e.number - 1 <= $3)`,
    [stream, base?.version ?? 0, position ?? null],
  );
  const sum = balanceOf(account, rows[0], base?.posted);
  return base === undefined ? sum : { ...sum, currency: base.currency };
}

/** A wallet's facts carry the wallet after them: its last fact by then is the answer. */
async function walletAt(
  pool: pg.Pool,
  account: string,
  stream: string,
  position: Position | undefined,
): Promise<Balance> {
  const { rows } = await pool.query<{ currency: string; posted: string; held: string }>(
    `select e.event #>> '{data,after,currency}' as currency,
       e.event #>> '{data,after,posted}' as posted, e.event #>> '{data,after,held}' as held
     from (
       select * from projections.account_rows where stream = $1 and ($2::bigint is null or position <= $2)
       order by version desc limit 1
     ) l
     cross join lateral json_array_elements(l.events) with ordinality as e (event, number)
     where $2::bigint is null or l.position + e.number - 1 <= $2
     order by e.number desc limit 1`,
    [stream, position ?? null],
  );
  const { currency, posted, held } = rows[0] ?? { currency: undefined, posted: '0', held: '0' };
  return { account, currency, posted: BigInt(posted), held: BigInt(held) };
}

export interface LedgerEntry {
  readonly position: Position;
  readonly account: string;
  readonly payment: string;
  /** Signed minor units, credit +. */
  readonly amount: bigint;
  readonly currency: string;
  /** The state that the payment reached by it. */
  readonly step: string;
  readonly effectiveAt: string;
  readonly recordedAt: string;
  /** Of the account's stream. */
  readonly version: number;
}

interface EntryRow {
  position: string;
  account_id: string;
  txn_id: string;
  amount: string;
  currency: string;
  step: string;
  effective_at: Date;
  recorded_at: Date;
  version: string;
}

function entryOf(row: EntryRow): LedgerEntry {
  return {
    position: Number(row.position),
    account: row.account_id,
    payment: row.txn_id,
    amount: BigInt(row.amount),
    currency: row.currency,
    step: row.step,
    effectiveAt: row.effective_at.toISOString(),
    recordedAt: row.recorded_at.toISOString(),
    version: Number(row.version),
  };
}

/** A page of an account's entries, the oldest first, after a version of its stream. Reads no more than the page. */
export async function entriesOfAccount(
  pool: pg.Pool,
  account: string,
  afterVersion = 0,
  limit = 1_000,
): Promise<LedgerEntry[]> {
  const stream = await streamOf(pool, account);
  const { rows } = await pool.query<EntryRow>(
    // The page may begin in the middle of a row, which holds all that a unit left on the account.
    `select * from projections.ledger_entries
     where stream = $1 and version > $2 and row_version >= coalesce(
       (select version from projections.account_rows where stream = $1 and version <= $2::bigint + 1 order by version desc limit 1), 0)
     order by row_version, version limit $3`,
    [stream ?? null, afterVersion, limit],
  );
  return rows.map(entryOf);
}

/** The same, the newest first, before a version of its stream; undefined: from the end. */
export async function newestEntriesOfAccount(
  pool: pg.Pool,
  account: string,
  beforeVersion: number | undefined,
  limit: number,
): Promise<LedgerEntry[]> {
  const stream = await streamOf(pool, account);
  const { rows } = await pool.query<EntryRow>(
    // A row of the log that begins before the version may end after it.
    `select * from projections.ledger_entries
     where stream = $1 and ($2::bigint is null or (row_version < $2 and version < $2))
     order by row_version desc, version desc limit $3`,
    [stream ?? null, beforeVersion ?? null, limit],
  );
  return rows.map(entryOf);
}

/** All entries of a payment, in the order of the log. Not those of its refunds, which are payments of their own. */
export async function entriesOfPayment(pool: pg.Pool, payment: string): Promise<LedgerEntry[]> {
  const { rows } = await pool.query<EntryRow>('select * from projections.entries_of_payment($1) order by position', [
    payment,
  ]);
  return rows.map(entryOf);
}

export interface TimelineStep {
  readonly version: number;
  readonly fact: string;
  /** The payment's state after the fact, whether the fact led to it or left it there. */
  readonly state: string;
  readonly at: string;
  readonly recordedAt: string;
  readonly effectiveAt: string;
  readonly principal: string;
  readonly correlationId: string;
  readonly position: Position;
  readonly data: Readonly<Record<string, unknown>>;
}

interface TimelineRow {
  version: string;
  fact: string;
  schema: number;
  /** Null: as it was. */
  state: string | null;
  at: Date;
  recorded_at: Date;
  effective_at: Date;
  principal: string;
  correlation_id: string;
  position: string;
  data: Record<string, unknown>;
}

/** What happened to a payment, and who asked for it. Empty when there is none. */
export async function timelineOf(pool: pg.Pool, payment: string): Promise<TimelineStep[]> {
  const { rows } = await pool.query<TimelineRow>('select * from projections.timeline_of_payment($1) order by version', [
    payment,
  ]);
  let state = '';
  return rows.map((row) => ({
    version: Number(row.version),
    fact: row.fact,
    state: (state = row.state ?? state),
    at: row.at.toISOString(),
    recordedAt: row.recorded_at.toISOString(),
    effectiveAt: row.effective_at.toISOString(),
    principal: row.principal,
    correlationId: row.correlation_id,
    position: Number(row.position),
    data: dataOf(row),
  }));
}

/** The view gives events as they were written. */
function dataOf({ position, fact, schema, data }: TimelineRow): TimelineStep['data'] {
  const [event] = currentEvents({ position: Number(position), events: [{ type: fact, schema, data }] });
  return event?.data as TimelineStep['data'];
}
