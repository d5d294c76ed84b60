import { readFile } from 'node:fs/promises';
import pg from 'pg';
import { mustHold, type CaseContext, type Measured } from '../../harness/case.ts';
import { measure } from '../../harness/measure.ts';
import { currency, openingBalance, P2pSource, walletsCount } from '../../load/p2p.ts';

const connections = 20;

/** `peer.sqlFunction`: one call of a hand-written double-entry function per payment, over 20 connections. */
export async function run(context: CaseContext): Promise<Measured> {
  const { database, checkpoint } = context;
  const pool = new pg.Pool({ ...database, max: connections });
  await pool.query(await readFile(new URL('schema.sql', import.meta.url), 'utf8'));
  await pool.query('insert into ledger.balances select n, $1, $2 from generate_series(0, $3::bigint - 1) n', [
    currency,
    openingBalance,
    walletsCount,
  ]);
  await pool.query('vacuum analyze ledger.balances');
  await checkpoint();

  const source = new P2pSource();
  const idle = await Promise.all(Array.from({ length: connections }, () => pool.connect()));
  const send = async (): Promise<void> => {
    const { payer, payee, amount, key } = source.next();
    // As many connections as requests at work: there is always an idle one.
    const client = idle.pop() as pg.PoolClient;
    const { rows } = await client.query<{ state: string }>({
      name: 'transfer',
      text: 'select payment, state from ledger.transfer($1, $2, $3, $4)',
      values: [payer, payee, amount, key],
    });
    idle.push(client);
    mustHold(rows[0]?.state === 'SETTLED', `a transfer ended as ${rows[0]?.state ?? 'nothing'}`);
  };
  const result = await measure(context, { inFlight: connections, send });
  for (const client of idle) client.release();
  await mustAddUp(pool, result.answered);
  await pool.end();
  return {
    figures: [{ name: 'peer.sqlFunction', value: result.perSecond, unit: 'payments/s' }],
    notes: result.notes,
  };
}

async function mustAddUp(pool: pg.Pool, payments: number): Promise<void> {
  const { rows } = await pool.query<Record<'payments' | 'entries' | 'sum' | 'opened' | 'wrong', string>>(
    `select
       (select count(*) from ledger.payments) as payments,
       (select count(*) from ledger.entries) as entries,
       (select coalesce(sum(amount), 0) from ledger.entries) as sum,
       (select sum(balance) from ledger.balances) as opened,
       (select count(*) from ledger.balances b where b.balance <> $1::bigint
          + (select coalesce(sum(e.amount), 0) from ledger.entries e where e.account = b.account)) as wrong`,
    [openingBalance],
  );
  const [found] = rows;
  mustHold(found !== undefined, 'no answer');
  mustHold(found.payments === String(payments), `${payments} transfers were answered, ${found.payments} are there`);
  mustHold(found.entries === String(2 * payments), `${found.entries} entries for ${payments} transfers`);
  mustHold(found.sum === '0', `the entries sum to ${found.sum}`);
  mustHold(found.opened === String(openingBalance * BigInt(walletsCount)), 'the balances do not sum to what was there');
  mustHold(found.wrong === '0', `${found.wrong} balances differ from their entries`);
}
