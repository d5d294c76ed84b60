import pg from 'pg';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { accountsQuery } from '../../src/ledger/accounts-page.ts';
import { moduleRoles } from '../../src/modules.ts';
import { type PayoutFilter, payoutsQuery } from '../../src/payments/payouts-page.ts';
import { type PaymentFilter, paymentsQuery } from '../../src/payments/payments-page.ts';
import { asRole } from '../../src/platform/postgres/module-roles.ts';
import { installProjections, projections } from '../../src/projections/index.ts';
import { createTestDatabase, type TestDatabase } from '../support/postgres.ts';

/** Proves that no page of a list reads more of a big table than the page needs, however far back it is. */
const payments = 300_000;
const wallets = 20_000;
const payouts = 30_000;
/** A shop that a third of all payments go to: its pages are as cheap as those of a wallet with three. */
const fill = `
  insert into projections.payments_v1
    (id, kind, status, amount, currency, payer, payee, provider, captured, version, created_at, created_effective_at,
      updated_at, updated_effective_at, position)
  select md5(n::text), case when n % 3 = 0 then 'MERCHANT' when n % 100 = 1 then 'CASH_IN' when n % 1000 = 2 then 'FUNDING' else 'P2P' end,
    case when n % 500 = 0 then 'CAPTURED' when n % 700 = 1 then 'FAILED' else 'SETTLED' end, 5, 'XOF',
    'w' || n % ${wallets}, case when n % 3 = 0 then 'shop' else 'w' || (n + 1 + n % 97) % ${wallets} end, null, 5, 4,
    t.at, t.at, t.at, t.at, n * 6
  from generate_series(1, ${payments}) n
  cross join lateral (select timestamptz '2025-01-01' + n / 20 * interval '1 second' as at) t;
  insert into projections.accounts_v1 (id, class, currency, status, posted, held, overdraft_limit, owner, version, updated_at, position)
  select 'w' || n, 'customer', 'XOF', 'OPEN', 0, 0, 0, case when n % 2 = 0 then 'user:u' || n / 4 end, 1, now(), n
  from generate_series(0, ${wallets - 1}) n;
  insert into projections.payouts_v1 (id, payer, provider, beneficiary, amount, currency, state, slices, version, created_at, updated_at, position)
  select 'o' || n, 'till' || n % 5, 'bank:' || n % 7, 'b', 10, 'XOF', 'OPEN', 2, 1, t.at, t.at, n
  from generate_series(1, ${payouts}) n
  cross join lateral (select timestamptz '2025-01-01' + n / 20 * interval '1 second' as at) t;
  insert into projections.payout_slices_v1 (id, parent_payout_id, treasury_account_id, slice_amount, status, idempotency_key, currency)
  select md5((n * 2 + s)::text), 'o' || n, 'till', 5, 'pending', 'o' || n || '/' || s, 'XOF'
  from generate_series(1, ${payouts}) n, generate_series(1, 2) s;
  analyze projections.payouts_v1;
  analyze projections.payout_slices_v1;
  analyze projections.payments_v1;
  analyze projections.accounts_v1`;

interface Plan {
  readonly 'Node Type': string;
  readonly 'Relation Name'?: string;
  readonly 'Actual Rows'?: number;
  readonly 'Actual Loops'?: number;
  readonly 'Rows Removed by Filter'?: number;
  readonly 'Rows Removed by Index Recheck'?: number;
  readonly Plans?: readonly Plan[];
}

