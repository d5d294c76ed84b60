import pg from 'pg';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { PostgresLog } from '../../eventstore/index.ts';
import { Runtime } from '../../src/actors/runtime.ts';
import { Interrupt } from '../../src/cli/interrupt.ts';
import { runKora } from '../../src/cli/program.ts';
import { paymentIdOf } from '../../src/kernel/ids.ts';
import { installProjections, projections, runProjector, waitForPosition } from '../../src/projections/index.ts';
import { told } from '../support/instructions.ts';
import { createTestDatabase, type TestDatabase } from '../support/postgres.ts';
import { caller, must } from '../support/wallets.ts';

/** Proves that an operator sees where the money of a payout is, and opens and closes a connector, from the command line. */
describe('kora payouts, kora connectors', { timeout: 120_000 }, () => {
  let database: TestDatabase;
  let pool: pg.Pool;
  let log: PostgresLog;
  let runtime: Runtime;
  beforeAll(async () => {
    database = await createTestDatabase();
    pool = new pg.Pool(database.poolConfig);
    log = new PostgresLog({ config: database.poolConfig });
    runtime = new Runtime({ log, terms: { railLimits: () => ({ min: 1n, max: 10_000n }) } });
    const treasury = { accountId: 'till', walletType: 'treasury', currency: 'GHS' } as const;
    await must(runtime, { type: 'OpenAccount', idempotencyKey: 'till', ...treasury });
    await must(runtime, {
      ...{ type: 'Pay', idempotencyKey: 'funds', kind: 'FUNDING', payee: 'till', provider: 'bank:AB' },
      ...{ amount: 100_000n, currency: 'GHS', upTo: 'SETTLED' },
    });
    const made = await must(runtime, {
      ...{ type: 'CreatePayout', idempotencyKey: 'o1', amount: 25_050n, currency: 'GHS', payer: 'till' },
      ...{ provider: 'bank:AB', beneficiary: 'ben-1' },
    });
    const [first = '', second = ''] = made.payout?.slices.map(({ paymentId }) => paymentId) ?? [];
    await told(runtime, first, { said: 'settled', providerRef: 'ref-1' });
    await told(runtime, second, 'unknown', 'bank-2');
  });
  afterAll(async () => {
    await log.close();
    await pool.end();
    await database.drop();
  });

  const payoutId = paymentIdOf(caller.tenant, caller.principal, 'o1');

  async function kora(...args: string[]): Promise<{ code: number; stdout: string; stderr: string }> {
    const said = { stdout: '', stderr: '' };
    const shell = {
      env: { DATABASE_URL: database.connectionString },
      stdout: { write: (text: string) => (said.stdout += text) },
      stderr: { write: (text: string) => (said.stderr += text) },
      interrupt: new Interrupt({ on: () => undefined }, () => undefined),
      exitCode: 0,
    };
    return { code: await runKora(args, shell), ...said };
  }

  async function project(): Promise<void> {
    const stop = new AbortController();
    await installProjections(pool, projections);
    const run = runProjector({ log, pool, projections, signal: stop.signal });
    expect(await waitForPosition(pool, await log.lastPosition(), 20_000)).toBe(true);
    stop.abort();
    await run;
  }

  test('one payout is told from the log, whether or not there is a read model', async () => {
    const lists = [await kora('payouts'), await kora('connectors')];
    for (const { code, stderr } of lists)
      expect([code, stderr]).toEqual([1, expect.stringContaining('is not there yet')]);
    const { code, stdout } = await kora('payouts', payoutId, '--json');
    expect(code).toBe(0);
    expect(JSON.parse(stdout)).toMatchObject({
      payout: {
        status: 'processing',
        amount: '25050',
        exponent: 2,
        money: { pending: '5050', inDoubt: '10000', settled: '10000' },
        slices: [
          { status: 'settled', providerRef: 'ref-1' },
          { status: 'in_doubt', connector: 'bank-2' },
          { status: 'pending' },
        ],
      },
    });
    const people = await kora('payouts', payoutId);
    expect(people.stdout).toMatch(/^in doubt +100\.00 GHS$/m);
    expect(people.stdout).toMatch(/ 100\.00 GHS +settled +1 +bank-1 +ref-1$/m);
    expect(await kora('payouts', 'nothing')).toMatchObject({ code: 1, stderr: 'kora: there is no payout nothing\n' });
    expect((await kora('payouts', '--limit', '0')).code).toBe(2);
  });

  test('lists are told from the read model', async () => {
    await project();
    const { stdout } = await kora('payouts', '--payer', 'till', '--json');
    expect(JSON.parse(stdout)).toMatchObject({ payouts: [{ payoutId, status: 'processing', slices: 3 }] });
    expect((await kora('payouts')).stdout).toMatch(
      new RegExp(`${payoutId} +processing +250\\.50 GHS +100\\.00 GHS +100\\.00 GHS`),
    );
    expect((await kora('payouts', '--provider', 'bank:CD')).stdout).toBe('there is no such payout\n');
    expect((await kora('connectors')).stdout).toBe('no connector is configured, and no breaker ever opened\n');
  });

  test('an operator opens and closes a breaker, and the log says who and why', async () => {
    const opened = await kora('connectors', 'force', 'bank-2', 'OPEN', '--reason', 'outage announced', '--json');
    expect(JSON.parse(opened.stdout)).toMatchObject({
      connector: { connectorId: 'bank-2', state: 'OPEN', forced: true },
    });
    await project();
    expect((await kora('connectors')).stdout).toMatch(/^bank-2 +OPEN +0 +somebody closes it +outage announced$/m);
    const by = ['--principal', 'user:u1', '--reason', 'over'];
    expect((await kora('connectors', 'force', 'bank-2', 'CLOSED', ...by)).stdout).toBe(
      'the breaker of bank-2 is CLOSED by hand: over\n',
    );
    await project();
    const { stdout } = await kora('connectors', 'list', '--json');
    expect(JSON.parse(stdout)).toEqual({
      connectors: [{ connectorId: 'bank-2', state: 'CLOSED', version: 2, failures: 0, forced: false }],
    });
    const principals = [];
    for await (const unit of log.readAll(0))
      if (unit.rows.some(({ stream }) => stream === 'connector/bank-2')) principals.push(unit.meta.principal);
    expect(principals).toEqual(['kora:operator', 'user:u1']);
    expect((await kora('connectors', 'force', 'bank-2', 'OPEN')).code).toBe(2);
    expect((await kora('connectors', 'force', 'bank-2', 'OPEN', '--reason', 'r', '--principal', 'Ben')).code).toBe(2);
    expect((await kora('connectors', 'force', 'bank-2', 'HALF_OPEN', '--reason', 'r')).code).toBe(2);
  });
});
