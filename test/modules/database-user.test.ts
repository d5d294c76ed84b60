import pg from 'pg';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startKora } from '../../src/composition.ts';
import { moduleRoles } from '../../src/modules.ts';
import { configFrom } from '../../src/platform/config.ts';
import { createLogger } from '../../src/platform/logging.ts';
import { dropOldTables, projections, rebuild, verify } from '../../src/projections/index.ts';
import { createTestCluster } from '../support/postgres.ts';
import { caller, cashIn, p2p } from '../support/wallets.ts';

/**
 * Proves that the product runs on somebody else's PostgreSQL as a user who is no superuser: it says what is missing, does
 * with what an administrator gives it, and everything it makes belongs to the modules, a rebuild included.
 */
describe('a database user who is no superuser', { timeout: 120_000 }, () => {
  let stop: () => Promise<void>;
  let admin: pg.Client;
  const urlOf = (user: string, database: string, { host, port }: { host: string; port: number }): string =>
    `postgresql://${user}@${encodeURIComponent(host)}:${port}/${database}`;
  let address: { host: string; port: number };

  beforeAll(async () => {
    const made = await createTestCluster();
    ({ stop } = made);
    address = made.cluster.clientConfig;
    admin = new pg.Client(made.cluster.clientConfig);
    await admin.connect();
  });
  afterAll(async () => {
    await admin.end();
    await stop();
  });

  async function databaseOf(
    user: string,
    may: string,
  ): Promise<{ config: ReturnType<typeof configFrom>; url: string }> {
    await admin.query(`create role ${user} login ${may}`);
    await admin.query(`create database of_${user} owner ${user}`);
    const url = urlOf(user, `of_${user}`, address);
    return { url, config: configFrom({ DATABASE_URL: url, KORA_LOG_LEVEL: 'silent' }) };
  }
  const logger = createLogger({ level: 'silent', format: 'json', write: () => undefined });
  const start = (config: ReturnType<typeof configFrom>): ReturnType<typeof startKora> =>
    startKora(config, { logger, without: ['doors'] });

  /** Pays, folds, rebuilds and verifies, and says whose the tables are. */
  async function live(config: ReturnType<typeof configFrom>): Promise<Record<string, string>> {
    const kora = await start(config);
    try {
      for (const accountId of ['ada', 'ben']) {
        const open = {
          type: 'OpenAccount',
          idempotencyKey: accountId,
          accountId,
          walletType: 'customer',
          currency: 'XOF',
        } as const;
        expect(await kora.ledger.carryOut(open, caller)).toMatchObject({ ok: true });
      }
      expect(await kora.payments.carryOut(cashIn('ada', 100n), caller)).toMatchObject({ ok: true });
      expect(await kora.payments.carryOut(p2p('ada', 'ben', 40n, 'k'), caller)).toMatchObject({ ok: true });
      await kora.projected();
      for (const projection of projections) {
        const { differences } = await rebuild({ log: kora.log, pool: kora.pool, projection });
        expect(differences.map(({ differing, onlyFresh, onlyLive }) => differing + onlyFresh + onlyLive)).toEqual(
          projection.tables.map(() => 0),
        );
        await dropOldTables(kora.pool, projection);
      }
      expect((await kora.ledger.entries('ada', { limit: 10 })).items.map(({ amount }) => amount)).toEqual([-40n, 100n]);
      expect((await kora.payments.list({ account: 'ben' }, { limit: 10 })).items).toMatchObject([{ amount: '40' }]);
      expect((await kora.ledger.balance('float:cash:XOF'))?.posted).toBe(-100n);
      expect((await verify({ pool: kora.pool, projections })).findings).toEqual([]);
      const users = await Promise.all(
        (['ledger', 'payments', 'projector'] as const).map(async (name) => {
          const { rows } = await kora.poolOf(name).query<{ user: string }>('select current_user as user');
          return [name, rows[0]?.user ?? ''] as const;
        }),
      );
      expect(Object.fromEntries(users)).toEqual({
        ledger: 'kora_ledger',
        payments: 'kora_payments',
        projector: 'kora_projector',
      });
      const { rows } = await kora.pool.query<{ name: string; owner: string }>(
        `select c.relname as name, pg_get_userbyid(c.relowner)::text as owner from pg_class c
         where c.relnamespace = any (array['eventstore', 'projections']::regnamespace[]) and c.relkind in ('r', 'p', 'v')`,
      );
      return Object.fromEntries(rows.map(({ name, owner }) => [name, owner]));
    } finally {
      await kora.close();
    }
  }

  const owners = {
    log: 'kora_eventstore',
    log_p0: 'kora_eventstore',
    heads: 'kora_eventstore',
    commits: 'kora_eventstore',
    mirror: 'kora_eventstore',
    checkpoints: 'kora_projector',
    accounts: 'kora_ledger',
    accounts_v2: 'kora_ledger',
    trial_balance: 'kora_ledger',
    trial_balance_v2: 'kora_ledger',
    payments: 'kora_payments',
    payments_v2: 'kora_payments',
    deadlines: 'kora_payments',
    deadlines_v2: 'kora_payments',
    instructions: 'kora_payments',
    instructions_v2: 'kora_payments',
    payouts: 'kora_payments',
    payouts_v2: 'kora_payments',
    payout_slices: 'kora_payments',
    payout_slices_v2: 'kora_payments',
    connector_states: 'kora_providers',
    connector_states_v2: 'kora_providers',
    ledger_entries: 'kora_projector',
    account_rows: 'kora_projector',
    account_heads: 'kora_projector',
    payment_units: 'kora_projector',
    payment_timeline: 'kora_projector',
  };

  it('is told what an administrator runs when it may not make roles, and runs on that', async () => {
    const { config } = await databaseOf('plain', '');
    const error: unknown = await start(config).catch((cause: unknown) => cause);
    expect(error).toMatchObject({ name: 'MissingRolesError', code: 'MissingRoles' });
    const message = (error as Error).message;
    expect(message).toContain('alter role plain createrole');
    const statements = [...message.matchAll(/^ {2}(.*);$/gm)].map(([, statement]) => statement as string);
    expect(statements).toContain('create role kora_ledger nologin');
    expect(statements).toContain('grant kora_ledger to kora_projector');
    for (const statement of statements) await admin.query(statement);
    expect(await live(config)).toEqual(owners);
    // Once more, on what is there.
    await (await start(config)).close();
  });

  it('makes what is missing itself when it may make roles', async () => {
    await admin.query('drop database of_plain');
    for (const { role } of Object.values(moduleRoles)) await admin.query(`drop role ${role}`);
    const { config } = await databaseOf('maker', 'createrole');
    expect(await live(config)).toEqual(owners);
  });

  it('cannot connect as a module whose role it was not given', async () => {
    await admin.query('create role thief login');
    await admin.query('grant connect on database of_maker to thief');
    const client = new pg.Client({
      connectionString: urlOf('thief', 'of_maker', address),
      options: '-c role=kora_identity',
    });
    await expect(client.connect()).rejects.toThrow(/permission denied to set role/);
  });
});
