import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import pg from 'pg';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { MemoryLog, PostgresLog, type EventLog } from '../../eventstore/index.ts';
import { Runtime } from '../../src/actors/runtime.ts';
import { readAfter } from '../../src/gateway/stream/read-after.ts';
import { StateReader } from '../../src/gateway/stream/read-state.ts';
import { parseTopic, type StreamTopic } from '../../src/gateway/stream/topics.ts';
import { sliceStatusOf } from '../../src/machines/payout/view.ts';
import { upcasts } from '../../src/machines/event-versions.ts';
import {
  balanceAt,
  entriesOfAccount,
  projections,
  rebuild,
  runProjector,
  timelineOf,
  verify,
  waitForPosition,
} from '../../src/projections/index.ts';
import { createTestDatabase, type TestDatabase } from '../support/postgres.ts';
import { appendHistory, folder, historyFiles, readHistory, type ExpectedPayment } from './history.ts';

/**
 * Proves that what older releases wrote is read for ever: histories that they left, appended as they are, come to the
 * states and balances that they came to then, wherever the product reads its log.
 */
const histories = historyFiles.map((file) => ({ file, ...readHistory(file) }));

describe('The histories', () => {
  it('are never edited: a new version of an event gets a new file, and a new line in sha256.txt', () => {
    const sums = historyFiles.map((file) => {
      const sum = createHash('sha256')
        .update(readFileSync(new URL(file, folder)))
        .digest('hex');
      return `${sum}  ${file}\n`;
    });
    expect(sums.sort()).toEqual(
      readFileSync(new URL('sha256.txt', folder), 'utf8')
        .split(/(?<=\n)/)
        .sort(),
    );
  });

  it('hold every version of every event', () => {
    const held = new Set<string>();
    for (const { units } of histories) {
      for (const { events } of units.flatMap(({ appends }) => appends)) {
        for (const { type, schema } of events) held.add(`${type} ${schema}`);
      }
    }
    const all = Object.entries(upcasts).flatMap(([type, { length }]) =>
      Array.from({ length: length + 1 }, (_, index) => `${type} ${index + 1}`),
    );
    expect([...held].sort()).toEqual(all.sort());
  });

  it.each(histories)('$file: its books were in balance', ({ expected: { wallets, system } }) => {
    const sums = [...Object.values(wallets).map(({ posted }) => posted), ...Object.values(system)];
    expect(sums.reduce((sum, figure) => sum + figure, 0)).toBe(0);
  });
});

type Figures = Readonly<Record<(typeof figures)[number], string>>;
const figures = ['amount', 'authorized', 'captured', 'refunded', 'fee', 'providerFee'] as const;

/** A payment as the product shows it, in the words of a history. */
function inNumbers(view: object | undefined | null): object {
  if (view === undefined || view === null) return {};
  const amounts = figures.map((name) => [name, Number((view as Figures)[name])]);
  return { ...view, ...(Object.fromEntries(amounts) as object) };
}

async function holdsInRuntime(log: EventLog, history: (typeof histories)[number]): Promise<void> {
  const runtime = new Runtime({ log });
  for (const [id, expected] of Object.entries(history.expected.payments)) {
    expect(inNumbers(await runtime.payment(id))).toMatchObject(expected);
  }
  for (const [id, { status, posted, held, limit, version }] of Object.entries(history.expected.wallets)) {
    const amounts = { posted: String(posted), held: String(held), limit: String(limit) };
    expect(await runtime.account(id)).toMatchObject({ status, version, ...amounts });
  }
  const { payouts = {}, slices = {}, connectors = {} } = history.expected;
  for (const [id, expected] of Object.entries(payouts))
    expect(payoutInNumbers(await runtime.payout(id))).toMatchObject(expected);
  for (const [id, { status, connector, providerRef }] of Object.entries(slices)) {
    const slice = await runtime.paymentState(id);
    expect(slice && sliceStatusOf(slice)).toBe(status);
    const newest = slice?.context.transfer?.instructions;
    expect([newest?.connector, newest?.providerRef]).toEqual([connector, providerRef]);
  }
  for (const [id, expected] of Object.entries(connectors)) expect(await runtime.connector(id)).toMatchObject(expected);
}

