import pg from 'pg';
import { afterAll, beforeAll, beforeEach, expect, it } from 'vitest';
import { startObservability } from '../../src/observability/index.ts';
import { configFrom } from '../../src/platform/config.ts';
import { createLogger } from '../../src/platform/logging.ts';
import { migrate } from '../../src/platform/postgres/migrate.ts';
import { Stages } from '../../src/platform/stages.ts';
import { caseFigures } from '../../src/reconciliation/cases/case-figures.ts';
import { consumePage } from '../../src/reconciliation/feed/consume.ts';
import { PostgresMatchingStore, reconciliationMigrations } from '../../src/reconciliation/postgres/matching-store.ts';
import { postgresSeen } from '../../src/reconciliation/postgres/seen-store.ts';
import { signedItem } from '../../src/webhooks/index.ts';
import { createEmptyDatabase, type TestDatabase } from '../support/postgres.ts';

/** Proves that delays of settlement, findings and open cases show in the metrics with the figures that they have. */
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
  await pool.query(`truncate reconciliation.cursors, reconciliation.expectations, reconciliation.expectation_states,
    reconciliation.expectation_keys, reconciliation.payments_seen, reconciliation.cases`);
});
afterAll(async () => {
  await pool.end();
  await database.drop();
});

async function scraped(work: (metrics: Metrics) => Promise<void> | void): Promise<string> {
  const logger = createLogger({ level: 'error', format: 'json', write: () => undefined });
  const stages = new Stages();
  const seen = await startObservability(configFrom({ KORA_METRICS_PORT: '0' }), { logger, stages, measured: true });
  if (seen.metrics === undefined) throw new Error('nothing is measured');
  await work(seen.metrics.reconciliation);
  const text = await (await fetch(`http://127.0.0.1:${(await seen.serveMetrics()) ?? 0}/metrics`)).text();
  await stages.stop();
  return text;
}
type Metrics = NonNullable<Awaited<ReturnType<typeof startObservability>>['metrics']>['reconciliation'];

const secret = 'a secret of tests';
const now = new Date('2026-11-27T12:00:00Z');
/** A payment's events: what, and when. */
function eventsOf(
  id: string,
  kind: string,
  provider: string | undefined,
  steps: readonly (readonly [string, string])[],
) {
  return steps.map(([type, createdAt], index) => ({
    ...{ id: `${id}-${index}`, type: `payment.${type}`, version: 1, createdAt, subject: `payment/${id}` },
    ...{ sequence: index + 1, tokens: [] },
    data: type === 'initiated' ? { kind, amount: '10', currency: 'XOF', ...(provider && { provider }) } : {},
  }));
}

it('counts from when a statement could first show a payment to its settlement, once', async () => {
  const begun = ['initiated', '2026-11-20T08:00:00.000Z'] as const;
  const events = [
    ...eventsOf('in', 'CASH_IN', 'bank:SN', [
      begun,
      ['captured', '2026-11-20T08:00:00.000Z'],
      ['settled', '2026-11-22T08:00:01.000Z'],
      ['fee_corrected', '2026-11-25T08:00:00.000Z'],
    ]),
    ...eventsOf('out', 'PAYOUT', 'bank:SN', [
      begun,
      ['authorized', '2026-11-20T08:00:10.000Z'],
      ['instructed', '2026-11-20T09:00:00.000Z'],
      ['captured', '2026-11-20T09:00:30.000Z'],
      ['settled', '2026-11-20T09:00:45.000Z'],
    ]),
    // Settled with its capture; through no provider; and not settled.
    ...eventsOf('at once', 'CASH_IN', 'bank:SN', [
      begun,
      ['captured', '2026-11-20T08:00:00.000Z'],
      ['settled', '2026-11-20T08:00:00.000Z'],
    ]),
    ...eventsOf('between wallets', 'P2P', undefined, [
      begun,
      ['captured', '2026-11-20T08:00:00.000Z'],
      ['settled', '2026-11-20T08:00:09.000Z'],
    ]),
    ...eventsOf('open', 'CASH_IN', 'bank:SN', [begun, ['captured', '2026-11-20T08:00:00.000Z']]),
  ];
  const items = events.map((event, index) => signedItem(index + 1, event, secret, now));
  const text = await scraped(async ({ settled }) => {
    const store = new PostgresMatchingStore(pool);
    const put: typeof store.put = () => Promise.reject(new Error('killed'));
    const options = {
      source: {
        read: (_feed: string, after: number, limit: number) => {
          const page = items.slice(after, after + limit);
          return Promise.resolve({ items: page, next: after + page.length, last: items.length });
        },
      },
      ...{ store, seen: postgresSeen(pool), secrets: [secret], now: () => now, onSettled: settled, pageMax: 7 },
    };
    // The first page breaks off behind its first write, and comes again.
    const broken = { cursorOf: (feed: 'payments') => store.cursorOf(feed), put };
    await expect(consumePage({ ...options, store: broken }, 'payments')).rejects.toThrow('killed');
    while (await consumePage(options, 'payments'));
  });
  const metric = 'kora_settlement_delay_seconds';
  const valueOf = (series: string): string | undefined =>
    text
      .split('\n')
      .find((one) => one.startsWith(`${metric}${series}`))
      ?.split(' ')[1];
  expect(valueOf('_count{bank_profile="bank:SN"}')).toBe('2');
  expect(valueOf('_sum{bank_profile="bank:SN"}')).toBe(String(2 * 86_400 + 1 + 2_700 / 60));
  expect(valueOf('_bucket{bank_profile="bank:SN",le="10"}')).toBe('0');
  expect(valueOf('_bucket{bank_profile="bank:SN",le="60"}')).toBe('1');
  expect(valueOf('_bucket{bank_profile="bank:SN",le="172800"}')).toBe('1');
  expect(valueOf('_bucket{bank_profile="bank:SN",le="259200"}')).toBe('2');
});

