import type pg from 'pg';
import { keyAfter, type Page, pageOf, type PageOf } from '../../kernel/page.ts';
import type { Actor } from '../statements/ports.ts';
import type { FileFindings } from '../statements/file-findings.ts';

export type StatementStatus = 'received' | 'parsed' | 'quarantined' | 'unreadable';
export type StatementOrigin = 'upload' | 'sftp' | 'cli' | 'connector';

/** A file of a bank, as it is kept. */
export interface StatementFile {
  readonly id: string;
  readonly profile: string;
  readonly objectKey: string;
  readonly hash: string;
  readonly size: number;
  readonly origin: StatementOrigin;
  readonly day: string;
  readonly status: StatementStatus;
  /** Absent until it was looked at. */
  readonly findings?: FileFindings;
  readonly linesDone: number;
  readonly receivedAt: string;
  readonly importedAt?: string;
  readonly release?: { readonly at: string; readonly by: string; readonly reason: string };
}

interface Row {
  readonly id: string;
  readonly bank_profile_id: string;
  readonly file_s3_key: string;
  readonly file_hash: string;
  readonly file_bytes: string;
  readonly origin: StatementOrigin;
  readonly day: string;
  readonly status: StatementStatus;
  readonly parsed: FileFindings | null;
  readonly lines_done: number;
  readonly received_at: Date;
  readonly imported_at: Date | null;
  readonly released_at: Date | null;
  readonly released_by: string | null;
  readonly release_reason: string | null;
}

const columns = `id, bank_profile_id, file_s3_key, file_hash, file_bytes, origin, day, status, parsed, lines_done,
  received_at, imported_at, released_at, released_by, release_reason`;

type Queryable = Pick<pg.ClientBase, 'query'>;

export async function fileById(db: Queryable, id: string): Promise<StatementFile | undefined> {
  const text = `select ${columns} from providers.bank_statements_raw where id = $1`;
  const { rows } = await db.query<Row>(text, [id]);
  return rows[0] && fileOf(rows[0]);
}

export async function fileByHash(db: Queryable, profile: string, hash: string): Promise<StatementFile | undefined> {
  const text = `select ${columns} from providers.bank_statements_raw where bank_profile_id = $1 and file_hash = $2`;
  const { rows } = await db.query<Row>(text, [profile, hash]);
  return rows[0] && fileOf(rows[0]);
}

export interface NewFile extends Pick<
  StatementFile,
  'id' | 'profile' | 'objectKey' | 'hash' | 'size' | 'origin' | 'day'
> {
  readonly fileName: Buffer;
}

/** Writes a file down; of the same bytes at once, the first one's row stays. */
export async function recordFile(db: Queryable, file: NewFile): Promise<void> {
  const { id, profile, objectKey, hash, size, origin, day, fileName } = file;
  await db.query(
    `insert into providers.bank_statements_raw
       (id, bank_profile_id, file_s3_key, file_hash, file_bytes, origin, day, file_name)
     values ($1, $2, $3, $4, $5, $6, $7, $8) on conflict (bank_profile_id, file_hash) do nothing`,
    [id, profile, objectKey, hash, size, origin, day, fileName],
  );
}

export async function recordFindings(db: Queryable, id: string, findings: FileFindings): Promise<void> {
  const text = `update providers.bank_statements_raw set parsed = $2 where id = $1 and status = 'received'`;
  await db.query(text, [id, JSON.stringify(findings)]);
}

/** The import is over. What was held before a person released the file is in again by now, and held no more. */
export async function recordEnd(
  db: Queryable,
  id: string,
  status: Exclude<StatementStatus, 'received'>,
): Promise<void> {
  await db.query(
    `with ended as (
       update providers.bank_statements_raw set status = $2, imported_at = clock_timestamp()
       where id = $1 and status = 'received' returning id
     )
     update providers.bank_statement_lines l set reconciliation_status = 'superseded' from ended
     where $2 = 'parsed' and l.raw_statement_id = ended.id and l.reconciliation_status = 'quarantined'`,
    [id, status],
  );
}

/** A person lets a quarantined file count: it is imported once more, as one without problems. @returns whether it was one */
export async function recordRelease(db: Queryable, id: string, { actor, reason }: Actor): Promise<boolean> {
  const { rowCount } = await db.query(
    `update providers.bank_statements_raw set status = 'received', lines_done = 0, imported_at = null,
       released_at = clock_timestamp(), released_by = $2, release_reason = $3
     where id = $1 and status = 'quarantined'`,
    [id, actor, reason],
  );
  return rowCount === 1;
}

/** Those whose import broke off, or did not begin. */
export async function waitingFiles(db: Queryable, limit: number): Promise<StatementFile[]> {
  const text = `select ${columns} from providers.bank_statements_raw where status = 'received' order by received_at limit $1`;
  const { rows } = await db.query<Row>(text, [limit]);
  return rows.map(fileOf);
}

export interface FileFilter {
  readonly profile?: string;
  readonly status?: StatementStatus;
}

/** The newest first. @throws PageError */
export async function listFiles(db: Queryable, filter: FileFilter, page: Page): Promise<PageOf<StatementFile>> {
  const { profile, status } = filter;
  const list = { list: 'statements', profile, status };
  const [at, id] = keyAfter(list, page, [/^[0-9]+$/, /^[A-Za-z0-9-]+$/]) ?? [];
  // Microseconds, because that is what rows are sorted by.
  const micros = `(extract(epoch from received_at) * 1000000)::bigint`;
  const { rows } = await db.query<Row & { micros: string }>(
    `select ${columns}, ${micros}::text as micros from providers.bank_statements_raw
     where ($1::text is null or bank_profile_id = $1) and ($2::text is null or status = $2)
       and ($3::bigint is null or (${micros}, id) < ($3, $4))
     order by ${micros} desc, id desc limit $5`,
    [profile, status, at, id, page.limit + 1],
  );
  const found = pageOf(list, page, rows, (row) => [row.micros, row.id]);
  return { ...found, items: found.items.map(fileOf) };
}

export interface Access extends Actor {
  readonly action: 'write' | 'read' | 'release' | 'fetch';
  readonly rawStatementId?: string;
  readonly objectKey?: string;
}

export async function recordAccess(db: Queryable, access: Access): Promise<void> {
  const { actor, action, rawStatementId, objectKey, reason, correlationId } = access;
  await db.query(
    `insert into providers.statement_access (actor, action, raw_statement_id, object_key, reason, correlation_id)
     values ($1, $2, $3, $4, $5, $6)`,
    [actor, action, rawStatementId, objectKey, reason, correlationId],
  );
}

function fileOf(row: Row): StatementFile {
  const { imported_at: importedAt, released_at: at, released_by: by, release_reason: reason } = row;
  return {
    id: row.id,
    profile: row.bank_profile_id,
    objectKey: row.file_s3_key,
    hash: row.file_hash,
    size: Number(row.file_bytes),
    origin: row.origin,
    day: row.day,
    status: row.status,
    ...(row.parsed !== null && { findings: row.parsed }),
    linesDone: row.lines_done,
    receivedAt: row.received_at.toISOString(),
    ...(importedAt !== null && { importedAt: importedAt.toISOString() }),
    ...(at !== null && { release: { at: at.toISOString(), by: by ?? '', reason: reason ?? '' } }),
  };
}
