import pg from 'pg';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { MemoryLog } from '../../eventstore/index.ts';
import { migrate } from '../../src/platform/postgres/migrate.ts';
import { consumePage, takeUpParked } from '../../src/reconciliation/feed/consume.ts';
import type { FedItem, FeedSource } from '../../src/reconciliation/feed/contract.ts';
import { understood } from '../../src/reconciliation/feed/payment-seen.ts';
import { PostgresMatchingStore, reconciliationMigrations } from '../../src/reconciliation/postgres/matching-store.ts';
import { postgresSeen } from '../../src/reconciliation/postgres/seen-store.ts';
import { catalog, type EventType } from '../../src/webhooks/events/catalog.ts';
import { paymentFeed, signedItem } from '../../src/webhooks/index.ts';
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

describe('the contract', () => {
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