/** A payout as the product shows it, in the words of a history. */
function payoutInNumbers(view: unknown): object {
  const { amount, slices, ...rest } = (view ?? { slices: [] }) as { amount?: string; slices: readonly unknown[] };
  return { ...rest, amount: Number(amount), slices: slices.length };
}

async function holdsOnTheStream(log: EventLog, history: (typeof histories)[number]): Promise<void> {
  const states = new StateReader(log);
  const topicOf = (name: string): StreamTopic => parseTopic(name) as StreamTopic;
  for (const [id, expected] of Object.entries(history.expected.payments)) {
    const topic = topicOf(`payment/${id}`);
    const { state, version } = await states.read(topic);
    expect(inNumbers(state)).toMatchObject(expected);
    expect(version).toBe(expected.version);
    // What somebody who was away is told: events of today.
    for await (const { frame } of readAfter(log, topic, 0)) {
      const { unit } = JSON.parse(frame?.bytes.toString() ?? '{}') as {
        unit: { events: { type: string; data: { cause?: string } }[] };
      };
      for (const { type, data } of unit.events) {
        if (type === 'PaymentFailed') expect(data.cause).toBe(causeOf(expected));
      }
    }
  }
  for (const [id, { posted, held, status }] of Object.entries(history.expected.wallets)) {
    const { state } = await states.read(topicOf(`account/${id}`));
    expect(state).toMatchObject({ posted: String(posted), held: String(held), status });
  }
  const { payouts = {}, connectors = {} } = history.expected;
  for (const [id, expected] of Object.entries(payouts))
    expect(payoutInNumbers((await states.read(topicOf(`payout/${id}`))).state)).toMatchObject(expected);
  for (const [id, expected] of Object.entries(connectors))
    expect((await states.read(topicOf(`connector/${id}`))).state).toMatchObject(expected);
  for (const [id, posted] of Object.entries(history.expected.system)) {
    expect((await states.read(topicOf(`account/${id}`))).state).toMatchObject({ posted: String(posted) });
  }
}

/** Version 2 of PaymentFailed says it, version 1 did not. */
const causeOf = ({ failure }: ExpectedPayment): string => (failure?.code === 'PaymentFailed' ? 'requested' : 'refused');

describe.each(histories)('$file, appended to a log in memory', (history) => {
  const log = new MemoryLog();
  beforeAll(() => appendHistory(log, history));
  afterAll(() => log.close());

  it('comes to the same states', () => holdsInRuntime(log, history));
  it('is told to watchers as it would be today', () => holdsOnTheStream(log, history));
});

