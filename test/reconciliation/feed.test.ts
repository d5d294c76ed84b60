import { Ajv2020 } from 'ajv/dist/2020.js';
import pg from 'pg';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { MemoryLog } from '../../eventstore/index.ts';
import { migrate } from '../../src/platform/postgres/migrate.ts';
import { consumePage, takeUpParked } from '../../src/reconciliation/feed/consume.ts';
import { type FedItem, type FeedSource, readItem } from '../../src/reconciliation/feed/contract.ts';
import { understood } from '../../src/reconciliation/feed/payment-seen.ts';
import { PostgresMatchingStore, reconciliationMigrations } from '../../src/reconciliation/postgres/matching-store.ts';
import { postgresSeen } from '../../src/reconciliation/postgres/seen-store.ts';
import { coreFeeds } from '../../src/core-feeds.ts';
import type { OpenedLine } from '../../src/connectors/index.ts';
import { lineOf } from '../../src/reconciliation/feed/sides-of.ts';
import { catalog, type EventType } from '../../src/webhooks/events/catalog.ts';
import { allSchemas, feedSchemas, paymentFeed, signedItem } from '../../src/webhooks/index.ts';
import { createEmptyDatabase, type TestDatabase } from '../support/postgres.ts';
import { Scribe } from '../support/units.ts';

/**
 * Proves that reconciliation takes every event of a feed once and in order, believes only who has the secret, now, and keeps
 * what it does not understand; and that both sides of the contract are the same.
 */
const secret = 'a secret of tests';
const now = new Date('2026-03-01T12:00:00Z');

let database: TestDatabase;
let pool: pg.Pool;
beforeAll(async () => {
  database = await createEmptyDatabase();
  pool = new pg.Pool({ ...database.poolConfig, max: 3 });
  const client = await pool.connect();
  await migrate(client, [reconciliationMigrations]);
  client.release();
});
beforeEach(async () => {
  await empty();
});
const empty = async (): Promise<void> => {
  await pool.query(`truncate reconciliation.cursors, reconciliation.expectations, reconciliation.expectation_states,
    reconciliation.expectation_keys, reconciliation.payments_seen, reconciliation.parked_events`);
  await pool.query('update reconciliation.looked_at set up_to = 0');
};
afterAll(async () => {
  await pool.end();
  await database.drop();
});

/** A feed of some payments, and how it may be tampered with. */
async function feedOf(change: (item: FedItem) => FedItem = (item) => item): Promise<FeedSource> {
  const log = new MemoryLog();
  const scribe = new Scribe(log);
  scribe.open('ada');
  for (let n = 1n; n <= 9n; n++) scribe.cashIn('ada', n * 10n, { upTo: n % 3n === 0n ? 'SETTLED' : 'CAPTURED' });
  await scribe.written();
  const tokensOf: Parameters<typeof paymentFeed>[0]['tokensOf'] = (envelopes) =>
    Promise.resolve(envelopes.map(({ subject, type }) => (type === 'payment.initiated' ? [`h(${subject})`] : [])));
  const feed = paymentFeed({ log, secret, tokensOf, now: () => now });
  return {
    read: async (_feed, after, limit) => {
      const page = await feed.read(after, limit);
      return { ...page, items: page.items.map(change) };
    },
  };
}

const consuming = (source: FeedSource, of: { pageMax?: number; at?: Date; secrets?: string[] } = {}) => ({
  source,
  store: new PostgresMatchingStore(pool),
  seen: postgresSeen(pool),
  secrets: of.secrets ?? [secret],
  now: () => of.at ?? now,
  ...(of.pageMax !== undefined && { pageMax: of.pageMax }),
});
async function consume(source: FeedSource, of: Parameters<typeof consuming>[1] = {}): Promise<void> {
  while (await consumePage(consuming(source, of), 'payments'));
}
const expectations = async (): Promise<unknown[]> => {
  const { rows } = await pool.query<Record<string, unknown>>(
    'select amount, profile, date::text, withdrawn, body from reconciliation.expectations order by amount',
  );
  return rows;
};

