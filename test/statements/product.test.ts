import { randomBytes } from 'node:crypto';
import { mkdir, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import pg from 'pg';
import S3rver from 's3rver';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createServiceKey, issueServiceToken } from '../../src/gateway/service-token.ts';
import { kora, serve, type Serving } from '../cli/kora-process.ts';
import { createTestDatabase, type TestDatabase } from '../support/postgres.ts';
import { hasSshd, Sshd } from './support/sshd.ts';

/**
 * Proves the whole way with real processes: a bank's files from its SFTP server, the command line and http come into a bucket
 * and the tables, and its status report reaches the slice that it names.
 */
const mt940 = (amount: string, reference: string): string =>
  [
    ':20:STARTUMS',
    ':25:10020030/1234567',
    `:28C:${Math.abs(Number(amount.replace(/\D/g, ''))) % 1000}/1`,
    ':60F:C261126EUR1000,00',
    `:61:2611271127C${amount}NTRF${reference}//BANK-${reference}`,
    ':86:PAID BY MARIE MUSTERMANN',
    `:62F:C261127EUR${(1000 + Number(amount.replace(',', '.'))).toFixed(2).replace('.', ',')}`,
    '-',
    '',
  ].join('\r\n');

describe.skipIf(!hasSshd)('statements through the product (skipped without sshd)', { timeout: 120_000 }, () => {
  let database: TestDatabase;
  let folder: string;
  let bucket: S3rver;
  let sshd: Sshd;
  let env: Record<string, string>;
  let token: string;
  let serving: Serving;
  let pool: pg.Pool;

  beforeAll(async () => {
    database = await createTestDatabase();
    pool = new pg.Pool(database.poolConfig);
    folder = await mkdtemp(join(tmpdir(), 'kora-statements-'));
    sshd = await Sshd.start();
    const out = join(sshd.folder, 'in', 'out');
    await mkdir(out);
    const port = await freePort();
    bucket = new S3rver({
      port,
      address: '127.0.0.1',
      silent: true,
      directory: join(folder, 'bucket'),
      configureBuckets: [{ name: 'statements', configs: [] }],
    });
    await bucket.run();
    const { fingerprint: hostKeySha256, user } = sshd;
    const sftp = {
      host: '127.0.0.1',
      port: sshd.port,
      user,
      hostKeySha256,
      key: 'env:BANK_KEY',
      folder: out,
      pollMs: 300,
    };
    const document = {
      profiles: [
        {
          id: 'bank:AB',
          bank_name: 'A bank',
          supported_rails: [],
          statements: { sftp: { ...sftp, archiveFolder: join(out, 'done') } },
        },
      ],
      connectors: [
        {
          id: 'ab',
          type: 'local',
          profile: 'bank:AB',
          limits: { amountMax: '1000' },
          settings: { outcome: 'unknown', mute: true },
        },
        { id: 'ab-statements', type: 'mt940', profile: 'bank:AB', limits: { amountMax: '1000' } },
      ],
    };
    await writeFile(join(folder, 'connectors.json'), JSON.stringify(document));
    const key = createServiceKey();
    token = await issueServiceToken({ key, service: 'test', tenant: 'kora', ttlSeconds: 3_600 });
    env = {
      DATABASE_URL: database.connectionString,
      KORA_DATA_DIR: join(folder, 'data'),
      KORA_SERVICE_KEY: key.privateKey.export({ type: 'pkcs8', format: 'pem' }) as string,
      KORA_CONNECTORS: join(folder, 'connectors.json'),
      KORA_STATEMENT_KEYS: `k1:${randomBytes(32).toString('base64')}`,
      KORA_S3_BUCKET: 'statements',
      KORA_S3_ENDPOINT: `http://127.0.0.1:${port}`,
      KORA_S3_PATH_STYLE: 'on',
      AWS_ACCESS_KEY_ID: 'S3RVER',
      AWS_SECRET_ACCESS_KEY: 'S3RVER',
      BANK_KEY: sshd.key,
    };
  });
  afterAll(async () => {
    await bucket.close();
    await sshd.stop();
    await pool.end();
    await rm(folder, { recursive: true });
    await database.drop();
  });

  async function call<Answer>(method: string, path: string, body?: object | string): Promise<Answer> {
    const response = await fetch(serving.http + path, {
      method,
      headers: {
        authorization: `Bearer ${token}`,
        ...(method === 'POST' && {
          'content-type': typeof body === 'string' ? 'text/plain' : 'application/json',
          'idempotency-key': crypto.randomUUID(),
        }),
      },
      ...(body !== undefined && { body: typeof body === 'string' ? body : JSON.stringify(body) }),
    });
    const answer = (await response.json()) as Answer;
    if (!response.ok) throw new Error(`${method} ${path}: ${response.status} ${JSON.stringify(answer)}`);
    return answer;
  }

  interface Statements {
    readonly items: readonly { readonly status: string; readonly origin: string }[];
  }

  it('come from the server of the bank, the command line and http, into one feed; and a report reaches its slice', async () => {
    serving = await serve([], { env });
    await writeFile(join(sshd.folder, 'in', 'out', 'day.sta'), mt940('12,34', 'INV-1'));
    await expect
      .poll(async () => (await call<Statements>('GET', '/v1/statements?status=parsed')).items.length, {
        timeout: 30_000,
      })
      .toBe(1);
    await expect.poll(() => readdir(join(sshd.folder, 'in', 'out', 'done')).catch(() => [])).toHaveLength(1);

    const file = join(folder, 'second.sta');
    await writeFile(file, mt940('56,78', 'INV-2'));
    const imported = await kora(['statements', 'import', file, '--profile', 'bank:AB', '--json'], { env });
    expect([imported.code, imported.stderr]).toEqual([0, '']);
    const told = JSON.parse(imported.stdout) as { statement: { id: string; status: string }; duplicate: boolean };
    expect(told).toMatchObject({ duplicate: false, statement: { status: 'parsed', profile: 'bank:AB', lines: 1 } });
    const again = await kora(['statements', 'import', file, '--profile', 'bank:AB'], { env });
    expect(again.stdout).toContain('this file came before');

    await call('POST', '/v1/statements?profile=bank:AB', mt940('9,00', 'INV-3').replace('1009,00', '1010,00'));
    const { items } = await call<Statements>('GET', '/v1/statements');
    expect(items.map(({ origin, status }) => [origin, status])).toEqual([
      ['upload', 'quarantined'],
      ['cli', 'parsed'],
      ['sftp', 'parsed'],
    ]);
    const { rows } = await pool.query<{ amount: string }>(
      'select amount from providers.statement_events order by position',
    );
    expect(rows.map(({ amount }) => amount)).toEqual(['1234', '5678']);

    const held = await kora(['statements', 'list', '--status', 'quarantined', '--json'], { env });
    const [{ id }] = (JSON.parse(held.stdout) as { statements: [{ id: string }] }).statements;
    const shown = await kora(['statements', 'show', id], { env });
    expect(shown.stdout).toContain('BalanceMismatch');
    const released = await kora(['statements', 'release', id, '--reason', 'the bank has confirmed it'], { env });
    expect([released.code, released.stderr]).toEqual([0, '']);
    expect((await pool.query('select 1 from providers.statement_events')).rowCount).toBe(3);
    expect(
      await kora(['statements', 'import', join(folder, 'nothing'), '--profile', 'bank:AB'], { env }),
    ).toMatchObject({
      code: 1,
    });
    expect(await kora(['statements', 'import', file, '--profile', 'bank:XY'], { env })).toMatchObject({ code: 1 });
    const names = await readdir(join(folder, 'bucket'), { recursive: true });
    expect(names.filter((name) => name.includes('statements/bank')).length).toBeGreaterThan(0);

    const open = { type: 'treasury', currency: 'XOF' };
    const { accountId: till } = await call<{ accountId: string }>('POST', '/v1/accounts', open);
    const funding = { kind: 'FUNDING', payee: till, provider: 'bank:AB', amount: '1000', currency: 'XOF' };
    for (let count = 0; count < 4; count++) await call('POST', '/v1/payments', funding);
    const asked = { payer: till, provider: 'bank:AB', beneficiary: 'ben-1', amount: '100', currency: 'XOF' };
    const { payoutId } = await call<{ payoutId: string }>('POST', '/v1/payouts', asked);
    interface Payout {
      readonly slices: readonly { readonly paymentId: string; readonly status: string }[];
    }
    const slice = async () => (await call<Payout>('GET', `/v1/payouts/${payoutId}`)).slices[0];
    await expect.poll(async () => (await slice())?.status, { timeout: 30_000 }).toBe('in_doubt');
    const report = [
      '<Document xmlns="urn:iso:std:iso:20022:tech:xsd:pain.002.001.03"><CstmrPmtStsRpt>',
      '<GrpHdr><MsgId>R-1</MsgId><CreDtTm>2026-11-27T10:00:00</CreDtTm></GrpHdr>',
      '<OrgnlGrpInfAndSts><OrgnlMsgId>M-1</OrgnlMsgId><OrgnlMsgNmId>pain.001.001.03</OrgnlMsgNmId></OrgnlGrpInfAndSts>',
      '<OrgnlPmtInfAndSts><OrgnlPmtInfId>P-1</OrgnlPmtInfId><TxInfAndSts>',
      `<OrgnlEndToEndId>${(await slice())?.paymentId ?? ''}</OrgnlEndToEndId><TxSts>ACSC</TxSts>`,
      '<AcctSvcrRef>BANK-77</AcctSvcrRef></TxInfAndSts></OrgnlPmtInfAndSts></CstmrPmtStsRpt></Document>',
    ];
    const { status } = await call<{ status: string }>('POST', '/v1/statements?profile=bank:AB', report.join(''));
    expect(status).toBe('parsed');
    const answered = await slice();
    expect(answered).toMatchObject({ providerRef: 'BANK-77' });
    expect(answered?.status).toMatch(/^(sent|settled)$/);

    const whole = await call<{ payoutId: string }>('POST', '/v1/payouts', { ...asked, amount: '2700' });
    const slices = async () => (await call<Payout>('GET', `/v1/payouts/${whole.payoutId}`)).slices;
    const statuses = async () => (await slices()).map((one) => one.status);
    await expect.poll(statuses, { timeout: 30_000 }).toEqual(['in_doubt', 'in_doubt', 'in_doubt']);
    const [, refused] = await slices();
    const ofAll = report
      .join('')
      .replace('M-1</OrgnlMsgId>', `${whole.payoutId}</OrgnlMsgId>`)
      .replace('</OrgnlGrpInfAndSts>', '<GrpSts>ACSC</GrpSts></OrgnlGrpInfAndSts>')
      .replace(
        /<OrgnlEndToEndId>.*<\/AcctSvcrRef>/,
        `<OrgnlEndToEndId>${refused?.paymentId ?? ''}</OrgnlEndToEndId><TxSts>RJCT</TxSts>`,
      );
    const taken = await call<{ status: string }>('POST', '/v1/statements?profile=bank:AB', ofAll);
    expect(taken.status).toBe('parsed');
    const [first, exception, third] = await statuses();
    expect([first, third]).toEqual([
      expect.stringMatching(/^(sent|settled)$/),
      expect.stringMatching(/^(sent|settled)$/),
    ]);
    // What a report refuses is asked for, and this bank never answers.
    expect(exception).toBe('in_doubt');

    const text = await (await fetch(serving.metrics)).text();
    expect(text).toContain('molam_bank_statement_lines_unmatched{bank_profile="bank:AB"} 3');
    expect(text).toContain('kora_statement_files{status="parsed"} 5');
    expect(text).toMatch(/kora_statement_polls_total\{bank_profile="bank:AB",outcome="done"\} [1-9]/);
    expect(text).toContain('kora_statement_import_lag_seconds 0');
  });
});

function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer().once('error', reject);
    server.listen(0, '127.0.0.1', () => {
      const { port } = server.address() as { port: number };
      server.close(() => resolve(port));
    });
  });
}
