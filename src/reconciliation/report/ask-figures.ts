import type pg from 'pg';
import {
  type Age,
  ageOf,
  ages,
  type AccountFigures,
  type CountedAmount,
  type CountedNet,
  type PositionFigures,
  type ReportFigures,
  type StatedBalances,
} from './figures.ts';

/** What the report asks of others. Amounts are minor units. */
export interface ReportPorts {
  /** Every account that a provider ever sent a statement of, and what its statements say of the day. */
  statementBalances(date: string, profile: string): Promise<readonly AccountStated[]>;
  /** Posted balance of an account of the ledger, credit +; undefined: there is no such account. */
  posted(accountId: string): Promise<bigint | undefined>;
}

export interface AccountStated extends StatedBalances {
  /** As lines carry it. */
  readonly account: string;
  readonly last4: string;
  readonly currency: string;
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
interface NetSums extends Place {
  readonly what: 'unbooked' | 'later' | 'unseen' | 'in' | 'out';
  readonly count: string;
  readonly amount: string;
  readonly net: string;
}
interface Place {
  readonly profile: string;
  readonly currency: string;
}

/** Asks for the figures of a day. @param pool reconciliation's own database */
export async function askFigures(
  pool: pg.Pool,
  ports: ReportPorts,
  { date, profile, now }: { readonly date: string; readonly profile?: string; readonly now: Date },
): Promise<ReportFigures> {
  const wanted = [date, profile ?? null];
  const { rows: lines } = await pool.query<LineSums>(linesSql, wanted);
  const { rows: unbooked } = await pool.query<NetSums>(bookingsSql, wanted);
  const { rows: payments } = await pool.query<NetSums>(paymentsSql, [profile ?? null]);
  const nets = [...unbooked, ...payments];
  const profiles = new Set([...lines, ...nets].map((one) => one.profile));
  if (profile !== undefined) profiles.add(profile);
  const stated = new Map<string, readonly AccountStated[]>();
  for (const one of profiles) stated.set(one, await ports.statementBalances(date, one));
  const accounts = accountsOf(lines, stated);
  const places = new Map<string, Place>();
  for (const { profile: of, currency } of [...accounts, ...nets])
    places.set(JSON.stringify([of, currency]), { profile: of, currency });
  const positions: PositionFigures[] = [];
  for (const place of places.values()) positions.push(await positionOf(place, ports, nets));
  return { date, asOf: now.toISOString(), accounts, positions };
}

const booked = `coalesce((l.body::jsonb->>'entryDate')::date, l.value_date)`;

const linesSql = `
select l.profile, l.account, l.currency, $1::date - ${booked} as days, coalesce(s.state, 'OPEN') as state,
  coalesce(b.booked_as = 'fee', false) as is_fee, sum(greatest(l.amount, 0)) as credits,
  sum(greatest(-l.amount, 0)) as debits, count(*) as count
from reconciliation.lines l left join reconciliation.line_states s on s.line = l.number
  left join reconciliation.line_bookings b on b.line_id = l.id
where ${booked} <= $1::date and ($2::text is null or l.profile = $2)
  and (${booked} = $1::date or coalesce(s.state, 'OPEN') in ('OPEN', 'MISMATCH', 'MISSING_INTERNAL'))
group by 1, 2, 3, 4, 5, 6`;

const bookingsSql = `
select l.profile, l.currency, case when ${booked} <= $1::date then 'unbooked' else 'later' end as what,
  count(*) as count, sum(abs(l.amount)) as amount, sum(l.amount) as net
from reconciliation.lines l left join reconciliation.line_bookings b on b.line_id = l.id
where (coalesce(b.booked_as, 'none') = 'none') = (${booked} <= $1::date) and ($2::text is null or l.profile = $2)
group by 1, 2, 3`;

// The ledger's float moved by the amount and the provider's fee: less comes in, more goes out. All of them, whatever their
// day: the float is of now.
const paymentsSql = `
select e.profile, e.currency,
  case when p.seen->>'status' = 'SETTLED' then 'unseen' else e.direction end as what,
  count(*) as count, sum(e.amount) as amount,
  sum(case e.direction when 'in' then e.amount else -e.amount end - coalesce((p.seen->>'fee')::numeric, 0)) as net
from reconciliation.expectations e left join reconciliation.expectation_states s on s.expectation = e.number
  join reconciliation.payments_seen p on p.payment_id = e.id
where ($1::text is null or e.profile = $1) and (p.seen->>'status' = 'CAPTURED'
  or p.seen->>'status' = 'SETTLED' and s.state is distinct from 'MATCHED')
group by 1, 2, 3`;

async function positionOf(place: Place, ports: ReportPorts, nets: readonly NetSums[]): Promise<PositionFigures> {
  const { profile, currency } = place;
  const [float = 0n, receivable = 0n, payable = 0n] = await Promise.all(
    ['float', 'receivable', 'payable'].map((kind) => ports.posted(`${kind}:${profile}:${currency}`)),
  );
  const netOf = (what: NetSums['what']): CountedNet => {
    const row = nets.find((one) => one.profile === profile && one.currency === currency && one.what === what);
    return { count: Number(row?.count ?? 0), amount: BigInt(row?.amount ?? 0), net: BigInt(row?.net ?? 0) };
  };
  const counted = ({ count, amount }: CountedNet): CountedAmount => ({ count, amount });
  return {
    profile,
    currency,
    // The ledger is credit-normal: what we have is below zero there.
    float: -float,
    receivable: -receivable,
    payable,
    ...{ unbooked: netOf('unbooked'), later: netOf('later'), unseen: netOf('unseen') },
    awaited: { in: counted(netOf('in')), out: counted(netOf('out')) },
  };
}

/** Of every account that lines or statements know. */
function accountsOf(
  rows: readonly LineSums[],
  stated: ReadonlyMap<string, readonly AccountStated[]>,
): AccountFigures[] {
  const accounts = new Map<string, AccountFigures>();
  const keyOf = (profile: string, account: string, currency: string): string =>
    JSON.stringify([profile, account, currency]);
  for (const [profile, all] of stated)
    for (const one of all) accounts.set(keyOf(profile, one.account, one.currency), { profile, ...nothing(), ...one });
  for (const row of rows) {
    const { profile, account, currency } = row;
    const key = keyOf(profile, account, currency);
    accounts.set(key, withLines(accounts.get(key) ?? { profile, account, currency, ...nothing() }, row));
  }
  return [...accounts.values()];
}

const none: CountedAmount = { count: 0, amount: 0n };
function nothing(): Pick<AccountFigures, 'in' | 'out' | 'fees' | 'matched' | 'known' | 'open'> {
  const open = Object.fromEntries(ages.map((age) => [age, none])) as Record<Age, CountedAmount>;
  return { in: 0n, out: 0n, fees: 0n, matched: none, known: none, open };
}

function withLines(before: AccountFigures, { state, days, is_fee: isFee, ...row }: LineSums): AccountFigures {
  const [credits, debits] = [BigInt(row.credits), BigInt(row.debits)];
  const counted: CountedAmount = { count: Number(row.count), amount: credits + debits };
  const isToday = days === 0;
  const isOpen = state === 'OPEN' || state === 'MISMATCH' || state === 'MISSING_INTERNAL';
  const age = ageOf(days);
  return {
    ...before,
    ...(isToday && !isFee && { in: before.in + credits, out: before.out + debits }),
    ...(isToday && isFee && { fees: before.fees + debits - credits }),
    ...(isToday && state === 'MATCHED' && { matched: added(before.matched, counted) }),
    ...(isToday && state === 'KNOWN' && { known: added(before.known, counted) }),
    ...(isOpen && { open: { ...before.open, [age]: added(before.open[age], counted) } }),
  };
}

function added(a: CountedAmount, b: CountedAmount): CountedAmount {
  return { count: a.count + b.count, amount: a.amount + b.amount };
}
