import { randomBytes, randomUUID } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import pg from 'pg';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { paymentIdOf } from '../../src/kernel/ids.ts';
import defaultRulesDocument from '../../src/reconciliation/matching/default-rules.json' with { type: 'json' };
import { createServiceKey, issueServiceToken } from '../../src/gateway/service-token.ts';
import { kora, serve, type Serving, type Spawned, spawnKora } from '../cli/kora-process.ts';
import { createEmptyDatabase, createTestDatabase, type TestDatabase } from '../support/postgres.ts';

/**
 * Proves the whole way: what a bank's statement says settles the payments that it names, books fees, and puts the rest into
 * suspense, once, with reconciliation in the core's process and apart, killed in the middle and started again.
 */
interface Line {
  /** Signed, in francs. */
  readonly amount: number;
  readonly reference: string;
  readonly code?: string;
  readonly text?: string;
}

let number = 0;
/** A statement of the bank, whose balances add up. */
function statement(lines: readonly Line[]): string {
  number += 1;
  const total = lines.reduce((sum, { amount }) => sum + amount, 1_000_000);
  return [
    ':20:STARTUMS',
    ':25:SN08SN0100152000048500003035',
    `:28C:${number}/1`,
    ':60F:C261126XOF1000000,',
    ...lines.flatMap(({ amount, reference, code = 'NTRF', text = 'TRANSFER' }, index) => [
      `:61:2611271127${amount < 0 ? 'D' : 'C'}${Math.abs(amount)},${code}${reference}//B${number}-${index}`,
      `:86:${text}`,
    ]),
    `:62F:C261127XOF${total},`,
    '-',
    '',
  ].join('\r\n');
}

