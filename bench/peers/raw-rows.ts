import pg from 'pg';
import { int4Array, int8Array, textArray } from '../../eventstore/postgres/binary-array.ts';
import { type CaseContext, type Measured, mustHold } from '../harness/case.ts';
import { cpuNotes, round } from '../harness/measure.ts';
import { CpuMeter } from '../harness/cpu-meter.ts';
import { measureAccepted } from '../core/accepted.ts';
import { P2pSource } from '../load/p2p.ts';

/**
 * `peer.rawRows`: the very rows that `core.accepted` leaves in the log's three tables, in the same batches, inserted by
 * multi-row inserts on one connection: what Postgres can take when nobody decides, checks, chains or updates anything.
 * Rows are read and encoded before the clock starts, and each table's rows of a batch are one binary parameter a column.
 */
export async function run(context: CaseContext): Promise<Measured> {
  const recorded = await measureAccepted(context, 'core.accepted', new P2pSource());
  const client = new pg.Client(context.database);
  await client.connect();
  const batches = await readBatches(client);
  const payments = batches.reduce((sum, batch) => sum + batch.payments, 0);
  await client.query('truncate eventstore.log, eventstore.heads, eventstore.commits');
  await context.checkpoint();

  const meter = new CpuMeter(context.postmasterPid);
  meter.begin();
  const startedAt = performance.now();
  // One round trip a batch, as the product has: the three inserts are one statement, and so one transaction.
  for (const { values } of batches) await client.query({ name: 'raw-rows', text: insert, values });
  const seconds = (performance.now() - startedAt) / 1_000;
  const use = meter.end();

  const { rows } = await client.query<{ payments: string }>(
    `select count(*) as payments from eventstore.log where stream like 'payment/%'`,
  );
  mustHold(rows[0]?.payments === String(payments), `${payments} were inserted, ${rows[0]?.payments ?? 0} are there`);
  await client.end();
  return {
    figures: [{ name: 'peer.rawRows', value: payments / seconds, unit: 'payments/s' }],
    notes: {
      requests: payments,
      ...cpuNotes(use, payments),
      perCommit: round(payments / batches.length, 0),
      recordedAt: round(recorded.figures[0]?.value ?? 0, 0),
    },
  };
}

const insert = `with
  commits as (
    insert into eventstore.commits (position, count, batch, recorded_at, digest, hash)
    values ($1, $2, $3, $4::timestamptz, $5, $6)
  ),
  heads as (
    insert into eventstore.heads (stream, version, position)
    select * from unnest($7::text[], $8::bigint[], $9::bigint[])
  )
  insert into eventstore.log (position, count, unit, stream, version, recorded_at, meta, events)
  select p, c, u, s, v, t::timestamptz, m::json, e::json
  from unnest($10::bigint[], $11::integer[], $12::bigint[], $13::text[], $14::bigint[], $15::text[], $16::text[],
    $17::text[]) as r (p, c, u, s, v, t, m, e)`;

interface Batch {
  readonly payments: number;
  readonly values: unknown[];
}

interface CommitRow {
  readonly position: string;
  readonly count: number;
  readonly batch: string;
  readonly recorded_at: string;
  readonly digest: Buffer;
  readonly hash: Buffer;
}

interface LogRow {
  readonly position: string;
  readonly count: number;
  readonly unit: string;
  readonly stream: string;
  readonly version: string;
  readonly recorded_at: string | null;
  readonly meta: string | null;
  readonly events: string;
}

/** The commits that hold nothing but payments between the wallets, each as the parameters of its insert. */
async function readBatches(client: pg.Client): Promise<Batch[]> {
  const commits = await client.query<CommitRow>(
    `select position, count, batch, recorded_at::text, digest, hash from eventstore.commits
     where position > (select max(position) from eventstore.log where stream like 'system/%') order by position`,
  );
  const batches: Batch[] = [];
  for (const commit of commits.rows) {
    const { rows } = await client.query<LogRow>(
      `select position, count, unit, stream, version, recorded_at::text, meta::text, events::text
       from eventstore.log where position >= $1::bigint and position < $1::bigint + $2 order by position`,
      [commit.position, commit.count],
    );
    const heads = rows.filter(({ version }) => version === '1');
    batches.push({ payments: heads.length, values: [...commitOf(commit), ...headsOf(heads), ...rowsOf(rows)] });
  }
  return batches;
}

function commitOf({ position, count, batch, recorded_at: recordedAt, digest, hash }: CommitRow): unknown[] {
  return [position, count, batch, recordedAt, digest, hash];
}

function headsOf(rows: readonly LogRow[]): Buffer[] {
  return [
    textArray(rows.map((row) => row.stream)),
    int8Array(rows.map((row) => row.count)),
    int8Array(rows.map((row) => Number(row.position))),
  ];
}

function rowsOf(rows: readonly LogRow[]): Buffer[] {
  return [
    int8Array(rows.map((row) => Number(row.position))),
    int4Array(rows.map((row) => row.count)),
    int8Array(rows.map((row) => Number(row.unit))),
    textArray(rows.map((row) => row.stream)),
    int8Array(rows.map((row) => Number(row.version))),
    textArray(rows.map((row) => row.recorded_at)),
    textArray(rows.map((row) => row.meta)),
    textArray(rows.map((row) => row.events)),
  ];
}