describe(`pages of ${payments} payments and ${wallets} accounts`, { timeout: 120_000 }, () => {
  let database: TestDatabase;
  let admin: pg.Pool;
  let pools: Record<'ledger' | 'payments', pg.Pool>;

  beforeAll(async () => {
    database = await createTestDatabase();
    admin = new pg.Pool(database.poolConfig);
    await installProjections(admin, projections);
    await admin.query(fill);
    const of = (module: 'ledger' | 'payments'): pg.Pool =>
      new pg.Pool(asRole(database.poolConfig, moduleRoles[module].role));
    pools = { ledger: of('ledger'), payments: of('payments') };
  }, 120_000);
  afterAll(async () => {
    await Promise.all([admin, ...Object.values(pools)].map((pool) => pool.end()));
    await database.drop();
  });

  async function explain(
    pool: pg.Pool,
    { text, values }: { text: string; values: unknown[] },
  ): Promise<{ scans: string[]; rowsRead: number }> {
    const { rows } = await pool.query<{ 'QUERY PLAN': [{ Plan: Plan }] }>(
      `explain (analyze, format json) ${text}`,
      values,
    );
    const nodes: Plan[] = [];
    const walk = (plan: Plan): void => {
      nodes.push(plan);
      plan.Plans?.forEach(walk);
    };
    walk((rows[0] as (typeof rows)[0])['QUERY PLAN'][0].Plan);
    const rowsRead = nodes
      .filter((node) => node['Relation Name'] !== undefined)
      .map((node) => {
        const each = ['Actual Rows', 'Rows Removed by Filter', 'Rows Removed by Index Recheck'] as const;
        return each.reduce((sum, name) => sum + (node[name] ?? 0), 0) * (node['Actual Loops'] ?? 1);
      })
      .reduce((sum, count) => sum + count, 0);
    return {
      scans: nodes.filter((node) => node['Node Type'] === 'Seq Scan').map(({ 'Relation Name': of }) => of ?? ''),
      rowsRead,
    };
  }

  const deep = [String(Date.parse('2025-01-01T01:00:00Z')), 'ffff'];
  const five = ['w4', 'w8', 'w12', 'w16', 'w20'];
  const cases: [what: string, filter: PaymentFilter, after: readonly string[] | undefined, rowsReadMax: number][] = [
    ['of all', {}, undefined, 500],
    ['of all, far back', {}, deep, 700],
    ['of a kind', { kind: 'P2P' }, deep, 200],
    ['of a rare kind', { kind: 'FUNDING' }, undefined, 100],
    ['of a status', { status: 'CAPTURED' }, undefined, 100],
    ['of a status, far back', { status: 'FAILED' }, deep, 100],
    ['of settled ones', { status: 'SETTLED' }, deep, 700],
    ['of a wallet', { accounts: ['w7'] }, undefined, 100],
    ['of a busy shop', { accounts: ['shop'] }, undefined, 200],
    ['of a busy shop, far back', { accounts: ['shop'] }, deep, 200],
    ['of a busy shop, in a rare state', { accounts: ['shop'], status: 'CAPTURED' }, deep, 200],
    ['of a busy shop, since an instant', { accounts: ['shop'], from: '2025-01-01T04:00:00Z' }, undefined, 200],
    [
      'of a busy shop, in an hour',
      { accounts: ['shop'], from: '2025-01-01T01:00:00Z', to: '2025-01-01T02:00:00Z' },
      undefined,
      200,
    ],
    ['of all wallets of somebody', { accounts: five }, undefined, 500],
  ];
  it.each(cases)('%s', async (_, filter, after, rowsReadMax) => {
    const query = paymentsQuery(filter, after, 21);
    const { scans, rowsRead } = await explain(pools.payments, query);
    expect(scans).toEqual([]);
    expect(rowsRead).toBeLessThan(rowsReadMax);
    expect((await pools.payments.query(query.text, query.values)).rowCount).toBeGreaterThan(0);
  });

  it.each<[string, PayoutFilter, readonly string[] | undefined]>([
    ['of all', {}, undefined],
    ['of all, far back', {}, [String(Date.parse('2025-01-01T00:10:00Z')), 'o']],
    ['of a treasury', { payer: 'till3' }, undefined],
    ['of a treasury, far back', { payer: 'till3' }, [String(Date.parse('2025-01-01T00:10:00Z')), 'o']],
    ['through a provider', { provider: 'bank:2' }, undefined],
  ])('of payouts with where their money is: %s', async (_, filter, after) => {
    const query = payoutsQuery(filter, after, 21);
    const { scans, rowsRead } = await explain(pools.payments, query);
    expect(scans).toEqual([]);
    // A page of payouts, and two slices with their payments of each.
    expect(rowsRead).toBeLessThan(21 * 5 + 30);
    expect((await pools.payments.query(query.text, query.values)).rowCount).toBe(21);
  });

  it('of accounts, and of those of an owner', async () => {
    for (const [owner, after, count] of [
      [undefined, undefined, 21],
      [undefined, 'w5000', 21],
      ['user:u77', undefined, 2],
      ['user:u77', 'w308', 1],
    ] as const) {
      const query = accountsQuery(owner, after, 21);
      const { scans, rowsRead } = await explain(pools.ledger, query);
      expect(scans).toEqual([]);
      expect(rowsRead).toBeLessThan(30);
      expect((await pools.ledger.query(query.text, query.values)).rowCount).toBe(count);
    }
  });
});
