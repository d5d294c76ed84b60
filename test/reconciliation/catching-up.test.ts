import { createServer, type AddressInfo } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { metric, openScene, type Scene, until } from './support/scene.ts';

/**
 * Proves that reconciliation, killed and away while thousands of events come, takes them in when it is back, killed once
 * more in the middle of it; that its lag is seen meanwhile; and that every line and every payment is decided once.
 */
let scene: Scene;
beforeAll(async () => {
  scene = await openScene();
}, 60_000);
afterAll(() => scene.close());

const payments = 800;
const amountOf = (index: number): number => 1_000 + index;

/** What the metrics said at their worst, from before the process has said that it runs until nothing is behind. */
class Watch {
  readonly worst: Record<string, number> = {};
  now: Record<string, number | undefined> = {};
  readonly #over = new AbortController();
  readonly #looking: Promise<void>;

  constructor(port: number) {
    this.#looking = this.#look(`http://127.0.0.1:${port}/metrics`);
  }

  async #look(metrics: string): Promise<void> {
    while (!this.#over.signal.aborted) {
      for (const feed of ['payments', 'statements'])
        for (const unit of ['events', 'seconds']) {
          const name = `kora_reconciliation_lag_${unit}{feed="${feed}"}`;
          const value = await metric(metrics, name).catch(() => undefined);
          this.now[`${feed} ${unit}`] = value;
          if (value !== undefined) this.worst[`${feed} ${unit}`] = Math.max(value, this.worst[`${feed} ${unit}`] ?? 0);
        }
      await sleep(10);
    }
  }

  end(): Promise<void> {
    this.#over.abort();
    return this.#looking;
  }
}

async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return port;
}

it('catches up with what came while it was dead, and says how far behind it is', { timeout: 120_000 }, async () => {
  await scene.startCore();
  await scene.call('POST', '/v1/accounts', { type: 'customer', currency: 'XOF', accountId: 'ada' });
  const first = await scene.startApart();
  const isSettled = async (id: string): Promise<boolean> =>
    (await scene.call('GET', `/v1/payments/${id}`))['status'] === 'SETTLED';
  const before = await scene.collected(amountOf(0), 'before');
  await scene.takenIn([{ amount: amountOf(0), reference: before }]);
  await until('it works', () => isSettled(before));
  first.process.kill('SIGKILL');
  await first.ended;

  // As if an hour ago.
  await scene.own.query(`update reconciliation.cursors set caught_up_at = caught_up_at - interval '1 hour'`);
  const ids: string[] = [before];
  let next = 1;
  const paying = async (): Promise<void> => {
    for (let index = next++; index < payments; index = next++)
      ids[index] = await scene.collected(amountOf(index), `away-${index}`);
  };
  await Promise.all(Array.from({ length: 16 }, paying));
  const lines = ids.map((reference, index) => ({ amount: amountOf(index), reference }));
  for (let from = 1; from < payments; from += 400) await scene.takenIn(lines.slice(from, from + 400));

  const port = await freePort();
  const watch = new Watch(port);
  const second = await scene.startApart({}, port);
  await until('some are settled', async () => {
    const { rows } = await scene.own.query<{ done: number }>(
      'select count(*)::int as done from reconciliation.carried_out',
    );
    return (rows[0]?.done ?? 0) > 50;
  });
  second.process.kill('SIGKILL');
  await second.ended;
  await watch.end();
  // Three events of a payment at least: some pages. (Lines are one page, which may pass between two looks.)
  expect(watch.worst['payments events']).toBeGreaterThan(payments);
  expect(watch.worst['statements seconds']).toBeGreaterThan(3_600);
  expect(watch.worst['payments seconds']).toBeGreaterThan(3_600);

  const thirdPort = await freePort();
  const third = await scene.startApart({}, thirdPort);
  const last = new Watch(thirdPort);
  const statuses = async (): Promise<unknown[]> => {
    const { rows } = await scene.core.query<Record<string, unknown>>(
      `select reconciliation_status as status, count(*)::int as lines, count(distinct matched_payout_id)::int as payments
       from providers.bank_statement_lines group by 1`,
    );
    return rows;
  };
  await until('every line is matched', async () => {
    const [row, ...more] = (await statuses()) as { status: string; lines: number }[];
    return more.length === 0 && row?.status === 'matched' && row.lines === payments;
  });
  await until('nothing is behind', () => {
    const { now } = last;
    return Promise.resolve(now['payments events'] === 0 && now['statements events'] === 0);
  });
  await sleep(300);
  expect(last.now).toMatchObject({ 'payments events': 0, 'statements events': 0 });
  expect(last.now['payments seconds']).toBeLessThan(5);
  await last.end();

  expect(await statuses()).toEqual([{ status: 'matched', lines: payments, payments }]);
  const { rows: effects } = await scene.own.query(
    `select kind, count(*)::int as effects, count(distinct expectation_ids)::int as payments, count(distinct line_ids)::int as lines
     from reconciliation.effects group by kind`,
  );
  expect(effects).toEqual([{ kind: 'settle', effects: payments, payments, lines: payments }]);
  const sum = ids.reduce((all, _, index) => all + amountOf(index), 0);
  expect([
    await scene.posted('float:bank:SN:XOF'),
    await scene.posted('receivable:bank:SN:XOF'),
    await scene.posted('suspense:XOF'),
    await scene.posted('ada'),
  ]).toEqual([String(-sum), '0', '0', String(sum)]);
  third.process.kill('SIGTERM');
  expect((await third.ended).code).toBe(0);
});
