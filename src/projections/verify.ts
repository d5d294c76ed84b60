import pg from 'pg';
import {
  type EventLog,
  isUnavailable,
  type LogCapabilities,
  type Position,
  type RecordedEvent,
  type RecordedUnit,
} from '../../eventstore/index.ts';
import { type VerifiedCommit, verifyLog } from '../../eventstore/postgres/verify-chain.ts';
import { UnknownEventVersionError } from '../machines/fact-codec.ts';
import { FreshTables } from './postgres/fresh-tables.ts';
import { withSession } from './postgres/sessions.ts';
import type { Projection } from './projection.ts';
import type { Finding } from './verify/finding.ts';
import { LedgerCheck } from './verify/ledger-check.ts';
import { verifyElsewhere } from './verify/log-elsewhere.ts';
import {
  connectorsInLog,
  MachineCheck,
  paymentsInLog,
  payoutsInLog,
  type ReadHistory,
} from './verify/machine-check.ts';
import { checkSlices } from './verify/slices-check.ts';

export interface VerifyOptions {
  readonly pool: pg.Pool;
  readonly projections: readonly Projection[];
  /** The log, where it is kept elsewhere and the database has a mirror of it. Default: it is in the database. */
  readonly logElsewhere?: Pick<EventLog, 'capabilities' | 'readAll' | 'readStream' | 'lastPosition'> | undefined;
  readonly signal?: AbortSignal;
  readonly onProgress?: (progress: { readonly position: Position; readonly end: Position }) => void;
  /** Told of every commit, in order, with the hash that follows from what is stored. */
  readonly visitCommit?: (commit: VerifiedCommit) => void;
}

export interface VerifyReport {
  /** The log was checked up to here. */
  readonly position: Position;
  readonly units: number;
  readonly events: number;
  /** What could not be checked, because the store of the log does not promise it. Empty on Postgres. */
  readonly notOnThisStore: readonly string[];
  /** The first offending position first. Empty: everything holds. At most 1,000. */
  readonly findings: readonly Finding[];
}

/** More than anybody reads. What comes later in the log is dropped first. */
const findingsMax = 1_000;

/**
 * Holds the log and all that was made from it against what they promise: chain, positions, versions, heads, whole and
 * balanced units, wallets and their limits, payments as paths of their machine, projections equal to a fresh fold.
 *
 * One pass over the log, in one snapshot: the product may go on meanwhile. Memory is that of the accounts and the open
 * payments; what is folded anew goes to temporary tables.
 */
export async function verify(options: VerifyOptions): Promise<VerifyReport> {
  // With the connections go the snapshot and the temporary tables.
  return withSession(options.pool, (client) =>
    withSession(options.pool, (writer) => verifyInSnapshot(options, client, writer)),
  );
}

async function verifyInSnapshot(
  { projections, logElsewhere, signal, onProgress, visitCommit }: VerifyOptions,
  client: pg.ClientBase,
  writer: pg.ClientBase,
): Promise<VerifyReport> {
  await begin(client, writer);
  const findings: Finding[] = [];
  const found = (finding: Finding): void => {
    if (findings.length < findingsMax) findings.push(finding);
  };
  const ledger = new LedgerCheck(found);
  const history = logElsewhere === undefined ? historyIn(client) : historyOf(logElsewhere);
  const machines = [paymentsInLog, payoutsInLog, connectorsInLog].map((one) => new MachineCheck(one, history, found));
  const tables = new FreshTables(writer, found);
  await tables.create(projections);
  let units = 0;
  let events = 0;
  const visit = async (unit: RecordedUnit): Promise<void> => {
    units += 1;
    events += unit.rows.reduce((sum, row) => sum + row.events.length, 0);
    try {
      ledger.visit(unit);
      checkSlices(unit, found);
      for (const machine of machines) {
        const reading = machine.visit(unit);
        if (reading !== undefined) await reading;
      }
    } catch (error) {
      if (isOfStore(error) || error instanceof UnknownEventVersionError) throw error;
      // An amount that is no number, a field that is not there.
      found({ check: 'facts', position: unit.position, message: `unit ${unit.id} cannot be read: ${String(error)}` });
    }
    const writing = tables.visit(unit);
    if (writing !== undefined) await writing;
  };
  const common = { client, found, visit, signal };
  if (logElsewhere !== undefined) {
    const { position, whole } = await verifyElsewhere({ ...common, log: logElsewhere, onProgress });
    if (whole) await tables.compare();
    const notOnThisStore = notPromisedBy(logElsewhere.capabilities);
    return { position, units, events, notOnThisStore, findings: sorted(findings) };
  }
  const end = await endIn(client);
  const report = (position: Position): void => onProgress?.({ position, end });
  const position = await verifyLog({ ...common, visitCommit, onProgress: report });
  await tables.compare();
  return { position, units, events, notOnThisStore: [], findings: sorted(findings) };
}

/** What nobody can hold a log that is kept elsewhere against, because it is not promised there. */
function notPromisedBy({ hashChain, densePositions }: LogCapabilities): string[] {
  return [
    ...(hashChain ? [] : ['hash chain: nothing shows whether history was rewritten']),
    ...(densePositions ? [] : ['dense positions: nothing shows whether a unit was taken out whole']),
    'recorded time: it is the clock of whichever process appended',
  ];
}

async function endIn(client: pg.ClientBase): Promise<Position> {
  const { rows } = await client.query<{ end: string }>(
    'select coalesce(max(position + count - 1), 0) as end from eventstore.commits',
  );
  return Number(rows[0]?.end);
}

/** In the snapshot. */
export function historyIn(client: pg.ClientBase): ReadHistory {
  return async ({ stream, version }) => {
    const { rows } = await client.query<{ position: string; events: RecordedEvent[] }>({
      name: 'projections.verify-payment',
      text: 'select position, events from eventstore.log where stream = $1 and version < $2 order by version',
      values: [stream, version],
    });
    return rows.map(({ position, events }) => ({ position: Number(position), events }));
  };
}

function historyOf(log: Pick<EventLog, 'readStream'>): ReadHistory {
  return async ({ stream, version }) => {
    const rows: Awaited<ReturnType<ReadHistory>>[number][] = [];
    for await (const row of log.readStream(stream)) {
      if (row.version >= version) break;
      rows.push(row);
    }
    return rows;
  };
}

/** Two connections that see the same state of the database: one reads the log, the other writes temporary tables. */
async function begin(client: pg.ClientBase, writer: pg.ClientBase): Promise<void> {
  await client.query('begin isolation level repeatable read');
  const { rows } = await client.query<{ snapshot: string }>('select pg_export_snapshot() as snapshot');
  await writer.query('begin isolation level repeatable read');
  await writer.query(`set transaction snapshot '${rows[0]?.snapshot ?? ''}'`);
}

function isOfStore(error: unknown): boolean {
  return error instanceof pg.DatabaseError || isUnavailable(error) || (error instanceof Error && 'errno' in error);
}

/** A check that can only say "somewhere in here" is placed where another one found what it was. */
function sorted(findings: readonly Finding[]): Finding[] {
  const exact = findings.filter(({ until }) => until === undefined).map(({ position }) => position);
  return findings
    .map((finding): Finding => {
      const { position, until } = finding;
      if (until === undefined) return finding;
      const inside = exact.filter((other) => other >= position && other <= until);
      return inside.length === 0 ? finding : { ...finding, position: Math.min(...inside) };
    })
    .sort((one, other) => one.position - other.position);
}