describe('the feed', () => {
  it('is taken in once, in pages of any size, and when it comes again', async () => {
    const source = await feedOf();
    await consume(source);
    const whole = await expectations();
    expect(whole).toHaveLength(9);
    await consume(source);
    expect(await expectations()).toEqual(whole);
    for (const pageMax of [1, 5]) {
      await empty();
      await consume(source, { pageMax });
      expect(await expectations()).toEqual(whole);
    }
  });

  it('says before and after each page how far behind it is', async () => {
    const source = await feedOf();
    const { last } = await source.read('payments', 0, 1);
    const said: number[] = [];
    const lags = { seen: (_feed: string, events: number) => said.push(events) };
    while (await consumePage({ ...consuming(source, { pageMax: 5 }), lags }, 'payments'));
    expect(said[0]).toBe(last);
    expect(said.length).toBeGreaterThan(4);
    expect(said.at(-1)).toBe(0);
    expect(said).toEqual([...said].sort((one, other) => other - one));
    // Nothing is taken of a page that is refused: what is behind stays behind.
    const refused: number[] = [];
    await empty();
    const elsewhere = {
      ...consuming(source, { secrets: ['another'] }),
      lags: { seen: (_: string, n: number) => refused.push(n) },
    };
    await expect(consumePage(elsewhere, 'payments')).rejects.toMatchObject({ code: 'SignatureInvalid' });
    expect(refused).toEqual([last]);
  });

  it('goes on where it broke off between its two writes', async () => {
    const source = await feedOf();
    const options = consuming(source);
    const store = {
      cursorOf: (feed: string) => options.store.cursorOf(feed),
      put: () => Promise.reject(new Error('killed')),
    };
    await expect(consumePage({ ...options, store }, 'payments')).rejects.toThrow('killed');
    expect(await expectations()).toEqual([]);
    await consume(source);
    expect(await expectations()).toHaveLength(9);
  });

  it.each<[string, (item: FedItem) => FedItem, Parameters<typeof consuming>[1], string]>([
    [
      'signed by somebody else',
      (item) => ({ ...item, signature: item.signature.replace(/v1=./, 'v1=0') }),
      {},
      'SignatureInvalid',
    ],
    [
      'changed on the way',
      (item) => ({ ...item, body: item.body.replace('"amount":"10"', '"amount":"99"') }),
      {},
      'SignatureInvalid',
    ],
    ['replayed', (item) => item, { at: new Date(now.getTime() + 301_000) }, 'Stale'],
    ['from the future', (item) => item, { at: new Date(now.getTime() - 301_000) }, 'Stale'],
    ['no event', () => signedItem(1, { id: 'x' }, secret, now), {}, 'Malformed'],
  ])('takes nothing of a page with an event that is %s', async (_, change, of, code) => {
    const source = await feedOf((item) =>
      item.body.includes('"10"') || of?.at !== undefined || code === 'Malformed' ? change(item) : item,
    );
    await expect(consumePage(consuming(source, of), 'payments')).rejects.toMatchObject({ code });
    expect(await expectations()).toEqual([]);
    expect((await pool.query('select from reconciliation.cursors')).rowCount).toBe(0);
  });

  it('is believed by both secrets while one is rotated', async () => {
    await consume(await feedOf(), { secrets: ['the new one', secret] });
    expect(await expectations()).toHaveLength(9);
  });

  it('parks what it does not understand, and what follows of it, until a build does', async () => {
    const isFuture = (body: string): boolean => body.includes('payment.captured') && body.includes('"amount":"20"');
    const future = await feedOf(({ position, body, signature }) => {
      if (!isFuture(body)) return { position, body, signature };
      return signedItem(position, { ...(JSON.parse(body) as object), version: 2 }, secret, now);
    });
    await consume(future);
    expect(await expectations()).toHaveLength(8);
    const options = consuming(future);
    expect(await takeUpParked(options)).toBe(0);
    // As if this build had come to know version 2.
    await pool.query(`update reconciliation.parked_events set body = replace(body, '"version":2', '"version":1')`);
    expect(await takeUpParked(options)).toBe(1);
    expect(await expectations()).toHaveLength(9);
    expect((await pool.query('select from reconciliation.parked_events')).rowCount).toBe(0);
  });
});

/** A line as it was read, with everything that one may have, and with as little as one may have. */
const fullLine = {
  id: '6f1d4f0e-0000-4000-8000-000000000001',
  profile: 'bank:SN',
  statementDate: '2026-02-27',
  valueDate: '2026-02-27',
  entryDate: '2026-02-28',
  amount: -1_500n,
  currency: 'XOF',
  reversal: true,
  transactionCode: 'NTRF',
  fields: {
    account: 'SN08SN0100152000048500003035',
    reference: 'REF-123456',
    bankReference: 'B-1',
    text: 'PAYMENT ABC123456 THANK YOU',
    details: { counterpartyAccount: 'SN99', endToEndId: 'E2E-1', references: { mandate: 'M-1' } },
    batch: [{ amount: '-1500', reference: 'PART-1', bankReference: '' }],
  },
} as unknown as OpenedLine;
const leastLine = {
  ...fullLine,
  id: '6f1d4f0e-0000-4000-8000-000000000002',
  entryDate: undefined,
  transactionCode: undefined,
  amount: 5n,
  reversal: false,
  fields: { account: 'SN08', reference: 'NONREF', bankReference: '', text: '' },
} as unknown as OpenedLine;

async function toldLines(): Promise<FedItem[]> {
  const lines = [fullLine, leastLine];
  const feeds = coreFeeds({
    log: new MemoryLog(),
    secret,
    now: () => now,
    intake: {
      linesAfter: (after) =>
        Promise.resolve(
          lines.map(({ id }, n) => ({ position: BigInt(n + 1), lineId: id })).slice(Number(after)) as never,
        ),
      lastLine: () => Promise.resolve(2n),
      matchingFields: (ids) => Promise.resolve(lines.filter(({ id }) => ids.includes(id))),
      hasher: () => Promise.resolve((kind: string, text: string) => `${kind}-${text.length}`),
      referenceHash: (text) => Promise.resolve(`reference-${text.length}`),
    },
  });
  return [...(await feeds.read('statements', 0, 10)).items];
}

