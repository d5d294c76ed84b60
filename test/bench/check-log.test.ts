/** The bench's own check of a run: a log that is not exactly what was answered must not give a figure. */
import pg from 'pg';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { checkLog } from '../../bench/core/check-log.ts';
import { makePayments, openWallets, startProduct } from '../../bench/core/kora.ts';
import { P2pSource } from '../../bench/load/p2p.ts';
import { createTestDatabase, type TestDatabase } from '../support/postgres.ts';

const payments = 50;
let database: TestDatabase;

beforeEach(async () => {
  database = await createTestDatabase();
  const kora = await startProduct({ databaseUrl: database.connectionString }, ['doors', 'projector', 'scheduler']);
  await openWallets(kora.runtime);
  await makePayments(kora.runtime, new P2pSource(), payments);
  await kora.close();
});
afterEach(() => database.drop());

async function tamper(sql: string): Promise<void> {
  const client = new pg.Client(database.poolConfig);
  await client.connect();
  await client.query(sql);
  await client.end();
}

const check = (answered: number): Promise<number> => checkLog({ database: database.poolConfig }, answered);
const lastPayment = `(select max(position) from eventstore.log where stream like 'payment/%')`;

test('passes what is exactly what was answered', async () => {
  expect(await check(payments)).toBeGreaterThan(0);
});

test('finds a payment too many and one too few', async () => {
  await expect(check(payments - 1)).rejects.toThrow('payments = 50, not 49');
  await expect(check(payments + 1)).rejects.toThrow('payments = 50, not 51');
});

test('finds a payment that did not go through all of its steps', async () => {
  await tamper(`update eventstore.log set events = replace(events::text, 'PaymentSettled', 'PaymentFailed')::json
    where position = ${lastPayment}`);
  await expect(check(payments)).rejects.toThrow('settled = 49');
});

test('finds money that was made', async () => {
  await tamper(`update eventstore.log set events = regexp_replace(events::text, '"amount":"-?[0-9]+"', '"amount":"7777777"')::json
    where position = (select max(position) from eventstore.log where stream like 'account/%')`);
  await expect(check(payments)).rejects.toThrow(/sum = -?[0-9]+, not 0/);
});

test('finds a row that is missing', async () => {
  await tamper(`delete from eventstore.log where position = ${lastPayment}`);
  await expect(check(payments)).rejects.toThrow('payments = 49');
});
