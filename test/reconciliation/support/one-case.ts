import pg from 'pg';
import { MemoryLog } from '../../../eventstore/index.ts';
import type { Reconciliation } from '../../../src/gateway/reconciliation.ts';
import { migrationSets } from '../../../src/platform/migrations.ts';
import { migrate } from '../../../src/platform/postgres/migrate.ts';
import { caseIdOf } from '../../../src/reconciliation/cases/case-log.ts';
import {
  createCases,
  createReports,
  postgresDecisions,
  reconciliationMigrations,
} from '../../../src/reconciliation/index.ts';
import { createEmptyDatabase } from '../../support/postgres.ts';

export interface OneCase {
  readonly reconciliation: Reconciliation;
  readonly caseId: string;
  /** Reconciliation's own database, with what a door needs in it. */
  readonly pool: pg.Pool;
  close(): Promise<void>;
}

/** Reconciliation with one case that is open: no statement shows the payment p1. The core would refuse whatever it is asked for. */
export async function openOneCase(): Promise<OneCase> {
  const database = await createEmptyDatabase();
  const pool = new pg.Pool(database.poolConfig);
  const client = await pool.connect();
  await migrate(client, [...migrationSets.filter(({ module }) => module === 'gateway'), reconciliationMigrations]);
  client.release();
  await pool.query(`insert into reconciliation.effects (sequence, id, kind, profile, line_ids, expectation_ids, detail, run_id)
    values (1, 'e1', 'missing_provider', 'bank:SN', '{}', '{p1}', '{"currency":"XOF","reason":"unknown","was":"OPEN"}', 'r')`);
  await pool.query('update reconciliation.carried_out_to set sequence = 1');
  await pool.query(`insert into reconciliation.expectations (number, id, profile, direction, amount, currency, date, position,
    withdrawn, body) values (1, 'p1', 'bank:SN', 'out', 700, 'XOF', '2026-11-27', 1, false, '{}')`);
  const refuses = () => Promise.resolve({ outcome: 'refused' as const, code: 'NotHere', message: 'no core' });
  const cases = createCases({
    pool,
    log: new MemoryLog(),
    core: { book: refuses, ask: refuses },
    decisions: postgresDecisions(pool),
  });
  await cases.goOn();
  const reports = createReports(pool, {
    statementBalances: () => Promise.resolve([]),
    posted: () => Promise.resolve(undefined),
  });
  return {
    reconciliation: { cases, reports },
    caseId: caseIdOf('e1'),
    pool,
    close: async () => {
      await pool.end();
      await database.drop();
    },
  };
}