describe('the contract', () => {
  const ajv = new Ajv2020({ formats: { 'date-time': true }, strict: false });
  const check = (name: string, schemas: Readonly<Record<string, object>>): ((event: unknown) => void) => {
    const { $id: _, ...schema } = schemas[name] as { $id: string };
    const isRight = ajv.compile(schema);
    return (event) => expect([name, isRight(event), isRight.errors]).toEqual([name, true, null]);
  };

  it('is what the core tells: every event of both feeds is as it was released', async () => {
    const lines = await toldLines();
    const payments = await (await feedOf()).read('payments', 0, 100);
    const isEvent = check('feed.envelope.v1', feedSchemas());
    const events = [...lines, ...payments.items].map(
      ({ body }) => JSON.parse(body) as { type: string; version: number },
    );
    expect(events.length).toBeGreaterThan(20);
    for (const event of events) {
      isEvent(event);
      check(`${event.type}.v${event.version}`, { ...allSchemas(), ...feedSchemas() })(event);
    }
  });

  it('says of a line nothing but what is in its schema, and nothing of it is read that is not', async () => {
    const { properties } = feedSchemas()['statement.line.v1'] as { properties: { data: { properties: object } } };
    const told = Object.keys(properties.data.properties).sort();
    const [full, least] = (await toldLines()).map((item) => readItem(item, [secret], now));
    expect(Object.keys(full?.data ?? {}).sort()).toEqual(told);
    const read = new Set<string>();
    for (const event of [full, least]) {
      if (event === undefined) throw new Error('two lines are told');
      const data = new Proxy(event.data, { get: (of, name) => (read.add(String(name)), of[String(name)]) });
      expect(lineOf({ ...event, data }).id).toBe(event.data['lineId']);
    }
    expect([...read].sort()).toEqual(told);
    expect(full && lineOf(full)).toMatchObject({ amount: -1_500n, reversal: true, parts: [{ amount: -1_500n }] });
  });

  it('may grow: fields that this build does not know, in the envelope and in the data, change nothing', async () => {
    const grown = await feedOf(({ position, body }) => {
      const event = JSON.parse(body) as { data: object };
      return signedItem(position, { ...event, region: 'west', data: { ...event.data, channel: 'ussd' } }, secret, now);
    });
    await consume(await feedOf());
    const known = await expectations();
    await empty();
    await consume(grown);
    expect(await expectations()).toEqual(known);
    expect((await pool.query('select from reconciliation.parked_events')).rowCount).toBe(0);
  });

  it('parks a line of a version that this build does not know, and passes over types that it does not', async () => {
    const [full, least] = await toldLines();
    const changed = (item: FedItem | undefined, change: object): FedItem =>
      signedItem(item?.position ?? 0, { ...(JSON.parse(item?.body ?? '{}') as object), ...change }, secret, now);
    const items = [changed(full, { version: 2 }), changed(least, { type: 'statement.opened', version: 7 })];
    const source: FeedSource = {
      read: (_, after) => Promise.resolve({ items: after === 0 ? items : [], next: 2, last: 2 }),
    };
    await consumePage(consuming(source), 'statements');
    const parked = await pool.query('select type, version from reconciliation.parked_events');
    expect(parked.rows).toEqual([{ type: 'statement.line', version: 2 }]);
    expect((await pool.query('select from reconciliation.lines')).rowCount).toBe(0);
  });

  it('is the same on both sides: every event that is understood is told, in that version', () => {
    const told = Object.fromEntries(Object.entries(catalog).map(([type, { version }]) => [type, version]));
    const payments = Object.entries(understood).filter(([type]) => type.startsWith('payment.'));
    expect(payments.length).toBeGreaterThan(8);
    for (const [type, version] of payments) expect([type, told[type]]).toEqual([type, version]);
  });

  it('has every field that is read of them', () => {
    const read: Partial<Record<EventType, readonly string[]>> = {
      'payment.initiated': ['kind', 'amount', 'currency', 'provider', 'payout', 'original'],
      'payment.captured': ['amount'],
      'payment.settled': ['providerFee'],
      'payment.fee_corrected': ['providerFee'],
      'payment.instructed': ['provider'],
      'payment.accepted': ['providerRef'],
      'payment.confirmed': ['providerRef'],
      'payment.paid_late': ['provider', 'providerRef'],
    };
    for (const [type, fields] of Object.entries(read)) {
      const { properties } = catalog[type as EventType].data as { properties: object };
      expect([type, fields.filter((field) => !(field in properties))]).toEqual([type, []]);
    }
  });
});
