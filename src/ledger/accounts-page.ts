import type pg from 'pg';
import { keyAfter, type Page, type PageOf, pageOf } from '../kernel/page.ts';
import { type AccountRow, accountOf } from '../projections/queries.ts';

export interface AccountFilter {
  /** `user:<id>`. */
  readonly owner?: string;
}

/** A wallet's id, or that of a system account. */
const keyShape = [/^[A-Za-z0-9_.:-]{1,200}$/];

/** A page of accounts in the order of their ids: all by the table's key, those of an owner by the index on owner and id. */
export async function accountsPage(pool: pg.Pool, { owner }: AccountFilter, page: Page): Promise<PageOf<AccountRow>> {
  const list = { list: 'accounts', owner };
  const [after] = keyAfter(list, page, keyShape) ?? [];
  const { text, values } = accountsQuery(owner, after, page.limit + 1);
  const { rows } = await pool.query<Record<string, unknown>>(text, values);
  return pageOf(list, page, rows.map(accountOf), ({ id }) => [id]);
}

/** The query of a page, for the test that looks at its plan as well. */
export function accountsQuery(
  owner: string | undefined,
  after: string | undefined,
  limit: number,
): { text: string; values: unknown[] } {
  const values: unknown[] = [limit];
  const conditions: string[] = [];
  if (owner !== undefined) conditions.push(`owner = $${values.push(owner)}`);
  if (after !== undefined) conditions.push(`id > $${values.push(after)}`);
  const where = conditions.length === 0 ? '' : `where ${conditions.join(' and ')}`;
  return { text: `select * from projections.accounts ${where} order by id limit $1`, values };
}
