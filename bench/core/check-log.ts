import pg from 'pg';
import { type CaseContext, mustHold } from '../harness/case.ts';
import { openingBalance, walletsCount } from '../load/p2p.ts';

/**
 * Checks that the log holds exactly the payments that were answered, each in its four steps, and that money adds up.
 *
 * @returns payments per commit, on average, as the log has them
 */
export async function checkLog({ database }: Pick<CaseContext, 'database'>, payments: number): Promise<number> {
  const client = new pg.Client(database);
  await client.connect();
  try {
    const { rows } = await client.query<Record<string, string | null>>(
      `with log as materialized (
         select stream, position, count, events from eventstore.log
       ), payment as (
         select stream, (select string_agg(e ->> 'type', ' ') from json_array_elements(events) e) as steps
         from log where stream like 'payment/%' and events ->> 0 like '%"P2P"%'
       ), entry as (
         select stream, (e -> 'data' ->> 'amount')::numeric as amount, e -> 'data' -> 'after' ->> 'posted' as posted, position, n
         from log, json_array_elements(events) with ordinality as events (e, n)
         where stream not like 'payment/%' and e ->> 'type' = 'EntryPosted'
       ), wallet as (
         select stream, sum(amount) as entries, (array_agg(posted order by position desc, n desc))[1]::numeric as posted
         from entry where stream like 'account/%' group by stream
       )
       select
         (select count(*) from payment) as payments,
         (select count(distinct stream) from payment) as streams,
         (select count(*) from payment
           where steps = 'PaymentInitiated PaymentAuthorized PaymentCaptured PaymentSettled') as settled,
         (select sum(amount) from entry) as sum,
         (select sum(posted) from wallet) as posted,
         (select count(*) from wallet where posted <> entries) as wrong,
         (select sum(count) from log) - (select max(position + count - 1) from log) as missing,
         (select count(*) from eventstore.commits) as commits`,
    );
    const found = rows[0] ?? {};
    const expected = {
      payments: String(payments),
      streams: String(payments),
      settled: String(payments),
      sum: '0',
      posted: String(openingBalance * BigInt(walletsCount)),
      wrong: '0',
      missing: '0',
    };
    for (const [name, value] of Object.entries(expected)) {
      mustHold(found[name] === value, `the log has ${name} = ${String(found[name])}, not ${value}`);
    }
    return payments / Number(found['commits']);
  } finally {
    await client.end();
  }
}