describe.each(['in the process of the core', 'apart'] as const)('reconciliation %s', (where) => {
  let core: TestDatabase;
  let own: TestDatabase;
  let folder: string;
  let env: Record<string, string>;
  let token: string;
  let serving: Serving;
  /** Where whoever reconciles serves its metrics. */
  let metrics: string;

  beforeAll(async () => {
    [core, own, folder] = await Promise.all([
      createTestDatabase(),
      createEmptyDatabase(),
      mkdtemp(join(tmpdir(), 'kora-reconciliation-')),
    ]);
    const document = {
      profiles: [{ id: 'bank:SN', bank_name: 'A bank', supported_rails: [], statements: {} }],
      connectors: [{ id: 'sn-statements', type: 'mt940', profile: 'bank:SN' }],
    };
    await writeFile(join(folder, 'connectors.json'), JSON.stringify(document));
    const profiles = { '*': { ...defaultRulesDocument.profiles['*'], graceDays: 0 } };
    await writeFile(join(folder, 'rules.json'), JSON.stringify({ ...defaultRulesDocument, profiles }));
    const key = createServiceKey();
    token = await issueServiceToken({ key, service: 'test', tenant: 'kora', ttlSeconds: 3_600 });
    env = {
      DATABASE_URL: core.connectionString,
      KORA_DATA_DIR: join(folder, 'data'),
      KORA_SERVICE_KEY: key.privateKey.export({ type: 'pkcs8', format: 'pem' }) as string,
      KORA_CONNECTORS: join(folder, 'connectors.json'),
      KORA_STATEMENT_KEYS: `k1:${randomBytes(32).toString('base64')}`,
      KORA_EVENTS_SECRET: 'a secret of tests',
      KORA_RECONCILIATION_RULES: join(folder, 'rules.json'),
    };
  }, 60_000);
  afterAll(async () => {
    await Promise.all([core.drop(), own.drop()]);
    await rm(folder, { recursive: true, force: true });
  });

  const ofReconciliation = (): Record<string, string> => ({
    KORA_RECONCILIATION_DATABASE_URL: own.connectionString,
    KORA_RECONCILIATION_RULES: join(folder, 'rules.json'),
  });
  /** Whoever reconciles. */
  async function reconciler(): Promise<Spawned> {
    if (where === 'in the process of the core') {
      serving = await serve([], { env: { ...env, ...ofReconciliation() } });
      ({ metrics } = serving);
      return serving;
    }
    const { DATABASE_URL: _, ...rest } = env;
    const apart = spawnKora(['serve', '--roles', 'reconciliation', '--json', '--metrics-port', '0'], {
      env: { ...rest, ...ofReconciliation(), KORA_CORE_URL: serving.http, KORA_DATA_DIR: join(folder, 'apart') },
    });
    const said = await new Promise<Buffer>((resolve, reject) => {
      apart.process.stdout.once('data', resolve);
      void apart.ended.then(({ stderr }) => reject(new Error(`it did not start: ${stderr}`)));
    });
    ({ metrics } = JSON.parse(said.toString()) as { metrics: string });
    return apart;
  }

  async function call(
    method: string,
    path: string,
    body?: object,
    key: string = randomUUID(),
  ): Promise<Record<string, unknown>> {
    const response = await fetch(serving.http + path, {
      method,
      headers: {
        authorization: `Bearer ${token}`,
        ...(body !== undefined && { 'content-type': 'application/json', 'idempotency-key': key }),
      },
      ...(body !== undefined && { body: JSON.stringify(body) }),
    });
    const answer = (await response.json()) as Record<string, unknown>;
    if (!response.ok) throw new Error(`${method} ${path}: ${response.status} ${JSON.stringify(answer)}`);
    return answer;
  }
  const collected = async (amount: number, key: string): Promise<string> => {
    const body = { kind: 'CASH_IN', amount: String(amount), currency: 'XOF', payee: 'ada', provider: 'bank:SN' };
    return String((await call('POST', '/v1/payments', { ...body, upTo: 'CAPTURED' }, key))['paymentId']);
  };
  const posted = async (account: string): Promise<string> => {
    const balance = await call('GET', `/v1/accounts/${encodeURIComponent(account)}/balance`).catch(() => ({
      posted: '0',
    }));
    return String((balance as Record<string, unknown>)['posted']);
  };
  const takenIn = async (lines: readonly Line[]): Promise<void> => {
    const response = await fetch(`${serving.http}/v1/statements?profile=bank:SN`, {
      method: 'POST',
      headers: { authorization: `Bearer ${token}`, 'content-type': 'application/octet-stream' },
      body: statement(lines),
    });
    expect([response.status, await response.text()]).toEqual([expect.any(Number), expect.stringContaining('bank:SN')]);
    expect(response.ok).toBe(true);
  };
  async function until(what: string, condition: () => Promise<boolean>): Promise<void> {
    for (const deadline = Date.now() + 40_000; !(await condition());) {
      if (Date.now() > deadline) throw new Error(`after 40 s it has not come to this: ${what}`);
      await sleep(100);
    }
  }
  const is = async (id: string, status: string): Promise<boolean> =>
    (await call('GET', `/v1/payments/${id}`))['status'] === status;
  const books = async (): Promise<Record<string, string>> => ({
    float: await posted('float:bank:SN:XOF'),
    receivable: await posted('receivable:bank:SN:XOF'),
    cost: await posted('cost:bank:SN:XOF'),
    suspense: await posted('suspense:XOF'),
  });

  const statuses = async (): Promise<unknown[]> => {
    const pool = new pg.Pool({ ...core.poolConfig, max: 1 });
    const { rows } = await pool.query<Record<string, unknown>>(
      `select reconciliation_status as status, matched_payout_id as payment
       from providers.bank_statement_lines order by 1, amount`,
    );
    await pool.end();
    return rows;
  };

  it('settles what the bank names, books its fee, and keeps the rest in suspense', { timeout: 150_000 }, async () => {
    serving = await serve([], { env: where === 'apart' ? env : { ...env, ...ofReconciliation() } });
    ({ metrics } = serving);
    let working = where === 'apart' ? await reconciler() : serving;
    await call('POST', '/v1/accounts', { type: 'customer', currency: 'XOF', accountId: 'ada' });
    const [first, second] = [await collected(5_000, 'first'), await collected(7_000, 'second')];
    const late = paymentIdOf('kora', 'service:test', 'late');
    await takenIn([
      { amount: 5_000, reference: first },
      { amount: -250, reference: 'NONREF', code: 'NCHG', text: 'FEES NOVEMBER' },
      { amount: 333, reference: 'NONREF', text: `PAYMENT\r\n${late} THANK YOU` },
    ]);
    await until('the first is settled', () => is(first, 'SETTLED'));
    await until('the rest is in suspense', async () => (await posted('suspense:XOF')) === '333');
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
    if (where === 'in the process of the core') {
      expect(await call('GET', '/v1/reconciliation/report?date=2026-11-27')).toMatchObject({
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
      const { code, stdout } = await kora(args, { env: { ...env, ...ofReconciliation() } });
      expect([code, stdout.split('\r\n')[4]]).toEqual([
        0,
        expect.stringMatching(/^bank:SN,…3035,XOF,1000000,5333,0,250,1005083,the day,0,1,5000,1,250,1,333,/) as string,
      ]);
    }
    // Killed, and away for a while.
    working.process.kill('SIGKILL');
    await working.ended;
    if (where === 'in the process of the core') await sleep(200);
    else await takenIn([{ amount: 7_000, reference: second }]);
    working = await reconciler();
    if (where === 'in the process of the core') await takenIn([{ amount: 7_000, reference: second }]);
    await until('the second is settled', () => is(second, 'SETTLED'));
    // The payment comes after its money: what waited in suspense is taken out again.
    expect(await collected(333, 'late')).toBe(late);
    await until('the late one is settled', () => is(late, 'SETTLED'));
    await until('suspense is empty', async () => (await posted('suspense:XOF')) === '0');
    expect(await books()).toEqual({ float: '-12083', receivable: '0', cost: '-250', suspense: '0' });
    // What is looked at is done with: there is no run without something to look at.
    const pool = new pg.Pool({ ...own.poolConfig, max: 1 });
    const runs = async (): Promise<unknown> => (await pool.query('select number from reconciliation.current_run')).rows;
    // That the payments are settled now is news as well.
    await sleep(2_000);
    const before = await runs();
    await sleep(1_500);
    expect(await runs()).toEqual(before);
    await pool.end();
    working.process.kill('SIGTERM');
    expect((await working.ended).code).toBe(0);
  });
});
