import pg from 'pg';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Kora, startKora } from '../../src/composition.ts';
import { configFrom } from '../../src/platform/config.ts';
import { createLogger } from '../../src/platform/logging.ts';
import { createDataFolder, createTestDatabase, type TestDatabase } from '../support/postgres.ts';
import { must, openWallets, p2p } from '../support/wallets.ts';

/** Proves that a start reads no more of an old log than of a young one: neither the log nor what is folded from it. */
describe('a start of everything that kora serve runs', { timeout: 120_000 }, () => {
  let database: TestDatabase;
  let folder: Awaited<ReturnType<typeof createDataFolder>>;
  let admin: pg.Client;

  beforeAll(async () => {
    [database, folder] = await Promise.all([createTestDatabase(), createDataFolder()]);
    admin = new pg.Client(database.poolConfig);
    await admin.connect();
  });
  afterAll(async () => {
    await admin.end();
    await database.drop();
    await folder.remove();
  });

  const logger = createLogger({ level: 'silent', format: 'json', write: () => undefined });
  const start = (): Promise<Kora> =>
    startKora(
      configFrom({
        DATABASE_URL: database.connectionString,
        KORA_DATA_DIR: folder.dataDir,
        KORA_HTTP_PORT: '0',
        KORA_RPC_PORT: '0',
        KORA_STREAM_PORT: '0',
        KORA_METRICS_PORT: '0',
        KORA_DRAIN_NOTICE_MS: '0',
      }),
      { logger },
    );

  /** Makes so many payments, and gives tables the statistics that they have in a database that is looked after. */
  async function pay(from: number, to: number): Promise<void> {
    const kora = await start();
    if (from === 0) await openWallets(kora.runtime, { ada: 1_000_000n, ben: 0n });
    await Promise.all(
      Array.from({ length: to - from }, (_, index) =>
        must(kora.runtime, p2p('ada', 'ben', 1n, `payment ${from + index}`)),
      ),
    );
    await kora.projected();
    await kora.close();
    await admin.query('vacuum (analyze)');
  }

  /** Rows that were read by scans, and those that were found by an index, of tables that grow with the log. */
  async function rowsRead(): Promise<{ scanned: number; found: number }> {
    const { rows } = await admin.query<{ scanned: string; found: string }>(
      `select sum(seq_tup_read) as scanned, sum(idx_tup_fetch) as found from pg_stat_user_tables
       where (schemaname = 'eventstore' and relname like any ('{log_p%,heads,commits}'))
         or (schemaname = 'projections' and relname like any ('{payments_v%,deadlines_v%}'))`,
    );
    return { scanned: Number(rows[0]?.scanned), found: Number(rows[0]?.found) };
  }

  async function rowsReadByStart(): Promise<{ scanned: number; found: number }> {
    const before = await rowsRead();
    const kora = await start();
    // Also what runs on behind the listening line: the first looks of the scheduler and of those who follow the log.
    await kora.projected();
    // Connections say what they read when they end.
    await kora.close();
    const after = await rowsRead();
    return { scanned: after.scanned - before.scanned, found: after.found - before.found };
  }

  it('reads as few rows of three thousand payments as of a hundred', async () => {
    await pay(0, 100);
    const young = await rowsReadByStart();
    await pay(100, 3_000);
    const old = await rowsReadByStart();
    // Tables of a few pages are scanned where that is cheaper; those of an old log never.
    expect(old.scanned).toBeLessThan(1_000);
    expect(old.found).toBeLessThan(young.found + young.scanned + 1_000);
  });
});
