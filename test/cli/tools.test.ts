import pg from 'pg';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { paymentIdOf } from '../../src/kernel/ids.ts';
import { PostgresLog } from '../../eventstore/index.ts';
import { historyFile, type ReplayDocument } from '../replay/histories.ts';
import { createTestDatabase, type TestDatabase } from '../support/postgres.ts';
import { kora, spawnKora } from './kora-process.ts';

// What the tools say of a small history, for people and for machines: one JSON document on stdout and nothing beside it.

describe('tools', { timeout: 240_000 }, () => {
  let database: TestDatabase;
  let env: Record<string, string>;
  beforeAll(async () => {
    database = await createTestDatabase();
    env = { DATABASE_URL: database.connectionString };
  });
  afterAll(() => database.drop());

  async function document(...args: string[]): Promise<Record<string, unknown>> {
    const { code, stdout, stderr } = await kora([...args, '--json'], { env });
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    expect(stdout.trim().split('\n')).toHaveLength(1);
    return JSON.parse(stdout) as Record<string, unknown>;
  }

  const replayedId = (key: string): string => paymentIdOf('kora', 'kora:replay', key);

  test('tell what a replay made', async () => {
    const file = await historyFile([
      't1,1993-01-05,ada,credit,cash_deposit,,100.00,100.00,,',
      't2,1993-02-10,ada,debit,transfer_out,household,130.50,-30.50,QR,4711',
      't3,1993-02-31,ada,debit,cash_withdrawal,,1.00,,,',
    ]);
    const { code, stdout, stderr } = await kora(['replay', file, '--json'], { env });
    expect(code).toBe(0);
    expect(stderr).toBe('line 4: date is "1993-02-31": wanted is a day as 1993-12-31\n');
    expect(Object.keys(JSON.parse(stdout) as object)).toEqual([
      'rows',
      'refused',
      'payments',
      'duplicates',
      'paymentsPerSecond',
      'accounts',
    ]);
    expect(JSON.parse(stdout)).toMatchObject({
      rows: 3,
      refused: 1,
      payments: 2,
      duplicates: 0,
      accounts: [{ account: 'ada', balance: '-3050' }],
    });
    expect((await kora(['replay', file, '--strict'], { env })).code).toBe(1);

    // Balances: now, then, and as recorded.
    expect(await document('balance', 'ada')).toEqual({
      account: 'ada',
      type: 'customer',
      status: 'OPEN',
      currency: 'CZK',
      posted: '-3050',
      held: '0',
      limit: '3050',
      available: '0',
      exponent: 2,
    });
    const inJanuary = await document('balance', 'ada', '--at', '1993-01-05');
    expect(inJanuary).toMatchObject({ posted: '10000', at: '1993-01-05T23:59:59.999Z' });
    expect(await document('balance', 'ada', '--at', '1993-01-04')).toMatchObject({ posted: '0' });
    const { steps } = (await document('timeline', replayedId('t1'))) as { steps: { position: number }[] };
    const first = steps[0]?.position ?? 0;
    expect(await document('balance', 'ada', '--position', String(first - 1))).toMatchObject({ posted: '0', held: '0' });
    expect(await document('balance', 'ada', '--position', String(first + 7))).toMatchObject({ posted: '10000' });
    expect(await document('balance', 'float:bank:QR:CZK')).toMatchObject({ type: 'float', posted: '13050' });
    const people = await kora(['balance', 'ada'], { env });
    expect(people.stdout).toMatch(/^balance +-30\.50 CZK$/m);
    expect(people.stdout).toMatch(/^limit +30\.50 CZK$/m);

    // A timeline, by the payment's id or by the key of whoever asked for it.
    const timeline = await document('timeline', 't2', '--principal', 'kora:replay');
    expect(timeline).toMatchObject({
      payment: { paymentId: replayedId('t2'), kind: 'CASH_OUT', status: 'SETTLED', amount: '13050', payer: 'ada' },
      steps: ['INITIATED', 'AUTHORIZED', 'CAPTURED', 'SETTLED'].map((state) => ({
        state,
        principal: 'kora:replay',
        effectiveAt: '1993-02-10T00:00:00.000Z',
      })),
      entries: [
        { account: 'ada', amount: '-13050', step: 'CAPTURED' },
        { account: 'payable:bank:QR:CZK', amount: '13050', step: 'CAPTURED' },
        { account: 'payable:bank:QR:CZK', amount: '-13050', step: 'SETTLED' },
        { account: 'float:bank:QR:CZK', amount: '13050', step: 'SETTLED' },
      ],
    });
    const story = await kora(['timeline', replayedId('t2')], { env });
    expect(story.stdout).toMatch(/^business time +1993-02-10 UTC$/m);
    expect(story.stdout).toMatch(/SETTLED +settled +kora:replay +\d+$/m);
    expect(story.stdout).toMatch(/^CAPTURED +ada +-130\.50 CZK$/m);
  });

  test('a replay that is stopped by Ctrl-C says so far, ends with 130, and goes on when it is started again', async () => {
    const rows = Array.from({ length: 12_000 }, (_, row) => {
      return `s${row},1993-03-01,stopped-${row % 40},credit,cash_deposit,,1.00,,,`;
    });
    const file = await historyFile(rows);
    const log = new PostgresLog({ config: database.poolConfig });
    const stopped = spawnKora(['replay', file, '--json'], { env });
    const seen = new AbortController();
    for await (const unit of log.subscribe(await log.lastPosition(), seen.signal)) {
      if (unit.rows.some(({ stream }) => stream.startsWith('payment/'))) seen.abort();
    }
    await log.close();
    stopped.process.kill('SIGINT');
    const { code, stdout, stderr } = await stopped.ended;
    expect({ code, stderr }).toEqual({ code: 130, stderr: 'interrupted; start it again to go on\n' });
    const part = JSON.parse(stdout) as ReplayDocument;
    expect(part.payments).toBe(part.rows);
    expect(part.rows).toBeLessThan(12_000);
    const rest = await document('replay', file);
    expect(rest).toMatchObject({
      rows: 12_000,
      payments: 12_000 - part.payments,
      duplicates: part.payments,
      refused: 0,
    });
  });

  test('say that there is no such thing, with exit code 1', async () => {
    const account = await kora(['balance', 'nobody', '--json'], { env });
    expect(account).toMatchObject({ code: 1, stdout: '', stderr: 'kora: there is no account nobody\n' });
    const payment = await kora(['timeline', 'nothing', '--principal', 'service:shop'], { env });
    expect(payment).toMatchObject({
      code: 1,
      stderr: 'kora: service:shop of tenant kora has no payment with the key nothing\n',
    });
    const future = await kora(['balance', 'ada', '--position', '1000000'], { env });
    expect(future).toMatchObject({ code: 1, stderr: expect.stringContaining('the log ends at position') as string });
  });

  test('rebuild and verify find nothing in what is right, and what is wrong with exit code 1', async () => {
    const rebuilt = (await document('rebuild', 'all')) as { projections: Record<string, unknown>[] };
    expect(rebuilt.projections.map(({ projection, differing }) => [projection, differing])).toEqual([
      ['accounts', 0],
      ['connector_states', 0],
      ['deadlines', 0],
      ['instructions', 0],
      ['payments', 0],
      ['payouts', 0],
      ['trial_balance', 0],
    ]);
    expect(await document('verify')).toMatchObject({ ok: true, firstOffendingPosition: null, findings: [] });

    const client = new pg.Client(database.poolConfig);
    await client.connect();
    await client.query(`update projections.accounts_v2 set posted = posted + 1 where id = 'ada'`);
    await client.end();
    const wrong = await kora(['verify', '--json'], { env });
    expect(wrong).toMatchObject({ code: 1, stderr: expect.stringContaining('the log does not hold') as string });
    expect(JSON.parse(wrong.stdout)).toMatchObject({ ok: false, findings: [{ check: 'projections' }] });
    const mended = await kora(['rebuild', 'accounts', '--drop-old'], { env });
    expect(mended).toMatchObject({ code: 1, stderr: expect.stringContaining('posted was -3049, is -3050') as string });
    expect((await kora(['verify'], { env })).code).toBe(0);
  });

  test('a token is one line, or a document', async () => {
    const { code, stdout } = await kora(['token', '--service', 'shop'], {
      env: { ...env, KORA_SERVICE_KEY: await serviceKey() },
    });
    expect(code).toBe(0);
    expect(stdout).toMatch(/^[\w-]+\.[\w-]+\.[\w-]+\n$/);
  });
});

async function serviceKey(): Promise<string> {
  const { createServiceKey } = await import('../../src/gateway/service-token.ts');
  return createServiceKey().privateKey.export({ type: 'pkcs8', format: 'pem' }) as string;
}
