import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { paymentIdOf } from '../../src/kernel/ids.ts';
import { kora, type Serving, type Spawned } from '../cli/kora-process.ts';
import { openScene, type Scene, until } from './support/scene.ts';

/**
 * Proves the whole way: what a bank's statement says settles the payments that it names, books fees, and puts the rest into
 * suspense, once, with reconciliation in the core's process and apart, killed in the middle and started again.
 */
describe.each(['in the process of the core', 'apart'] as const)('reconciliation %s', (where) => {
  let scene: Scene;
  let serving: Serving;
  /** Where whoever reconciles serves its metrics. */
  let metrics: string;
  /** And where it answers for reports. */
  let door: string;
  beforeAll(async () => {
    scene = await openScene();
  }, 60_000);
  afterAll(() => scene.close());

  /** Whoever reconciles. */
  async function reconciler(): Promise<Spawned> {
    const whoReconciles = where === 'apart' ? await scene.startApart() : await scene.startCore(scene.ownEnv);
    ({ metrics, http: door } = whoReconciles);
    if ('http' in whoReconciles && where !== 'apart') serving = whoReconciles as Serving;
    return whoReconciles;
  }
  const is = async (id: string, status: string): Promise<boolean> =>
    (await scene.call('GET', `/v1/payments/${id}`))['status'] === status;
  const books = async (): Promise<Record<string, string>> => ({
    float: await scene.posted('float:bank:SN:XOF'),
    receivable: await scene.posted('receivable:bank:SN:XOF'),
    cost: await scene.posted('cost:bank:SN:XOF'),
    suspense: await scene.posted('suspense:XOF'),
  });
  const statuses = async (): Promise<unknown[]> => {
    const { rows } = await scene.core.query<Record<string, unknown>>(
      `select reconciliation_status as status, matched_payout_id as payment
       from providers.bank_statement_lines order by 1, amount`,
    );
    return rows;
  };

  it('settles what the bank names, books its fee, and keeps the rest in suspense', { timeout: 150_000 }, async () => {
    serving = await scene.startCore(where === 'apart' ? {} : scene.ownEnv);
    ({ metrics, http: door } = serving);
    let working = where === 'apart' ? await reconciler() : serving;
    await scene.call('POST', '/v1/accounts', { type: 'customer', currency: 'XOF', accountId: 'ada' });
    const [first, second] = [await scene.collected(5_000, 'first'), await scene.collected(7_000, 'second')];
    const late = paymentIdOf('kora', 'service:test', 'late');
    await scene.takenIn([
      { amount: 5_000, reference: first },
      { amount: -250, reference: 'NONREF', code: 'NCHG', text: 'FEES NOVEMBER' },
      { amount: 333, reference: 'NONREF', text: `PAYMENT\r\n${late} THANK YOU` },
    ]);
    await until('the first is settled', () => is(first, 'SETTLED'));
    await until('the rest is in suspense', async () => (await scene.posted('suspense:XOF')) === '333');
    expect(await books()).toEqual({ float: '-5083', receivable: '-7000', cost: '-250', suspense: '333' });
    expect(await is(second, 'CAPTURED')).toBe(true);

    expect(await statuses()).toEqual([
      { status: 'known', payment: null },
      { status: 'matched', payment: first },
      { status: 'unmatched', payment: null },
    ]);
    await until('it is in the metrics', async () => {
      const text = await (await fetch(metrics)).text();
      const figures = text.match(
        /^kora_(?:reconciliation_findings|settlement_delay_seconds_count|cases_open).* [1-9]$/gm,
      );
      return (
        JSON.stringify(figures?.sort()) ===
        JSON.stringify([
          'kora_cases_open{kind="missing_internal",days="0-1"} 1',
          'kora_reconciliation_findings_total{bank_profile="bank:SN",finding="known"} 1',
          'kora_reconciliation_findings_total{bank_profile="bank:SN",finding="matched"} 1',
          'kora_reconciliation_findings_total{bank_profile="bank:SN",finding="missing_internal"} 1',
          'kora_settlement_delay_seconds_count{bank_profile="bank:SN"} 1',
        ])
      );
    });
    // Apart, balances of statements and of the ledger are asked of the core.
    const report = await fetch(`${door}/v1/reconciliation/report?date=2026-11-27`, {
      headers: { authorization: `Bearer ${scene.token}` },
    });
    expect(await report.json()).toMatchObject({
      accounts: [
        {
          ...{ profile: 'bank:SN', last4: '3035', currency: 'XOF', in: '5333', out: '0', fees: '250' },
          ...{ opening: '1000000', closing: '1005083', turnoverDifference: '0' },
        },
      ],
      // The ledger knows of nothing that was there before.
      positions: [
        {
          ...{ float: '5083', closing: '1005083', difference: '-1000000', explained: '0', unexplained: '-1000000' },
          ...{ receivable: '7000', receivableUnexplained: '0', payable: '0', payableUnexplained: '0' },
        },
      ],
    });
    const args = ['reconciliation', 'report', '--date', '2026-11-27'];
    const { code, stdout } = await kora(args, { env: { ...scene.coreEnv, ...scene.ownEnv } });
    expect([code, stdout.split('\r\n')[4]]).toEqual([
      0,
      expect.stringMatching(/^bank:SN,…3035,XOF,1000000,5333,0,250,1005083,the day,0,1,5000,1,250,1,333,/) as string,
    ]);
    // Killed, and away for a while.
    working.process.kill('SIGKILL');
    await working.ended;
    if (where === 'in the process of the core') await sleep(200);
    else await scene.takenIn([{ amount: 7_000, reference: second }]);
    working = await reconciler();
    if (where === 'in the process of the core') await scene.takenIn([{ amount: 7_000, reference: second }]);
    await until('the second is settled', () => is(second, 'SETTLED'));
    // The payment comes after its money: what waited in suspense is taken out again.
    expect(await scene.collected(333, 'late')).toBe(late);
    await until('the late one is settled', () => is(late, 'SETTLED'));
    await until('suspense is empty', async () => (await scene.posted('suspense:XOF')) === '0');
    expect(await books()).toEqual({ float: '-12083', receivable: '0', cost: '-250', suspense: '0' });
    // What is looked at is done with: there is no run without something to look at.
    const runs = async (): Promise<unknown> =>
      (await scene.own.query('select number from reconciliation.current_run')).rows;
    // That the payments are settled now is news as well.
    await sleep(2_000);
    const before = await runs();
    await sleep(1_500);
    expect(await runs()).toEqual(before);
    working.process.kill('SIGTERM');
    expect((await working.ended).code).toBe(0);
  });
});
