import pg from 'pg';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { PostgresLog } from '../../eventstore/index.ts';
import { projections, runProjector, verify, waitForPosition, type Finding } from '../../src/projections/index.ts';
import { createTestDatabase, type TestDatabase } from '../support/postgres.ts';
import { Scribe } from '../support/units.ts';

/** Each test spoils one thing in a real database behind the product's back, and must see it found where it is. */
describe('verify finds what was tampered with', () => {
  let database: TestDatabase;
  let pool: pg.Pool;
  /** The payment that most tests spoil: a P2P in one unit, in a commit of its own, with units before and after it. */
  let paid = '';
  let bought = '';

  beforeAll(async () => {
    database = await createTestDatabase();
    pool = new pg.Pool(database.poolConfig);
    const log = new PostgresLog({ config: database.poolConfig });
    const scribe = new Scribe(log);
    const stop = new AbortController();
    const run = runProjector({ log, pool, projections, signal: stop.signal, lingerMs: 1 });
    for (const id of ['alice', 'bob']) scribe.open(id);
    scribe.open('shop', { walletType: 'merchant', feeBps: 100 });
    scribe.cashIn('alice', 10_000n, { providerFee: 7n });
    await scribe.written();
    paid = scribe.p2p('alice', 'bob', 300n);
    await scribe.written();
    bought = scribe.merchant('bob', 'shop', 200n, { upTo: 'AUTHORIZED' });
    await scribe.written();
    scribe.capture(bought, 150n);
    scribe.settle(bought);
    scribe.pay({ kind: 'REFUND', original: bought, amount: 50n });
    const held = scribe.pay({ kind: 'CASH_OUT', payer: 'alice', provider: 'cash', amount: 40n, upTo: 'AUTHORIZED' });
    scribe.reverse(held);
    scribe.merchant('alice', 'shop', 100n, { upTo: 'AUTHORIZED' });
    // Refused, and recorded so.
    scribe.p2p('bob', 'alice', 1_000_000n);
    await scribe.written();
    expect(await waitForPosition(pool, await log.lastPosition(), 10_000)).toBe(true);
    stop.abort();
    await run;
    await log.close();
    await pool.query('create schema saved');
    for (const table of tables) await pool.query(`create table saved.${nameIn(table)} as table ${table}`);
  });
  afterEach(async () => {
    await pool.query(
      tables.map((table) => `truncate ${table}; insert into ${table} select * from saved.${nameIn(table)}`).join(';'),
    );
  });
  afterAll(async () => {
    await pool.end();
    await database.drop();
  });

  /** Everything that a test may spoil: put back after it. */
  const tables = [
    ...['log', 'heads', 'commits'].map((table) => `eventstore.${table}`),
    ...[
      'checkpoints',
      'accounts_v1',
      'connector_states_v1',
      'deadlines_v1',
      'payments_v1',
      'payouts_v1',
      'payout_slices_v1',
      'trial_balance_v1',
    ].map((t) => `projections.${t}`),
  ];
  const nameIn = (table: string): string => table.replace('.', '_');

  const spoil = async (sql: string, values: unknown[] = []): Promise<void> => {
    const { rowCount } = await pool.query(sql, values);
    expect(rowCount).toBe(1);
  };
  const findings = async (): Promise<readonly Finding[]> => (await verify({ pool, projections })).findings;
  /** Position of the first row of a payment, which is the first of its unit. */
  const unitOf = async (payment: string): Promise<number> => {
    const { rows } = await pool.query<{ position: string }>(
      'select position from eventstore.log where stream = $1 order by version limit 1',
      [`payment/${payment}`],
    );
    return Number(rows[0]?.position);
  };
  const rowOf = async (stream: string, unit: number): Promise<number> => {
    const { rows } = await pool.query<{ position: string }>(
      'select position from eventstore.log where stream = $1 and unit = $2',
      [stream, unit],
    );
    return Number(rows[0]?.position);
  };
  const checksOf = (found: readonly Finding[]): string[] => [...new Set(found.map(({ check }) => check))];

  it('finds nothing in what nobody touched', async () => {
    const report = await verify({ pool, projections });
    expect(report.findings).toEqual([]);
    expect(report.units).toBe(13);
    expect(report.position).toBeGreaterThan(30);
  });

  it('a byte of an event that changes no figure', async () => {
    const unit = await unitOf(paid);
    await spoil(
      `update eventstore.log set events = replace(events::text, '"fingerprint":"', '"fingerprint":"x')::json where position = $1`,
      [unit],
    );
    const found = await findings();
    expect(found).toMatchObject([{ position: unit, check: 'chain' }]);
  });

  it('white space in an event: the chain is over bytes', async () => {
    const unit = await unitOf(paid);
    await spoil(`update eventstore.log set events = (events::text || ' ')::json where position = $1`, [unit]);
    expect(await findings()).toMatchObject([{ position: unit, check: 'chain' }]);
  });

  it('who asked for it, in the meta of a unit', async () => {
    const unit = await unitOf(paid);
    await spoil(
      `update eventstore.log set meta = replace(meta::text, 'service:test', 'service:nobody')::json where position = $1`,
      [unit],
    );
    expect(await findings()).toMatchObject([{ position: unit, check: 'chain' }]);
  });

  it('the amount of an entry', async () => {
    const unit = await unitOf(paid);
    const row = await rowOf('account/alice', unit);
    await spoil(
      `update eventstore.log set events = replace(events::text, '"amount":"-300"', '"amount":"-301"')::json where position = $1`,
      [row],
    );
    const found = await findings();
    expect(found[0]).toMatchObject({ position: unit });
    expect(checksOf(found)).toEqual(expect.arrayContaining(['chain', 'entries', 'wallets']));
    expect(found.filter(({ check }) => check === 'wallets').map(({ position }) => position)).toEqual([row, row]);
  });

  it('an amount that is no number', async () => {
    const unit = await unitOf(paid);
    await spoil(
      `update eventstore.log set events = replace(events::text, '"amount":"300"', '"amount":"much"')::json where position = $1`,
      [unit],
    );
    expect((await findings())[0]).toMatchObject({ position: unit });
  });

  it('the stream of a row', async () => {
    const unit = await unitOf(paid);
    const row = await rowOf('account/bob', unit);
    await spoil(`update eventstore.log set stream = 'account/alice' where position = $1`, [row]);
    const found = await findings();
    expect(found[0]?.position).toBe(row);
    expect(checksOf(found)).toEqual(expect.arrayContaining(['chain', 'versions', 'wallets']));
  });

  it('the version of a row', async () => {
    const unit = await unitOf(paid);
    await spoil('update eventstore.log set version = version + 7 where position = $1', [unit]);
    const found = await findings();
    expect(found[0]?.position).toBe(unit);
    expect(checksOf(found)).toEqual(expect.arrayContaining(['chain', 'versions', 'heads']));
  });

  it('the version of a row of an unconstrained stream, which the chain does not cover', async () => {
    const { rows } = await pool.query<{ position: string }>(
      `select position from eventstore.log where stream = 'system/clearing:XOF' order by version offset 1 limit 1`,
    );
    const row = Number(rows[0]?.position);
    await spoil('update eventstore.log set version = version + 1 where position = $1', [row]);
    const found = await findings();
    expect(found[0]).toMatchObject({ position: row, check: 'versions' });
  });

  it.each(['hash', 'digest'])('the %s of a commit', async (column) => {
    const unit = await unitOf(paid);
    await spoil(`update eventstore.commits set ${column} = sha256(${column}) where position = $1`, [unit]);
    const found = await findings();
    expect(found[0]).toMatchObject({ position: unit, check: 'chain' });
    expect(new Set(found.map(({ position }) => position))).toEqual(new Set([unit]));
  });

  it('the recorded time of a commit, and of a unit', async () => {
    const unit = await unitOf(paid);
    await spoil(
      `update eventstore.commits set recorded_at = recorded_at - interval '1 microsecond' where position = $1`,
      [unit],
    );
    const found = await findings();
    expect(found.map(({ position }) => position)).toEqual(found.map(() => unit));
    expect(checksOf(found).sort()).toEqual(['chain', 'time']);
    await spoil(
      `update eventstore.commits set recorded_at = recorded_at + interval '1 microsecond' where position = $1`,
      [unit],
    );
    await spoil(`update eventstore.log set recorded_at = recorded_at + interval '1 microsecond' where position = $1`, [
      unit,
    ]);
    expect(await findings()).toMatchObject([{ position: unit, check: 'time' }]);
  });

  it('a head, a head that is missing, and one too many', async () => {
    const unit = await unitOf(paid);
    const head = `payment/${paid}`;
    await spoil('update eventstore.heads set version = version + 1 where stream = $1', [head]);
    expect(await findings()).toMatchObject([{ position: unit, check: 'heads' }]);
    await spoil('delete from eventstore.heads where stream = $1', [head]);
    expect(await findings()).toMatchObject([{ position: unit, check: 'heads' }]);
    await spoil('insert into eventstore.heads (stream, version, position) values ($1, 4, $2)', [head, unit]);
    await spoil(`insert into eventstore.heads (stream, version, position) values ('payment/ghost', 1, 3)`);
    expect(await findings()).toMatchObject([{ position: 3, check: 'heads' }]);
  });

  it('a row that was deleted', async () => {
    const unit = await unitOf(paid);
    const row = await rowOf('account/alice', unit);
    await spoil('delete from eventstore.log where position = $1', [row]);
    const found = await findings();
    expect(found.find(({ check }) => check === 'positions')?.position).toBe(row);
    expect(found[0]?.position).toBeGreaterThanOrEqual(unit);
    expect(found[0]?.position).toBeLessThanOrEqual(row);
  });

  it('the last row, and the last commit', async () => {
    const last = await pool.query<{ position: string }>('select max(position) as position from eventstore.log');
    const row = Number(last.rows[0]?.position);
    await spoil('delete from eventstore.log where position = $1', [row]);
    expect((await findings()).some(({ check, position }) => check === 'positions' && position === row)).toBe(true);
    const commit = await pool.query<{ position: string }>(
      'delete from eventstore.commits where position = (select max(position) from eventstore.commits) returning position',
    );
    const position = Number(commit.rows[0]?.position);
    expect((await findings())[0]).toMatchObject({ check: 'positions', position });
  });

  it('a commit in the middle that was deleted', async () => {
    const unit = await unitOf(paid);
    await spoil('delete from eventstore.commits where position = $1', [unit]);
    expect((await findings())[0]).toMatchObject({ check: 'positions', position: unit });
  });

  it('the unit that a row says it belongs to', async () => {
    const unit = await unitOf(paid);
    const row = await rowOf('account/alice', unit);
    await spoil('update eventstore.log set unit = unit + 1 where position = $1', [row]);
    const found = await findings();
    expect(found.find(({ check }) => check === 'units')?.position).toBe(row);
  });

  it('a row of a projection that was changed, added or lost', async () => {
    const unit = await unitOf(paid);
    await spoil(`update projections.payments_v1 set captured = captured + 1 where id = $1`, [paid]);
    const [finding] = await findings();
    expect(finding).toMatchObject({ check: 'projections', position: unit + 3 });
    expect(finding?.message).toBe(`row ${paid} of payments: captured is 301, a fresh fold gives 300`);
    await spoil(`delete from projections.payments_v1 where id = $1`, [paid]);
    expect(await findings()).toMatchObject([
      { check: 'projections', position: unit + 3, message: `row ${paid} of payments is missing` },
    ]);
  });

  it('the checkpoint of a projection', async () => {
    await spoil(`update projections.checkpoints set position = $1 where projection = 'trial_balance'`, [
      await unitOf(paid),
    ]);
    expect(checksOf(await findings())).toEqual(['projections']);
  });
});
