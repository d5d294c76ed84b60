import type pg from 'pg';
import { keyAfter, type Page, pageOf, type PageOf } from '../../kernel/page.ts';

/** A line that may be matched, as the feed tells it. Nothing personal is in it. */
export interface LineFact {
  /** Dense, from 1: the order in which lines came. */
  readonly position: bigint;
  readonly lineId: string;
  readonly rawStatementId: string;
  readonly profile: string;
  /** Signed minor units, credit +. */
  readonly amount: bigint;
  readonly currency: string;
  readonly statementDate: string;
  readonly valueDate: string;
  readonly entryDate?: string;
  readonly reversal: boolean;
  /** Keyed hashes: of the owner's reference, and of every reference that the line carries. */
  readonly reference?: string;
  readonly references: readonly string[];
}

/** A line as it is stored, its sealed part closed. */
export interface StoredLine {
  readonly id: string;
  readonly rawStatementId: string;
  readonly profile: string;
  readonly day: string;
  readonly ordinal: number;
  readonly fileLine: number;
  readonly amount: bigint;
  readonly currency: string;
  readonly statementDate: string;
  readonly valueDate: string;
  readonly entryDate?: string;
  readonly reversal: boolean;
  readonly transactionCode?: string;
  readonly reconciliationStatus: string;
  readonly matchedPayoutId?: string;
  readonly sealed: Buffer;
}

/** The facts after a position, in their order; at most `limit`. */
export async function linesAfter(pool: pg.Pool, position: bigint, limit: number): Promise<LineFact[]> {
  const { rows } = await pool.query<Row & { position: string; line_id: string; references: string[] }>({
    name: 'providers.statement-lines-after',
    text: `select position, line_id, raw_statement_id, bank_profile_id, amount, currency,
        statement_date::text, value_date::text, entry_date::text, reversal, reference, reference_hashes as references
      from providers.statement_events where position > $1 order by position limit $2`,
    values: [position.toString(), limit],
  });
  return rows.map((row) => ({
    position: BigInt(row.position),
    lineId: row.line_id,
    ...commonOf(row),
    ...(row.reference !== null && { reference: row.reference }),
    references: row.references,
  }));
}

/** What reconciliation says of a line. */
export interface LineMark {
  readonly lineId: string;
  readonly status: LineStatus;
  /** Of a line that is matched: the payment or slice, the first one where there are several. */
  readonly paymentId?: string;
}
export const lineStatuses = ['unmatched', 'matched', 'known', 'mismatch', 'reversed'] as const;
export type LineStatus = (typeof lineStatuses)[number];

/** Notes what reconciliation says. What is quarantined or superseded it has never been told of. */
export async function markLines(pool: pg.Pool, marks: readonly LineMark[]): Promise<void> {
  await pool.query({
    name: 'providers.mark-lines',
    text: `update providers.bank_statement_lines l set reconciliation_status = m.status, matched_payout_id = m.payment
      from unnest($1::text[], $2::text[], $3::text[]) m (id, status, payment)
      where l.id = m.id and l.reconciliation_status not in ('quarantined', 'superseded')`,
    values: [
      marks.map(({ lineId }) => lineId),
      marks.map(({ status }) => status),
      marks.map(({ paymentId }) => paymentId ?? null),
    ],
  });
}

/** The position of the last fact; 0 where there is none. */
export async function lastLine(pool: pg.Pool): Promise<bigint> {
  const { rows } = await pool.query<{ position: string }>('select position from providers.statement_events_head');
  return BigInt(rows[0]?.position ?? 0);
}

const lineColumns = `l.id, l.raw_statement_id, l.bank_profile_id, l.ordinal, l.file_line, l.amount, l.currency,
  l.statement_date::text, l.value_date::text, l.entry_date::text, l.reversal, l.transaction_code, l.reference,
  l.reconciliation_status, l.matched_payout_id, l.sealed, r.day`;
const fromLines = 'providers.bank_statement_lines l join providers.bank_statements_raw r on r.id = l.raw_statement_id';