describe.each(histories)('$file, appended to a log in Postgres', (history) => {
  const { wallets, system, payments } = history.expected;
  let database: TestDatabase;
  let pool: pg.Pool;
  let log: PostgresLog;

  beforeAll(async () => {
    database = await createTestDatabase();
    pool = new pg.Pool(database.poolConfig);
    log = new PostgresLog({ config: database.poolConfig });
    await appendHistory(log, history);
    const stop = new AbortController();
    const run = runProjector({ log, pool, projections, signal: stop.signal, lingerMs: 1 });
    expect(await waitForPosition(pool, await log.lastPosition(), 30_000)).toBe(true);
    stop.abort();
    await run;
  });
  afterAll(async () => {
    await log.close();
    await pool.end();
    await database.drop();
  });

  it('comes to the same states', () => holdsInRuntime(log, history));
  it('is told to watchers as it would be today', () => holdsOnTheStream(log, history));

  it('is folded to the same rows', async () => {
    const accounts = await pool.query<Record<string, string | null>>('select * from projections.accounts');
    expect(Object.fromEntries(accounts.rows.map(({ id, posted }) => [id, Number(posted)]))).toEqual({
      ...Object.fromEntries(Object.entries(wallets).map(([id, { posted }]) => [id, posted])),
      ...system,
    });
    for (const { id, status, held, overdraft_limit: limit, version } of accounts.rows) {
      const wallet = wallets[id ?? ''];
      if (wallet === undefined) continue;
      const row = { status, held: Number(held), limit: Number(limit), version: Number(version) };
      expect(wallet).toMatchObject(row);
    }
    const made = await pool.query<Record<string, string | null>>('select * from projections.payments');
    expect(made.rowCount).toBe(Object.keys(payments).length);
    for (const row of made.rows) {
      expect(inNumbers({ ...row, providerFee: row['provider_fee'] })).toMatchObject(figuresOf(row['id'] ?? ''));
    }
  });

  it('is folded to the same payouts, slices and connectors', async () => {
    const { payouts = {}, slices = {}, connectors = {} } = history.expected;
    const rowsOf = async (table: string) =>
      (await pool.query<Record<string, string | number | boolean | null>>(`select * from projections.${table}`)).rows;
    const made = (await rowsOf('payouts')).map(({ id, state, amount, slices: count, version }) => [
      id,
      { state, amount: Number(amount), slices: count, version: Number(version) },
    ]);
    expect(Object.fromEntries(made)).toEqual(
      Object.fromEntries(
        Object.entries(payouts).map(([id, { state, amount, slices: count, version }]) => [
          id,
          { state, amount, slices: count, version },
        ]),
      ),
    );
    const cut = (await rowsOf('payout_slices')).map(({ id, status, connector_id: connector, provider_ref: ref }) => [
      id,
      { status, ...(connector !== null && { connector }), ...(ref !== null && { providerRef: ref }) },
    ]);
    expect(Object.fromEntries(cut)).toEqual(slices);
    for (const { id, circuit_breaker_state: state, failure_count: failures, ...row } of await rowsOf(
      'connector_states',
    ))
      expect(connectors[id as string]).toMatchObject({ state, failures, forced: row['forced'] });
    expect(await rowsOf('connector_states')).toHaveLength(Object.keys(connectors).length);
  });

  function figuresOf(id: string): object {
    const { reversed: _reversed, failure: _failure, version, ...rest } = payments[id] as ExpectedPayment;
    return { ...rest, version: String(version) };
  }

  it('verifies, and a rebuild makes the same rows of it', async () => {
    expect((await verify({ pool, projections })).findings).toEqual([]);
    for (const projection of projections) {
      for (const differences of (await rebuild({ log, pool, projection })).differences) {
        expect(differences).toMatchObject({ onlyLive: 0, onlyFresh: 0, differing: 0 });
      }
    }
  });

  it('is read by the views: balances, entries, timelines', async () => {
    for (const [id, { posted, held }] of Object.entries(wallets)) {
      const recorded = await balanceAt(pool, { account: id, position: await log.lastPosition() });
      expect(recorded).toMatchObject({ posted: BigInt(posted), held: BigInt(held) });
    }
    for (const [id, posted] of [
      ...Object.entries(wallets).map(([id, w]) => [id, w.posted] as const),
      ...Object.entries(system),
    ]) {
      expect((await balanceAt(pool, { account: id, at: new Date('2100-01-01') }))?.posted).toBe(BigInt(posted));
      const entries = await entriesOfAccount(pool, id);
      expect(entries.reduce((sum, { amount }) => sum + amount, 0n)).toBe(BigInt(posted));
    }
    for (const [id, expected] of Object.entries(payments)) {
      const timeline = await timelineOf(pool, id);
      expect(timeline).toHaveLength(expected.version);
      const failed = timeline.find(({ fact }) => fact === 'PaymentFailed');
      expect(failed?.data['cause']).toBe(expected.failure && causeOf(expected));
    }
    const { rows } = await pool.query<{ payment_id: string; cause: string }>(
      `select payment_id, cause from projections.payment_timeline where fact = 'PaymentFailed'`,
    );
    expect(rows.length).toBeGreaterThan(0);
    for (const { payment_id: id, cause } of rows) expect(cause).toBe(causeOf(payments[id] as ExpectedPayment));
  });
});
