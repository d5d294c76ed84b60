import type pg from 'pg';
import type { BalanceRecord } from '../statements/statement-balances.ts';

/** Keeps what statements of a file say. One that is kept already stays: an import that broke off reads the file again. */
export async function insertBalances(
  client: pg.ClientBase,
  rawStatementId: string,
  profile: string,
  records: readonly BalanceRecord[],
): Promise<void> {
  await client.query({
    name: 'providers.insert-statement-balances',
    text: `insert into providers.statement_balances (raw_statement_id, bank_profile_id, ordinal, account_hash, account_last4,
        currency, sequence, page, opening, closing, day, lines_from, lines_to)
      select $1, $2, b.* from jsonb_to_recordset($3::jsonb) as b (ordinal int, account_hash text, account_last4 text,
        currency text, sequence text, page int, opening numeric, closing numeric, day date, lines_from date, lines_to date)
      on conflict do nothing`,
    values: [rawStatementId, profile, JSON.stringify(records)],
  });
}

/** An account at a bank, and what its statements say of a day. Minor units, credit +. */
export interface AccountBalances {
  /** The keyed hash that its lines carry. */
  readonly account: string;
  /** Its last four characters, by which a person knows it. */
  readonly last4: string;
  readonly currency: string;
  /** Of the day; undefined: no statement says it. */
  readonly opening?: bigint;
  readonly closing?: bigint;
  /** Where the closing balance is of an earlier day, and nothing was booked since: that day. */
  readonly closingDay?: string;
}

/**
 * What the statements that count say of each account of a profile that ever had one. Of several of the day the first opens
 * and the last closes it. A statement with lines of earlier days does not say what the day opened with. On a day without a
 * statement the last closing balance holds, unless lines were booked behind it.
 */
export async function balancesOn(pool: pg.Pool, profile: string, day: string): Promise<AccountBalances[]> {
  const { rows } = await pool.query<{
    account: string;
    last4: string;
    currency: string;
    opening: string | null;
    closing: string | null;
    closing_day: string | null;
  }>(
    `with told as (
       select b.*, r.received_at, case when b.sequence ~ '^[0-9]{1,18}$' then b.sequence::bigint end as number
       from providers.statement_balances b join providers.bank_statements_raw r on r.id = b.raw_statement_id
       where b.bank_profile_id = $1 and r.status in ('parsed', 'received')
     ), accounts as (
       select account_hash, currency, min(account_last4) as last4 from told group by 1, 2
     )
     select a.account_hash as account, a.last4, a.currency,
       case when last.day < $2::date then last.closing when first.lines_from < $2::date then null else first.opening end as opening,
       last.closing, last.day::text as closing_day
     from accounts a
       left join lateral (
         select t.opening, t.lines_from from told t
         where t.account_hash = a.account_hash and t.currency = a.currency and t.day = $2::date and t.opening is not null
         order by t.number, t.page, t.received_at, t.ordinal limit 1) first on true
       left join lateral (
         select t.closing, t.day from told t
         where t.account_hash = a.account_hash and t.currency = a.currency and t.day <= $2::date and t.closing is not null
           and not exists (
             select from told later where later.account_hash = a.account_hash and later.currency = a.currency
               and later.lines_to > t.day and later.lines_to <= $2::date)
         order by t.day desc, t.number desc nulls last, t.page desc nulls last, t.received_at desc, t.ordinal desc
         limit 1) last on true
     order by a.currency, a.last4, a.account_hash`,
    [profile, day],
  );
  return rows.map(({ account, last4, currency, opening, closing, closing_day: closingDay }) => ({
    account,
    last4,
    currency,
    ...(opening !== null && { opening: BigInt(opening) }),
    ...(closing !== null && { closing: BigInt(closing) }),
    ...(closingDay !== null && closingDay !== day && { closingDay }),
  }));
}
