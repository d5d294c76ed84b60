import { execFile } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { serve } from '../cli/kora-process.ts';
import { createTestDatabase, type TestDatabase } from '../support/postgres.ts';
import { createServiceKey, issueServiceToken } from '../../src/gateway/service-token.ts';

/** Proves that what the README says works as it stands there: with curl, through `kora serve`, a process of its own. */
const run = promisify(execFile);

let database: TestDatabase;
beforeAll(async () => {
  database = await createTestDatabase();
});
afterAll(() => database.drop());

test("the README's lines open accounts and pay, once, and the process ends gently", async () => {
  const key = createServiceKey();
  const env = {
    DATABASE_URL: database.connectionString,
    KORA_SERVICE_KEY: String(key.privateKey.export({ type: 'pkcs8', format: 'pem' })),
    KORA_IDENTITY_KEYS: `k1:${Buffer.alloc(32, 7).toString('base64url')}`,
  };
  const serving = await serve([], { env });
  const token = await issueServiceToken({ key, service: 'shop', tenant: 'kora', ttlSeconds: 600 });
  const readme = await readFile(new URL('../../README.md', import.meta.url), 'utf8');
  const block = readme.split('```').find((text) => text.includes('127.0.0.1:7400/v1/accounts/ben'));
  const lines = (block ?? '')
    .replace(/^sh\n/, '')
    .replace(/^TOKEN=.*$/m, `TOKEN=${token}`)
    .replaceAll('http://127.0.0.1:7400', serving.http)
    .trim()
    .split('\n');
  const fourth = lines.find((line) => line.startsWith('call 4'));
  const { stdout } = await run('bash', ['-c', [...lines, 'echo', fourth].join('\n')]);
  const answers = stdout
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as Record<string, string>);
  expect(answers).toMatchObject([
    { accountId: 'ada', posted: '0' },
    { accountId: 'ben', posted: '0' },
    { kind: 'CASH_IN', status: 'SETTLED' },
    { kind: 'P2P', status: 'SETTLED', amount: '2500' },
    { accountId: 'ben', posted: '2500' },
    { kind: 'P2P', status: 'SETTLED', amount: '2500' },
  ]);
  expect(answers[5]).toEqual(answers[3]);

  serving.process.kill('SIGTERM');
  const { code, stderr } = await serving.ended;
  expect(code, stderr).toBe(0);
  expect(stderr).not.toContain('"level":"error"');
});