/** Lines by their ids, in no particular order. */
export async function linesById(pool: pg.Pool, ids: readonly string[]): Promise<StoredLine[]> {
  const text = `select ${lineColumns} from ${fromLines} where l.id = any($1)`;
  const { rows } = await pool.query<LineRow>(text, [ids]);
  return rows.map(storedOf);
}

/** The lines of a file that were new with it, in its order. @throws PageError */
export async function linesOfFile(pool: pg.Pool, id: string, page: Page): Promise<PageOf<StoredLine>> {
  const list = { list: 'statement-lines', id };
  const [ordinal, lineId] = keyAfter(list, page, [/^[0-9]+$/, /^[A-Za-z0-9-]+$/]) ?? [];
  const { rows } = await pool.query<LineRow>(
    `select ${lineColumns} from ${fromLines}
     where l.raw_statement_id = $1 and l.reconciliation_status <> 'superseded'
       and ($2::int is null or (l.ordinal, l.id) > ($2, $3))
     order by l.ordinal, l.id limit $4`,
    [id, ordinal, lineId, page.limit + 1],
  );
  const found = pageOf(list, page, rows, (row) => [row.ordinal.toString(), row.id]);
  return { ...found, items: found.items.map(storedOf) };
}

export interface StatementFigures {
  readonly unmatched: readonly { readonly profile: string; readonly lines: number }[];
  readonly files: readonly { readonly status: string; readonly files: number }[];
  /** Age of the oldest file whose import is not over; 0: there is none. */
  readonly lagSeconds: number;
}

export async function statementFigures(pool: pg.Pool): Promise<StatementFigures> {
  const [unmatched, files, lag] = await Promise.all([
    pool.query<{ profile: string; lines: string }>(
      `select bank_profile_id as profile, count(*) as lines from providers.bank_statement_lines
       where reconciliation_status = 'unmatched' group by 1`,
    ),
    pool.query<{ status: string; files: string }>(
      'select status, count(*) as files from providers.bank_statements_raw group by 1',
    ),
    pool.query<{ seconds: number }>(
      `select coalesce(extract(epoch from clock_timestamp() - min(received_at)), 0)::float8 as seconds
       from providers.bank_statements_raw where status = 'received'`,
    ),
  ]);
  return {
    unmatched: unmatched.rows.map(({ profile, lines }) => ({ profile, lines: Number(lines) })),
    files: files.rows.map((row) => ({ status: row.status, files: Number(row.files) })),
    lagSeconds: lag.rows[0]?.seconds ?? 0,
  };
}

interface Row {
  readonly raw_statement_id: string;
  readonly bank_profile_id: string;
  readonly amount: string;
  readonly currency: string;
  readonly statement_date: string;
  readonly value_date: string;
  readonly entry_date: string | null;
  readonly reversal: boolean;
  readonly reference: string | null;
}

interface LineRow extends Row {
  readonly id: string;
  readonly ordinal: number;
  readonly file_line: number;
  readonly transaction_code: string | null;
  readonly reconciliation_status: string;
  readonly matched_payout_id: string | null;
  readonly sealed: Buffer;
  readonly day: string;
}

function commonOf(row: Row) {
  return {
    rawStatementId: row.raw_statement_id,
    profile: row.bank_profile_id,
    amount: BigInt(row.amount),
    currency: row.currency,
    statementDate: row.statement_date,
    valueDate: row.value_date,
    ...(row.entry_date !== null && { entryDate: row.entry_date }),
    reversal: row.reversal,
  };
}

function storedOf(row: LineRow): StoredLine {
  return {
    id: row.id,
    ...commonOf(row),
    day: row.day,
    ordinal: row.ordinal,
    fileLine: row.file_line,
    ...(row.transaction_code !== null && { transactionCode: row.transaction_code }),
    reconciliationStatus: row.reconciliation_status,
    ...(row.matched_payout_id !== null && { matchedPayoutId: row.matched_payout_id }),
    sealed: row.sealed,
  };
}
