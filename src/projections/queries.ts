import type pg from 'pg';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Position } from '../../eventstore/index.ts';
import type { ConnectorView } from '../machines/connector/view.ts';

/** Amounts are minor units; times ISO 8601 in UTC. What is null in the database is undefined here. */
export interface AccountRow {
  readonly id: string;
  /** customer, merchant, treasury, or the class of a system account: float, receivable, payable, clearing … */
  readonly class: string;
  readonly currency: string;
  readonly posted: bigint;
  /** Wallets only, like `limit`, `available` (posted − held + limit) and `status`. */
  readonly held: bigint | undefined;
  readonly limit: bigint | undefined;
  readonly available: bigint | undefined;
  readonly status: string | undefined;
  /** Merchants only. */
  readonly feeBps: number | undefined;
  /** `user:<id>`; wallets only, and not of those that are nobody's. */
  readonly owner: string | undefined;
  /** Facts on the account; of a system account they are all entries. */
  readonly version: number;
  readonly createdAt: string | undefined;
  readonly updatedAt: string;
  /** Of its last fact. */
  readonly position: Position;
}

export interface PaymentRow {
  readonly id: string;
  readonly kind: string;
  readonly status: string;
  readonly amount: bigint;
  readonly currency: string;
  readonly payer: string | undefined;
  readonly payee: string | undefined;
  readonly provider: string | undefined;
  readonly original: string | undefined;
  readonly payout: string | undefined;
  readonly beneficiary: string | undefined;
  readonly rail: string | undefined;
  readonly authorized: bigint;
  readonly held: bigint;
  readonly captured: bigint;
  readonly refunded: bigint;
  readonly fee: bigint;
  readonly providerFee: bigint;
  readonly reason: string | undefined;
  readonly expiresAt: string | undefined;
  readonly settlesAt: string | undefined;
  readonly version: number;
  readonly createdAt: string;
  readonly createdEffectiveAt: string;
  readonly updatedAt: string;
  readonly updatedEffectiveAt: string;
  readonly position: Position;
}

type Row = Record<string, unknown>;
const big = (value: unknown): bigint => BigInt((value ?? '0') as string);
const optionalBig = (value: unknown): bigint | undefined => (value === null ? undefined : BigInt(value as string));
const text = (value: unknown): string | undefined => (value === null ? undefined : (value as string));
const instant = (value: unknown): string | undefined => (value === null ? undefined : (value as Date).toISOString());

/** A row of the view, as Postgres gives it. */
export function accountOf(row: Row): AccountRow {
  return {
    id: row['id'] as string,
    class: row['class'] as string,
    currency: row['currency'] as string,
    posted: big(row['posted']),
    held: optionalBig(row['held']),
    limit: optionalBig(row['overdraft_limit']),
    available: optionalBig(row['available']),
    status: text(row['status']),
    feeBps: (row['fee_bps'] as number | null) ?? undefined,
    owner: text(row['owner']),
    version: Number(row['version']),
    createdAt: instant(row['created_at']),
    updatedAt: instant(row['updated_at']) ?? '',
    position: Number(row['position']),
  };
}

/** A row of the view, as Postgres gives it. */
export function paymentOf(row: Row): PaymentRow {
  return {
    id: row['id'] as string,
    kind: row['kind'] as string,
    status: row['status'] as string,
    amount: big(row['amount']),
    currency: row['currency'] as string,
    payer: text(row['payer']),
    payee: text(row['payee']),
    provider: text(row['provider']),
    original: text(row['original']),
    payout: text(row['payout']),
    beneficiary: text(row['beneficiary']),
    rail: text(row['rail']),
    authorized: big(row['authorized']),
    held: big(row['held']),
    captured: big(row['captured']),
    refunded: big(row['refunded']),
    fee: big(row['fee']),
    providerFee: big(row['provider_fee']),
    reason: text(row['reason']),
    expiresAt: instant(row['expires_at']),
    settlesAt: instant(row['settles_at']),
    version: Number(row['version']),
    createdAt: instant(row['created_at']) ?? '',
    createdEffectiveAt: instant(row['created_effective_at']) ?? '',
    updatedAt: instant(row['updated_at']) ?? '',
    updatedEffectiveAt: instant(row['updated_effective_at']) ?? '',
    position: Number(row['position']),
  };
}

/** Those of the accounts that exist, in no order. */
export async function accountsById(pool: pg.Pool, ids: readonly string[]): Promise<AccountRow[]> {
  const { rows } = await pool.query<Row>('select * from projections.accounts where id = any($1)', [ids]);
  return rows.map(accountOf);
}

/** Those of the payments that exist, in no order. */
export async function paymentsById(pool: pg.Pool, ids: readonly string[]): Promise<PaymentRow[]> {
  const { rows } = await pool.query<Row>('select * from projections.payments where id = any($1)', [ids]);
  return rows.map(paymentOf);
}

/** Payments that name the account and are not final: the courtesy check before it is closed. May lag. */
export async function countOpenPayments(pool: pg.Pool, account: string): Promise<number> {
  const { rows } = await pool.query<{ count: string }>(
    // Two halves, because each has its own index; a payment from an account to itself is counted once.
    `select (select count(*) from projections.payments where payer = $1 and status in ('INITIATED', 'AUTHORIZED', 'CAPTURED'))
      + (select count(*) from projections.payments where payee = $1 and payer is distinct from $1
          and status in ('INITIATED', 'AUTHORIZED', 'CAPTURED')) as count`,
    [account],
  );
  return Number(rows[0]?.count ?? 0);
}

