import type pg from 'pg';
import { keyAfter, type Page, type PageOf, pageOf } from '../kernel/page.ts';
import { formatMinor } from '../kernel/money.ts';
import type { PayoutStatus } from '../machines/payout/payout.facts.ts';
import type { SliceStatus } from '../machines/payout/slice.machine.ts';
import { figuresOf, type PayoutFigures, type SliceSum } from './payout-status.ts';

export interface PayoutFilter {
  /** The treasury wallet. */
  readonly payer?: string;
  readonly provider?: string;
  /** Made at or after this instant (recorded time, ISO 8601). */
  readonly from?: string;
  /** Made before this instant. */
  readonly to?: string;
}

/** A payout in a list: without its slices, but with where its money is. */
export interface PayoutItem extends PayoutFigures {
  readonly payoutId: string;
  readonly state: PayoutStatus;
  readonly version: number;
  readonly amount: string;
  readonly currency: string;
  readonly payer: string;
  readonly provider: string;
  readonly beneficiary: string;
  readonly rail?: string;
  /** How many slices it was cut into. */
  readonly slices: number;
  readonly createdAt: string;
  readonly updatedAt: string;
}

/** Milliseconds since 1970, and the id: many payouts are recorded in one instant. */
const keyShape = [/^[0-9]{1,15}$/, /^[A-Za-z0-9_-]{1,64}$/];

/** A page of payouts, the newest first. */
export async function payoutsPage(pool: pg.Pool, filter: PayoutFilter, page: Page): Promise<PageOf<PayoutItem>> {
  const list = { list: 'payouts', ...filter };
  const { text, values } = payoutsQuery(filter, keyAfter(list, page, keyShape), page.limit + 1);
  const { rows } = await pool.query<PayoutRow>(text, values);
  const { items, next } = pageOf(list, page, rows, ({ created_at, id }) => [String(created_at.getTime()), id]);
  return { items: items.map(itemOf), ...(next !== undefined && { next }) };
}

/** The query of a page, for the test that looks at its plan as well: along an index, and no more than the page holds. */
export function payoutsQuery(
  { payer, provider, from, to }: PayoutFilter,
  after: readonly string[] | undefined,
  limit: number,
): { text: string; values: unknown[] } {
  const values: unknown[] = [limit];
  const conditions: string[] = [];
  if (payer !== undefined) conditions.push(`payer = $${values.push(payer)}`);
  if (provider !== undefined) conditions.push(`provider = $${values.push(provider)}`);
  if (from !== undefined) conditions.push(`created_at >= $${values.push(from)}`);
  if (to !== undefined) conditions.push(`created_at < $${values.push(to)}`);
  if (after !== undefined) {
    const at = `$${values.push(new Date(Number(after[0])).toISOString())}::timestamptz`;
    conditions.push(`(created_at, id) < (${at}, $${values.push(after[1])})`);
  }
  const where = conditions.length === 0 ? '' : `where ${conditions.join(' and ')}`;
  return {
    text: `select o.*, s.sums
      from (select * from projections.payouts ${where} order by created_at desc, id desc limit $1) o
      cross join lateral (
        select json_agg(json_build_object('status', b.status, 'amount', b.amount::text, 'returned', b.returned::text)) as sums
        from (
          select s.status, sum(s.slice_amount) as amount, coalesce(sum(p.refunded), 0) as returned
          from projections.payout_slices s left join projections.payments p on p.id = s.id
          where s.parent_payout_id = o.id group by s.status
        ) b
      ) s
      order by o.created_at desc, o.id desc`,
    values,
  };
}

interface PayoutRow {
  readonly id: string;
  readonly state: PayoutStatus;
  readonly version: string;
  readonly amount: string;
  readonly currency: string;
  readonly payer: string;
  readonly provider: string;
  readonly beneficiary: string;
  readonly rail: string | null;
  readonly slices: number;
  readonly created_at: Date;
  readonly updated_at: Date;
  readonly sums: readonly { readonly status: SliceStatus; readonly amount: string; readonly returned: string }[] | null;
}

function itemOf({ id, rail, sums, created_at, updated_at, ...row }: PayoutRow): PayoutItem {
  const amount = BigInt(row.amount);
  const slices = (sums ?? []).map((sum): SliceSum => ({
    status: sum.status,
    amount: BigInt(sum.amount),
    returned: BigInt(sum.returned),
  }));
  return {
    payoutId: id,
    state: row.state,
    version: Number(row.version),
    amount: formatMinor(amount),
    currency: row.currency,
    payer: row.payer,
    provider: row.provider,
    beneficiary: row.beneficiary,
    ...(rail !== null && { rail }),
    slices: row.slices,
    createdAt: created_at.toISOString(),
    updatedAt: updated_at.toISOString(),
    ...figuresOf({ state: row.state, amount }, slices),
  };
}
