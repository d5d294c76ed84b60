import pg from 'pg';
import { onTestFinished } from 'vitest';
import type { VerifyLogOptions } from '../../../eventstore/postgres/verify-chain.ts';
import { verifyLog } from '../../../eventstore/postgres/verify-chain.ts';
import { PostgresLog, type PostgresLogOptions, type RecordedUnit } from '../../../eventstore/index.ts';
import { collect } from '../../../eventstore/testing/samples.ts';
import { createTestDatabase } from '../../support/postgres.ts';
import { until } from './until.ts';

type LogFinding = Parameters<VerifyLogOptions['found']>[0];

/** A database for one test, a client beside the log to look and to meddle with, and what to check at the end. */
export interface LogDatabase {
  readonly config: pg.PoolConfig;
  readonly admin: pg.Client;
  /** Opened logs are closed when the test ends. */
  open(options?: Partial<PostgresLogOptions>): PostgresLog;
  connect(): Promise<pg.Client>;
  units(): Promise<RecordedUnit[]>;
  /** What `verifyLog` finds wrong. */
  findings(): Promise<LogFinding[]>;
  commits(): Promise<number>;
  /** Waits until so many appends wait for the lock. */
  untilAppendsWait(count: number): Promise<void>;
}

export async function logDatabase(config?: pg.PoolConfig): Promise<LogDatabase> {
  const database = config === undefined ? await createTestDatabase() : undefined;
  const poolConfig = config ?? database?.poolConfig ?? {};
  const logs: PostgresLog[] = [];
  const clients: pg.Client[] = [];
  const connect = async (): Promise<pg.Client> => {
    const client = new pg.Client(poolConfig);
    client.on('error', () => undefined);
    await client.connect();
    clients.push(client);
    return client;
  };
  const admin = await connect();
  const open = (options: Partial<PostgresLogOptions> = {}): PostgresLog => {
    const log = new PostgresLog({ config: poolConfig, pollMs: 5, ...options });
    logs.push(log);
    return log;
  };
  onTestFinished(async () => {
    // Clients first: one of them may hold a lock that a log waits for.
    await Promise.all(clients.map((client) => client.end()));
    await Promise.allSettled(logs.map((log) => log.close()));
    await database?.drop();
  });
  return {
    config: poolConfig,
    admin,
    open,
    connect,
    units: () => collect(open().readAll(0)),
    async findings() {
      const findings: LogFinding[] = [];
      const client = await connect();
      await client.query('begin isolation level repeatable read');
      await verifyLog({ client, found: (finding) => findings.push(finding) });
      await client.query('commit');
      return findings;
    },
    async commits() {
      const { rows } = await admin.query<{ count: number }>('select count(*)::integer from eventstore.commits');
      return rows[0]?.count ?? 0;
    },
    async untilAppendsWait(count) {
      await until(async () => {
        const { rows } = await admin.query<{ count: number }>(
          `select count(*)::integer from pg_locks l join pg_database d on d.oid = l.database
          where l.locktype = 'advisory' and not l.granted and d.datname = current_database()`,
        );
        return (rows[0]?.count ?? 0) >= count;
      });
    },
  };
}

/** Holds the lock that appends take, as a slow append of another process does. */
export async function holdAppendLock(client: pg.Client): Promise<{ release: () => Promise<void> }> {
  await client.query("begin; select pg_advisory_xact_lock(hashtext('eventstore.append'))");
  return {
    release: async () => {
      await client.query('commit');
    },
  };
}