/** Connectors that are configured, and those whose breaker was ever anything but closed, by id. */
export async function connectorStates(pool: pg.Pool): Promise<ConnectorView[]> {
  const { rows } = await pool.query<Row>(
    `select coalesce(c.id, s.id) as id, coalesce(s.circuit_breaker_state, 'CLOSED') as circuit_breaker_state,
       coalesce(s.version, 0) as version, coalesce(s.failure_count, 0) as failure_count, s.open_until, s.reason,
       coalesce(s.forced, false) as forced
     from (select id from providers.connectors where retired_at is null) c
     full join projections.connector_states s on s.id = c.id order by 1`,
  );
  return rows.map((row): ConnectorView => {
    const [openUntil, reason] = [instant(row['open_until']), text(row['reason'])];
    return {
      connectorId: row['id'] as string,
      state: row['circuit_breaker_state'] as ConnectorView['state'],
      version: Number(row['version']),
      failures: row['failure_count'] as number,
      forced: row['forced'] as boolean,
      ...(openUntil !== undefined && { openUntil }),
      ...(reason !== undefined && { reason }),
    };
  });
}

export interface TrialBalanceRow {
  readonly currency: string;
  readonly accountClass: string;
  readonly debits: bigint;
  readonly credits: bigint;
  /** credits − debits; per currency they sum to zero. */
  readonly balance: bigint;
}

export async function trialBalance(pool: pg.Pool): Promise<TrialBalanceRow[]> {
  const { rows } = await pool.query<Row>('select * from projections.trial_balance order by currency, account_class');
  return rows.map((row) => ({
    currency: row['currency'] as string,
    accountClass: row['account_class'] as string,
    debits: big(row['debits']),
    credits: big(row['credits']),
    balance: big(row['balance']),
  }));
}

export interface DueDeadline {
  readonly paymentId: string;
  readonly kind: 'expire' | 'settle';
  readonly dueAt: string;
}

/** Deadlines that have come, the oldest first. */
export async function dueDeadlines(pool: pg.Pool, now: Date, limit: number): Promise<DueDeadline[]> {
  const { rows } = await pool.query<{ payment_id: string; kind: 'expire' | 'settle'; due_at: Date }>(
    `select payment_id, kind, due_at from projections.deadlines where due_at <= $1 order by due_at limit $2`,
    [now, limit],
  );
  return rows.map((row) => ({ paymentId: row.payment_id, kind: row.kind, dueAt: row.due_at.toISOString() }));
}

/** Payments that wait for a provider, or are with one. */
export interface WorkOfProviders {
  readonly paymentId: string;
  readonly provider: string;
  readonly state: 'ready' | 'told' | 'sent' | 'in_doubt' | 'captured';
}

/** One of so many parts of all payments, by their ids: a process has some of the parts. */
export function partitionOf(paymentId: string, partitions: number): number {
  return paymentId.charCodeAt(0) % partitions;
}

/**
 * What the dispatcher has to do for these providers, by id, after one. `ready`: nobody was told. `told`: it is with a
 * provider.
 */
export async function workOfProviders(
  pool: pg.Pool,
  ask: {
    readonly sort: 'ready' | 'told';
    readonly providers: readonly string[];
    readonly partitions: number;
    /** Of them. */
    readonly mine: readonly number[];
    readonly after: string | undefined;
    readonly limit: number;
  },
): Promise<WorkOfProviders[]> {
  const { sort, providers, partitions, mine, after = '', limit } = ask;
  const mineOnly = `provider = any($1) and ascii(payment_id) % $2 = any($3)`;
  const which = sort === 'ready' ? `state = 'ready'` : `state not in ('ready', 'asked')`;
  const text = `select payment_id, provider, state from projections.instructions
    where ${mineOnly} and ${which} and payment_id > $4 order by payment_id limit $5`;
  const { rows } = await pool.query<{ payment_id: string; provider: string; state: WorkOfProviders['state'] }>({
    name: `projections.work-${sort}`,
    text,
    values: [providers, partitions, mine, after, limit],
  });
  return rows.map(({ payment_id: paymentId, provider, state }) => ({ paymentId, provider, state }));
}

/** Slices of payouts that no provider has, by currency. */
export async function pendingSlices(pool: pg.Pool): Promise<{ readonly currency: string; readonly pending: number }[]> {
  const { rows } = await pool.query<{ currency: string; pending: string }>(
    `select currency, count(*) as pending from projections.payout_slices where status = 'pending' group by currency`,
  );
  return rows.map(({ currency, pending }) => ({ currency, pending: Number(pending) }));
}

/** Read your own writes: resolves with true when every projection (or those named) has the position, false at the limit. */
export async function waitForPosition(
  pool: pg.Pool,
  position: Position,
  timeoutMs: number,
  only?: readonly string[],
): Promise<boolean> {
  const deadline = performance.now() + timeoutMs;
  for (let pauseMs = 2; ; pauseMs = Math.min(pauseMs * 2, 20)) {
    const { rows } = await pool.query<{ position: string | null }>({
      name: 'projections.wait-for-position',
      text: 'select min(position) as position from projections.checkpoints where $1::text[] is null or projection = any($1)',
      values: [only ?? null],
    });
    const reached = rows[0]?.position ?? null;
    if (reached !== null && Number(reached) >= position) return true;
    if (performance.now() >= deadline) return false;
    await sleep(pauseMs);
  }
}
