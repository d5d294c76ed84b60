import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { createServiceKey } from '../../src/gateway/service-token.ts';
import { type Certificate, Certificates } from '../rpc/certificates.ts';
import { type Apart, type ClientTls, metric, openScene, type Scene, until } from './support/scene.ts';

/**
 * Proves that a core that asks for certificates feeds and obeys a reconciliation that shows its own, and no other: without
 * one, with one of somebody else's, with a key that is not the core's, nothing is taken in, and log and metrics say so.
 */
let scene: Scene;
let certificates: Certificates;
let house: Certificate;
let tls: ClientTls;
let ours: Certificate;
beforeAll(async () => {
  [scene, certificates] = await Promise.all([openScene(), Certificates.open()]);
  house = await certificates.authority('house');
  const [server, test] = await Promise.all([
    certificates.issued(house, 'core', 'DNS:localhost,IP:127.0.0.1'),
    certificates.issued(house, 'test', 'DNS:test'),
  ]);
  ours = await certificates.issued(house, 'reconciliation', 'DNS:reconciliation');
  tls = { ca: house.certificate, cert: test.certificate, key: test.key };
  coreEnv = {
    KORA_HTTP_TLS_CERTIFICATE: server.certificateFile,
    KORA_HTTP_TLS_KEY: server.keyFile,
    KORA_HTTP_TLS_CLIENT_CA: house.certificateFile,
  };
}, 60_000);
afterAll(async () => {
  await Promise.all([scene.close(), certificates.remove()]);
});
let coreEnv: Record<string, string>;

const showing = ({ certificateFile, keyFile }: Certificate): Record<string, string> => ({
  KORA_CORE_CA: house.certificateFile,
  KORA_CORE_CERTIFICATE: certificateFile,
  KORA_CORE_KEY: keyFile,
});

it(
  'takes in and settles over its own certificate, and nothing over none or another',
  { timeout: 120_000 },
  async () => {
    const core = await scene.startCore(coreEnv, tls);
    expect(core.http).toMatch(/^https:/);
    await scene.call('POST', '/v1/accounts', { type: 'customer', currency: 'XOF', accountId: 'ada' });
    const payment = await scene.collected(5_000, 'first');
    await scene.takenIn([{ amount: 5_000, reference: payment }]);
    const elsewhere = await certificates.authority('elsewhere');
    const strange = createServiceKey().privateKey.export({ type: 'pkcs8', format: 'pem' }) as string;
    const wrong: readonly [what: string, env: Record<string, string>, says: RegExp][] = [
      [
        'none',
        { KORA_CORE_CA: house.certificateFile },
        /a service comes with a certificate here, and this connection has none/,
      ],
      [
        'of another service',
        showing(await certificates.issued(house, 'shop', 'DNS:shop')),
        /does not bear the name reconciliation/,
      ],
      [
        'of another authority',
        showing(await certificates.issued(elsewhere, 'x', 'DNS:reconciliation')),
        /is not one of the client CA/,
      ],
      [
        'a core that is not believed',
        { ...showing(ours), KORA_CORE_CA: elsewhere.certificateFile },
        /does not answer: .*(self-signed|certificate)/,
      ],
      [
        'with a key that is not the core’s',
        { ...showing(ours), KORA_SERVICE_KEY: strange },
        /does not let this process in: 401 Unauthenticated: the service token is not valid here/,
      ],
    ];
    for (const [what, env, says] of wrong) {
      const apart = await scene.startApart(env);
      let stderr = '';
      apart.process.stderr.on('data', (text: string) => (stderr += text));
      await until(`${what}: it says why`, () => Promise.resolve(says.test(stderr)), 15_000);
      const lagging = 'kora_reconciliation_lag_seconds{feed="payments"}';
      const before = await measured(apart, lagging);
      await until(`${what}: the lag grows`, async () => ((await metric(apart.metrics, lagging)) ?? 0) > before, 5_000);
      expect([what, await metric(apart.metrics, 'kora_reconciliation_lag_events{feed="payments"}')]).toEqual([
        what,
        undefined,
      ]);
      expect((await fetch(`${apart.http}/health/ready`)).status).toBe(503);
      apart.process.kill('SIGKILL');
      await apart.ended;
    }
    const taken = await scene.own.query('select from reconciliation.payments_seen');
    expect(taken.rowCount).toBe(0);
    expect((await scene.call('GET', `/v1/payments/${payment}`))['status']).toBe('CAPTURED');

    const apart = await scene.startApart(showing(ours));
    await until(
      'it is settled',
      async () => (await scene.call('GET', `/v1/payments/${payment}`))['status'] === 'SETTLED',
    );
    await until('nothing is behind', async () => {
      return (await metric(apart.metrics, 'kora_reconciliation_lag_events{feed="payments"}')) === 0;
    });
    expect((await fetch(`${apart.http}/health/ready`)).status).toBe(200);
    // Whoever has no certificate reads no feed, and nobody need have one who is no service.
    await expect(scene.call('GET', '/v1/payments')).resolves.toBeDefined();
    // What its report says of statements and ledger is the core's.
    const headers = { authorization: `Bearer ${scene.token}` };
    const report = await fetch(`${apart.http}/v1/reconciliation/report?date=2026-11-27`, { headers });
    expect(await report.json()).toMatchObject({
      accounts: [{ profile: 'bank:SN', currency: 'XOF', opening: '1000000', in: '5000', closing: '1005000' }],
      positions: [{ profile: 'bank:SN', currency: 'XOF', float: '5000' }],
    });
    apart.process.kill('SIGTERM');
    expect((await apart.ended).code).toBe(0);
  },
);

it(
  'is not started with half of a certificate, or one that a core in clear would not see',
  { timeout: 60_000 },
  async () => {
    const half = { KORA_CORE_URL: 'https://127.0.0.1:1', KORA_CORE_CERTIFICATE: ours.certificateFile };
    await expect(scene.startApart(half)).rejects.toThrow('KORA_CORE_KEY: is needed to show the core who this is');
    const inClear = { KORA_CORE_URL: 'http://127.0.0.1:1', ...showing(ours) };
    await expect(scene.startApart(inClear)).rejects.toThrow('KORA_CORE_URL: is not https');
    const nowhere = {
      ...showing(ours),
      KORA_CORE_URL: 'https://127.0.0.1:1',
      KORA_CORE_KEY: join(scene.folder, 'no.key'),
    };
    await expect(scene.startApart(nowhere)).rejects.toThrow(/KORA_CORE_KEY: .*no\.key cannot be read/);
  },
);

/** The figure, when it is there. */
async function measured(apart: Apart, name: string): Promise<number> {
  let found: number | undefined;
  await until(`${name} is measured`, async () => (found = await metric(apart.metrics, name)) !== undefined, 10_000);
  return found ?? 0;
}
