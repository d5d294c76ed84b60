import { expect, it } from 'vitest';
import { createServiceKey, tokenVerifier } from '../../src/gateway/service-token.ts';
import { kora } from '../cli/kora-process.ts';

// `kora token` makes tokens that the doors take, with the scopes that were asked for, and none that nobody knows.

const key = createServiceKey();
const env = { KORA_SERVICE_KEY: key.privateKey.export({ type: 'pkcs8', format: 'pem' }) as string };

it('gives the scopes that are asked for, and says them', async () => {
  const scopes = ['--scope', 'payments:write', '--scope', 'payments:read'];
  const { code, stdout } = await kora(['token', '--service', 'shop', ...scopes, '--json'], { env });
  expect(code).toBe(0);
  const answer = JSON.parse(stdout) as { token: string; scopes?: string[] };
  expect(answer.scopes).toEqual(['payments:write', 'payments:read']);
  expect(await tokenVerifier(key).verify(answer.token)).toMatchObject({ identity: { scopes: answer.scopes } });
});

it('gives everything where none is asked for', async () => {
  const { stdout } = await kora(['token', '--service', 'shop', '--json'], { env });
  const answer = JSON.parse(stdout) as { token: string };
  expect(answer).not.toHaveProperty('scopes');
  const verdict = await tokenVerifier(key).verify(answer.token);
  expect(verdict.ok && verdict.identity.scopes).toBeUndefined();
});

it('refuses a scope that nobody knows as usage', async () => {
  const { code, stdout, stderr } = await kora(['token', '--service', 'shop', '--scope', 'payments:steal'], { env });
  expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
  expect(stderr).toContain('--scope: one of accounts:read, ');
});
