import pg from 'pg';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { PostgresLog } from '../../eventstore/index.ts';
import type { Finding } from '../../src/projections/index.ts';
import { historyIn } from '../../src/projections/verify.ts';
import { MachineCheck, paymentsInLog } from '../../src/projections/verify/machine-check.ts';
import { createTestDatabase, type TestDatabase } from '../support/postgres.ts';
import { Scribe } from '../support/units.ts';

/** Proves that verify needs no memory for every open payment: what it let go of is read again, and judged as before. */
let database: TestDatabase;
let client: pg.Client;
let log: PostgresLog;
const held: string[] = [];

beforeAll(async () => {
  database = await createTestDatabase();
  client = new pg.Client(database.poolConfig);
  await client.connect();
  log = new PostgresLog({ config: database.poolConfig });
  const scribe = new Scribe(log);
  scribe.open('ada');
  scribe.open('ben');
  scribe.cashIn('ada', 1_000n);
  for (let number = 0; number < 6; number++) held.push(scribe.p2p('ada', 'ben', 10n, { upTo: 'AUTHORIZED' }));
  for (const payment of held) scribe.capture(payment);
  await scribe.written();
});
afterAll(async () => {
  await client.end();
  await log.close();
  await database.drop();
});

async function findings(): Promise<Finding[]> {
  const found: Finding[] = [];
  const check = new MachineCheck(paymentsInLog, historyIn(client), (finding) => found.push(finding), 2);
  for await (const unit of log.readAll(0)) await check.visit(unit);
  return found;
}

it('finds nothing in what is right', async () => {
  expect(await findings()).toEqual([]);
});

it('finds a wrong step of a payment that it had let go of, once', async () => {
  const { rows } = await client.query<{ position: string }>(
    `update eventstore.log set events = replace(events::text, 'PaymentCaptured', 'PaymentInitiated')::json
     where stream = 'payment/' || $1 and version > 1 returning position`,
    [held[0]],
  );
  expect(await findings()).toMatchObject([{ check: 'payments', position: Number(rows[0]?.position) }]);
});
