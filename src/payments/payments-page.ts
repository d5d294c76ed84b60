import type pg from 'pg';
import type { Runtime } from '../actors/runtime.ts';
import { keyAfter, type ListName, type Page, type PageOf, pageOf } from '../kernel/page.ts';
import type { PaymentKind, PaymentStatus } from '../machines/payment/payment.facts.ts';
import { POSTINGS } from '../machines/payment/postings.ts';
import type { PaymentView } from '../machines/payment/view.ts';
import { paymentOf, type PaymentRow } from '../projections/queries.ts';
import { viewOfRow } from './row-view.ts';

export interface PaymentFilter {
  /** Payer or payee is one of them. */
  readonly accounts?: readonly string[];
  readonly status?: PaymentStatus;
  readonly kind?: PaymentKind;
  /** Made at or after this instant (recorded time, ISO 8601). */
  readonly from?: string;
  /** Made before this instant. */
  readonly to?: string;
}

/** Milliseconds since 1970, and the id: many payments are recorded in one instant. */
const keyShape = [/^[0-9]{1,15}$/, /^[A-Za-z0-9_-]{1,64}$/];

/** A page of payments, the newest first. */
export async function paymentsPage(
  { runtime, pool }: { readonly runtime: Pick<Runtime, 'payment'>; readonly pool: pg.Pool },
  list: ListName,
  filter: PaymentFilter,
  page: Page,
): Promise<PageOf<PaymentView>> {
  const key = keyAfter(list, page, keyShape);
  if (filter.accounts?.length === 0) return { items: [] };
  const { text, values } = paymentsQuery(filter, key, page.limit + 1);
  const { rows } = await pool.query<Record<string, unknown>>(text, values);
  const { items, next } = pageOf(list, page, rows.map(paymentOf), ({ createdAt, id }) => [
    String(Date.parse(createdAt)),
    id,
  ]);
  const views = await Promise.all(items.map((row) => viewOf(runtime, row)));
  return { items: views, ...(next !== undefined && { next }) };
}

/** The table does not keep the figures that explain a failure: the payment does. */
async function viewOf(runtime: Pick<Runtime, 'payment'>, row: PaymentRow): Promise<PaymentView> {
  const durable = row.status === 'FAILED' ? await runtime.payment(row.id) : undefined;
  return durable ?? viewOfRow(row);
}

const kinds = Object.keys(POSTINGS);

/**
 * The query of a page, for the test that looks at its plan as well. Every branch is read along an index in the order of
 * the page and gives no more than the page holds, whatever the size of the table:
 * - of accounts: by payer and by payee, each account for itself;
 * - of a status that payments do not stay in: by status;
 * - of all: by kind, each kind for itself.
 */
export function paymentsQuery(
  { accounts, status, kind, from, to }: PaymentFilter,
  after: readonly string[] | undefined,
  limit: number,
): { text: string; values: unknown[] } {
  const values: unknown[] = [limit];
  const conditions: string[] = [];
  // A constant and not a parameter: then the planner knows that a partial index will do. It is one of six words.
  if (status !== undefined) conditions.push(`p.status = '${statusWord(status)}'`);
  if (from !== undefined) conditions.push(`p.created_at >= $${values.push(from)}`);
  if (to !== undefined) conditions.push(`p.created_at < $${values.push(to)}`);
  if (after !== undefined) {
    const at = `$${values.push(new Date(Number(after[0])).toISOString())}::timestamptz`;
    // The first condition says nothing that the second does not; it is the one that an index takes.
    conditions.push(`p.created_at <= ${at}`, `(p.created_at, p.id) < (${at}, $${values.push(after[1])})`);
  }
  if (kind !== undefined) conditions.push(`p.kind = $${values.push(kind)}`);
  const order = 'order by p.created_at desc, p.id desc limit $1';
  const branch = (...source: readonly string[]): string => {
    const all = [...source, ...conditions];
    return `(select p.* from projections.payments p where ${all.join(' and ')} ${order})`;
  };
  if (accounts !== undefined) {
    // A payment between two of the accounts is found twice.
    const text = `select distinct on (p.created_at, p.id) p.* from unnest($${values.push(accounts)}::text[]) as a (id)
      cross join lateral (${branch('p.payer = a.id')} union all ${branch('p.payee = a.id')}) p ${order}`;
    return { text, values };
  }
  if (kind !== undefined || (status !== undefined && status !== 'SETTLED')) return { text: branch(), values };
  const text = `select p.* from unnest($${values.push(kinds)}::text[]) as k (id)
    cross join lateral ${branch('p.kind = k.id')} p ${order}`;
  return { text, values };
}

const statuses: Readonly<Record<PaymentStatus, true>> = {
  INITIATED: true,
  AUTHORIZED: true,
  CAPTURED: true,
  SETTLED: true,
  FAILED: true,
  REVERSED: true,
};

/** What a door let through unchecked does not become SQL. */
function statusWord(status: string): string {
  if (!Object.hasOwn(statuses, status)) throw new TypeError(`no status of a payment: ${status}`);
  return status;
}
