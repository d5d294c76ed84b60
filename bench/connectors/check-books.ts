import pg from 'pg';
import type { Totals } from '../../ops/provider/bank.ts';
import { type CaseContext, mustHold } from '../harness/case.ts';
import { currency } from '../load/p2p.ts';

/**
 * Checks that what the providers say they did is what the log says: each payment once and settled, nobody paid twice, and
 * money to the last minor unit.
 *
 * @param expected payments that were made, by the name of the profile
 */
export async function checkBooks(
  { database }: Pick<CaseContext, 'database'>,
  kind: 'CASH_OUT' | 'PAYOUT',
  expected: ReadonlyMap<string, { readonly payments: number; readonly totals: Totals }>,
): Promise<void> {
  const client = new pg.Client(database);
  await client.connect();
  try {
    const { rows: sums } = await client.query<{ stream: string; sum: string }>(
      `select stream, sum((e -> 'data' ->> 'amount')::numeric)::text as sum
       from eventstore.log, json_array_elements(events) e
       where stream not like 'payment/%' and e ->> 'type' = 'EntryPosted' group by stream`,
    );
    const sumOf = new Map(sums.map(({ stream, sum }) => [stream, BigInt(sum)]));
    const all = [...sumOf.values()].reduce((sum, one) => sum + one, 0n);
    mustHold(all === 0n, `the entries sum to ${all}`);
    const { rows: settled } = await client.query<{ provider: string; settled: string; streams: string }>(
      `with made as (
         select stream, e -> 'data' ->> 'provider' as provider from eventstore.log, json_array_elements(events) e
         where stream like 'payment/%' and e ->> 'type' = 'PaymentInitiated' and e -> 'data' ->> 'kind' = $1
       )
       select provider, count(*) as streams, sum((
         select count(*) from eventstore.log l, json_array_elements(l.events) e
         where l.stream = made.stream and e ->> 'type' = 'PaymentSettled'
       )) as settled from made group by provider`,
      [kind],
    );
    for (const [profile, { payments, totals }] of expected) {
      const found = settled.find(({ provider }) => provider === profile);
      const { disbursed } = totals.moved[currency] ?? { disbursed: { count: 0, amount: '0', fees: '0' } };
      const [amount, fees] = [BigInt(disbursed.amount), BigInt(disbursed.fees)];
      const system = (account: string): bigint => sumOf.get(`system/${account}:${profile}:${currency}`) ?? 0n;
      const agreeing: [what: string, found: unknown, wanted: unknown][] = [
        ['payments in the log', found?.streams, String(payments)],
        ['settled', found?.settled, String(payments)],
        ['paid by the provider', disbursed.count, payments],
        ['payments that the provider has open', totals.pending + totals.refused, 0],
        ['references that were paid twice', totals.doubles.length, 0],
        ['float', system('float'), amount + fees],
        ['cost', system('cost'), -fees],
        ['payable', system('payable'), 0n],
      ];
      for (const [what, is, wanted] of agreeing)
        mustHold(is === wanted, `${profile}, ${what}: ${String(is)}, not ${String(wanted)}`);
    }
    mustHold((sumOf.get(`system/suspense:${currency}`) ?? 0n) === 0n, 'money is in suspense');
  } finally {
    await client.end();
  }
}
