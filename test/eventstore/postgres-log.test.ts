import pg from 'pg';
import { afterAll, beforeAll } from 'vitest';
import { PostgresLog } from '../../eventstore/index.ts';
import { eventLogContract } from '../../eventstore/testing/contract.ts';
import type { TestDatabase } from '../support/postgres.ts';
import { createTestDatabase } from '../support/postgres.ts';

/** Proves that the log on Postgres keeps the contract, with several logs on one database as several processes. */
let database: TestDatabase;
let admin: pg.Pool;

beforeAll(async () => {
  database = await createTestDatabase();
  admin = new pg.Pool({ ...database.poolConfig, max: 1 });
});

afterAll(async () => {
  await admin.end();
  await database.drop();
});

eventLogContract(
  'the log on Postgres',
  { capabilities: { densePositions: true, hashChain: true, speculation: true, atomicAbsence: true }, randomRuns: 20 },
  async () => {
    // Truncating is slower: it makes new files.
    await admin.query('delete from eventstore.log; delete from eventstore.heads; delete from eventstore.commits');
    const logs: PostgresLog[] = [];
    return {
      open(limits) {
        const log = new PostgresLog({ config: database.poolConfig, pollMs: 5, pageRows: 50, ...limits });
        logs.push(log);
        return log;
      },
      async commits() {
        const { rows } = await admin.query<{
          position: string;
          count: number;
          micros: string;
          digest: Buffer;
          hash: Buffer;
        }>(
          `select position, count, (extract(epoch from recorded_at) * 1000000)::bigint::text as micros, digest, hash
          from eventstore.commits order by position`,
        );
        return rows.map(({ position, count, micros, digest, hash }) => ({
          position: Number(position),
          count,
          recordedAtMicros: BigInt(micros),
          digest,
          hash,
        }));
      },
      async dispose() {
        await Promise.all(logs.map((log) => log.close()));
      },
    };
  },
);
