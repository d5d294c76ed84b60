import type pg from 'pg';
import type { LineRecord } from '../statements/line-record.ts';

export interface BatchOf {
  readonly rawStatementId: string;
  readonly profileId: string;
  /** How many lines of the file were in before. */
  readonly from: number;
  readonly records: readonly LineRecord[];
}

/** Somebody else imports the same file: what they have done is done. */
export class ImportTakenOverError extends Error {
  override readonly name = 'ImportTakenOverError';
  readonly code = 'ImportTakenOver';
}

/**
 * Puts lines that count in: those that are new become lines and go to the feed, those that another file reported are only
 * noted as seen again. One transaction, which also says how far the import has come.
 *
 * @returns how many are new
 */
export async function insertLines(client: pg.ClientBase, batch: BatchOf): Promise<number> {
  return inTransaction(client, async () => {
    await advance(client, batch);
    const { rows } = await client.query<{ count: number }>({
      name: 'providers.insert-statement-lines',
      text: insertSql,
      values: [JSON.stringify(batch.records), batch.rawStatementId, batch.profileId],
    });
    return rows[0]?.count ?? 0;
  });
}

/** Keeps lines of a file that failed a check: apart from all others, and told to nobody. */
export async function holdLines(client: pg.ClientBase, batch: BatchOf): Promise<void> {
  await inTransaction(client, async () => {
    await advance(client, batch);
    await client.query({
      name: 'providers.hold-statement-lines',
      text: `insert into providers.bank_statement_lines (${columns}, identity, occurrence, reconciliation_status)
        select ${valuesOf('i')}, 'held/' || $2 || '/' || i.ordinal, 1, 'quarantined' from ${input} i
        on conflict (bank_profile_id, identity, occurrence) do nothing`,
      values: [JSON.stringify(batch.records), batch.rawStatementId, batch.profileId],
    });
  });
}

async function advance(client: pg.ClientBase, { rawStatementId, from, records }: BatchOf): Promise<void> {
  const { rowCount } = await client.query({
    name: 'providers.advance-statement',
    text: `update providers.bank_statements_raw set lines_done = $3
      where id = $1 and lines_done = $2 and status = 'received'`,
    values: [rawStatementId, from, from + records.length],
  });
  if (rowCount !== 1) throw new ImportTakenOverError(`another process imports ${rawStatementId}`);
}

async function inTransaction<Result>(client: pg.ClientBase, work: () => Promise<Result>): Promise<Result> {
  await client.query('begin');
  try {
    const result = await work();
    await client.query('commit');
    return result;
  } catch (error) {
    await client.query('rollback').catch(() => undefined);
    throw error;
  }
}

const input = `(select * from jsonb_to_recordset($1::jsonb) as fields (ordinal int, file_line int, statement_date date, value_date date,
  entry_date date, amount numeric, currency text, reversal boolean, transaction_code text, reference text,
  reference_hashes jsonb, account_hash text, account_last4 text, statement_sequence text, statement_page int,
  identity text, statement text, series text, by_itself boolean, sealed text))`;

const columns = `raw_statement_id, bank_profile_id, ordinal, file_line, statement_date, value_date, entry_date, amount,
  currency, reversal, transaction_code, reference, reference_hashes, account_hash, account_last4, statement_sequence,
  statement_page, sealed`;

function valuesOf(row: string): string {
  return `$2, $3, ${row}.ordinal, ${row}.file_line, ${row}.statement_date, ${row}.value_date, ${row}.entry_date,
    ${row}.amount, ${row}.currency, ${row}.reversal, ${row}.transaction_code, ${row}.reference,
    array(select jsonb_array_elements_text(${row}.reference_hashes)), ${row}.account_hash, ${row}.account_last4,
    ${row}.statement_sequence, ${row}.statement_page, decode(${row}.sealed, 'base64')`;
}

/**
 * Which one of those that are alike a line is. A statement that was seen before, in another file, reports the same lines: the
 * nth is the nth again. In a report that counts by itself the nth is the nth of all. In another booked statement it is one
 * more than there were.
 */
const insertSql = `
with numbered as (
  select i.*,
    coalesce((select max(s.nth) from providers.statement_sightings s where s.bank_profile_id = $3
       and s.identity = i.identity and s.statement = i.statement and s.raw_statement_id = $2), 0)
    + row_number() over (partition by i.identity, i.statement order by i.ordinal) as nth
  from ${input} i
), known as (
  select n.*,
    (select min(s.occurrence) from providers.statement_sightings s where s.bank_profile_id = $3
       and s.identity = n.identity and s.statement = n.statement and s.nth = n.nth and s.raw_statement_id <> $2) as seen
  from numbered n
), placed as (
  select k.*, coalesce(k.seen,
    case when k.by_itself then k.nth
    else coalesce((select max(s.occurrence) from providers.statement_sightings s where s.bank_profile_id = $3
       and s.identity = k.identity and s.series = k.series), 0)
      + row_number() over (partition by k.identity, k.series, k.seen is null order by k.ordinal)
    end) as occurrence
  from known k
), sighted as (
  insert into providers.statement_sightings
    (raw_statement_id, ordinal, bank_profile_id, identity, statement, series, nth, occurrence)
  select $2, ordinal, $3, identity, statement, series, nth, occurrence from placed
), fresh as (
  insert into providers.bank_statement_lines (${columns}, identity, occurrence)
  select ${valuesOf('p')}, p.identity, p.occurrence from placed p order by p.ordinal
  on conflict (bank_profile_id, identity, occurrence) do nothing
  returning *
), head as (
  update providers.statement_events_head set position = position + (select count(*) from fresh)
  returning position - (select count(*) from fresh) as before
), told as (
  insert into providers.statement_events (position, line_id, raw_statement_id, bank_profile_id, amount, currency,
    statement_date, value_date, entry_date, reversal, reference, reference_hashes)
  select head.before + row_number() over (order by f.ordinal), f.id, f.raw_statement_id, f.bank_profile_id, f.amount,
    f.currency, f.statement_date, f.value_date, f.entry_date, f.reversal, f.reference, f.reference_hashes
  from fresh f, head
)
select count(*)::int as count from fresh`;