it('counts findings by profile, so that a rate of mismatches can be had', async () => {
  const text = await scraped(({ found }) => {
    for (let count = 0; count < 98; count++) found({ profile: 'bank:SN', kind: 'matched', refused: false });
    found({ profile: 'bank:SN', kind: 'matched', refused: true });
    found({ profile: 'bank:SN', kind: 'mismatch', refused: false });
  });
  expect(text).toContain('kora_reconciliation_findings_total{bank_profile="bank:SN",finding="matched"} 99\n');
  expect(text).toContain('kora_reconciliation_findings_total{bank_profile="bank:SN",finding="mismatch"} 1\n');
  expect(text).toContain('kora_reconciliation_refusals_total{bank_profile="bank:SN"} 1\n');
});

it('says how old open cases are, how many are overdue, and 0 of a kind without any', async () => {
  const insert = (id: string, kind: string, openedAt: string, dueAt: string, endedAt: string | null) =>
    pool.query(
      `insert into reconciliation.cases (id, version, state, kind, profile, line_ids, expectation_ids, opened_at, due_at,
         ended_at, proposed, working, view)
       values ($1, 1, case when $5::timestamptz is null then 'OPEN' else 'RESOLVED' end, $2, 'bank:SN', '{}', '{}', $3, $4,
         $5, false, false, '{}')`,
      [id, kind, openedAt, dueAt, endedAt],
    );
  await insert('1', 'mismatch', '2026-11-27T11:00:00Z', '2026-11-29T11:00:00Z', null);
  await insert('2', 'mismatch', '2026-11-24T12:00:00Z', '2026-11-26T12:00:00Z', null);
  await insert('3', 'mismatch', '2026-10-01T12:00:00Z', '2026-10-03T12:00:00Z', '2026-10-02T00:00:00Z');
  await insert('4', 'displaced', '2026-11-07T12:00:00Z', '2026-11-08T12:00:00Z', null);
  const text = await scraped(({ cases }) => cases(() => caseFigures(pool, now)));
  const series = text.split('\n').filter((line) => /^kora_cases_\w+\{.*\} (?!0$)/.test(line));
  expect(series.sort()).toEqual([
    'kora_cases_oldest_seconds{kind="displaced"} 1728000',
    'kora_cases_oldest_seconds{kind="mismatch"} 259200',
    'kora_cases_open{kind="displaced",days=">7"} 1',
    'kora_cases_open{kind="mismatch",days="0-1"} 1',
    'kora_cases_open{kind="mismatch",days="2-7"} 1',
    'kora_cases_overdue{kind="displaced"} 1',
    'kora_cases_overdue{kind="mismatch"} 1',
  ]);
  expect(text).toContain('kora_cases_overdue{kind="missing_internal"} 0\n');
  expect(text.match(/^kora_cases_open\{/gm)).toHaveLength(15);
});
