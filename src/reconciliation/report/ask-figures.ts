import type pg from 'pg';
import {
  type Age,
  ageOf,
  ages,
  type AccountFigures,
  type CountedAmount,
  type PositionFigures,
  type ReportFigures,
} from './figures.ts';

/** What the report asks of others. Amounts are minor units. */
export interface ReportPorts {
  /** What the statements of the day say that a provider's accounts opened and closed with, together, by currency. */
  statementBalances(
    date: string,
    profile: string,
  ): Promise<readonly { readonly currency: string; readonly opening?: bigint; readonly closing?: bigint }[]>;
  /** Posted balance of an account of the ledger, credit +; undefined: there is no such account. */
  posted(accountId: string): Promise<bigint | undefined>;
}

interface LineSums {
  readonly profile: string;
  readonly account: string;
  readonly currency: string;
  readonly days: number;
  readonly state: string;
  readonly is_fee: boolean;
  readonly credits: string;
  readonly debits: string;
  readonly count: string;
}
interface NetSums {
  readonly profile: string;
  readonly currency: string;
  readonly count: string;
  readonly amount: string;
  readonly net: string;
}

/** Asks for the figures of a day. @param pool reconciliation's own database */
export async function askFigures(
  pool: pg.Pool,
  ports: ReportPorts,
  { date, profile, now }: { readonly date: string; readonly profile?: string; readonly now: Date },
): Promise<ReportFigures> {
  const wanted = [date, profile ?? null];
  const booked = `coalesce((l.body::jsonb->>'entryDate')::date, l.value_date)`;
  const lines = await pool.query<LineSums>(
    `select l.profile, l.account, l.currency, $1::date - ${booked} as days, coalesce(s.state, 'OPEN') as state,
       coalesce(b.booked_as = 'fee', false) as is_fee, sum(greatest(l.amount, 0)) as credits,
       sum(greatest(-l.amount, 0)) as debits, count(*) as count
     from reconciliation.lines l left join reconciliation.line_states s on s.line = l.number
       left join reconciliation.line_bookings b on b.line_id = l.id
     where ${booked} <= $1::date and ($2::text is null or l.profile = $2)
       and (${booked} = $1::date or coalesce(s.state, 'OPEN') in ('OPEN', 'MISMATCH', 'MISSING_INTERNAL'))
     group by 1, 2, 3, 4, 5, 6`,
    wanted,
  );
  const unbooked = await pool.query<NetSums>(
    `select l.profile, l.currency, count(*) as count, sum(abs(l.amount)) as amount, sum(l.amount) as net
     from reconciliation.lines l left join reconciliation.line_bookings b on b.line_id = l.id
     where coalesce(b.booked_as, 'none') = 'none' and ${booked} <= $1::date and ($2::text is null or l.profile = $2)
     group by 1, 2`,
    wanted,
  );
  // The ledger's float moved by the amount and the provider's fee: less comes in, more goes out.
  const unseen = await pool.query<NetSums>(
    `select e.profile, e.currency, count(*) as count, sum(e.amount) as amount,
       sum(case e.direction when 'in' then e.amount else -e.amount end - coalesce((p.seen->>'fee')::numeric, 0)) as net
     from reconciliation.expectations e left join reconciliation.expectation_states s on s.expectation = e.number
       join reconciliation.payments_seen p on p.payment_id = e.id
     where s.state is distinct from 'MATCHED' and p.seen->>'status' = 'SETTLED' and e.date <= $1::date
       and ($2::text is null or e.profile = $2)
     group by 1, 2`,
    wanted,
  );
  const accounts = accountsOf(lines.rows);
  const pairs = new Map<string, { profile: string; currency: string }>();
  for (const { profile: of, currency } of [...accounts, ...unbooked.rows, ...unseen.rows])
    pairs.set(`${of} ${currency}`, { profile: of, currency });
  const positions: PositionFigures[] = [];
  for (const pair of pairs.values())
    positions.push(await positionOf(pair, date, ports, netOf(unbooked.rows, pair), netOf(unseen.rows, pair)));
  return { date, asOf: now.toISOString(), accounts, positions };
}

async function positionOf(
  { profile, currency }: { readonly profile: string; readonly currency: string },
  date: string,
  ports: ReportPorts,
  unbooked: PositionFigures['unbooked'],
  unseen: PositionFigures['unseen'],
): Promise<PositionFigures> {
  const [said, float = 0n, receivable = 0n, payable = 0n] = await Promise.all([
    ports.statementBalances(date, profile),
    ports.posted(`float:${profile}:${currency}`),
    ports.posted(`receivable:${profile}:${currency}`),
    ports.posted(`payable:${profile}:${currency}`),
  ]);
  const { opening, closing } = said.find((one) => one.currency === currency) ?? {};
  return {
    profile,
    currency,
    ...(opening !== undefined && { opening }),
    ...(closing !== undefined && { closing }),
    // The ledger is credit-normal: what we have is below zero there.
    float: -float,
    receivable: -receivable,
    payable,
    unbooked,
    unseen,
  };
}

function netOf(rows: readonly NetSums[], pair: { profile: string; currency: string }): PositionFigures['unbooked'] {
  const row = rows.find((one) => one.profile === pair.profile && one.currency === pair.currency);
  return { count: Number(row?.count ?? 0), amount: BigInt(row?.amount ?? 0), net: BigInt(row?.net ?? 0) };
}

function accountsOf(rows: readonly LineSums[]): AccountFigures[] {
  const none: CountedAmount = { count: 0, amount: 0n };
  const accounts = new Map<string, AccountFigures>();
  for (const row of rows) {
    const { profile, account, currency, state, days } = row;
    const key = JSON.stringify([profile, account, currency]);
    const empty = Object.fromEntries(ages.map((age) => [age, none])) as Record<Age, CountedAmount>;
    const before = accounts.get(key) ?? {
      ...{ profile, account, currency, in: 0n, out: 0n, fees: 0n, matched: none, known: none },
      open: empty,
    };
    const [credits, debits] = [BigInt(row.credits), BigInt(row.debits)];
    const counted: CountedAmount = { count: Number(row.count), amount: credits + debits };
    const isToday = days === 0;
    const isOpen = state === 'OPEN' || state === 'MISMATCH' || state === 'MISSING_INTERNAL';
    const age = ageOf(days);
    accounts.set(key, {
      ...before,
      ...(isToday && !row.is_fee && { in: before.in + credits, out: before.out + debits }),
      ...(isToday && row.is_fee && { fees: before.fees + debits - credits }),
      ...(isToday && state === 'MATCHED' && { matched: added(before.matched, counted) }),
      ...(isToday && state === 'KNOWN' && { known: added(before.known, counted) }),
      ...(isOpen && { open: { ...before.open, [age]: added(before.open[age], counted) } }),
    });
  }
  return [...accounts.values()];
}

function added(a: CountedAmount, b: CountedAmount): CountedAmount {
  return { count: a.count + b.count, amount: a.amount + b.amount };
}
