import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Certificates, type Certificate } from '../rpc/certificates.ts';
import { managing, parsed, restConfig, slice } from './support/manager.ts';
import { Provider } from './support/provider.ts';

/** Proves that money goes only to a provider that has proven who it is, and that we prove who we are, over real TLS. */
let certificates: Certificates;
let provider: Provider;
let [authority, ours, foreign]: Certificate[] = [];

beforeAll(async () => {
  certificates = await Certificates.open();
  const bankAuthority = await certificates.authority('bank');
  [authority, foreign] = [bankAuthority, await certificates.authority('somebody')];
  const server = await certificates.issued(bankAuthority, 'bank', 'DNS:bank.example,IP:127.0.0.1');
  ours = await certificates.issued(bankAuthority, 'kora');
  const files = ['--tls-cert', server.certificateFile, '--tls-key', server.keyFile];
  provider = await Provider.start(...files, '--tls-client-ca', bankAuthority.certificateFile);
});
afterAll(async () => {
  await provider.stop();
  await certificates.remove();
});

async function sent(tls: object) {
  const { manager } = managing();
  try {
    await manager.apply(parsed(restConfig(provider.url, {}, { tls })));
    return await manager.send('mtn', slice());
  } finally {
    await manager.close();
  }
}

const file = (path: string | undefined) => `file:${path ?? ''}`;

describe('a payment over TLS', () => {
  it('is accepted where both sides have proven who they are', async () => {
    const own = { cert: file(ours?.certificateFile), key: file(ours?.keyFile) };
    expect(await sent({ ...own, ca: file(authority?.certificateFile) })).toMatchObject({ outcome: 'accepted' });
  });

  it('is accepted by the name that is configured, where the address is not in the certificate', async () => {
    const own = { cert: file(ours?.certificateFile), key: file(ours?.keyFile), serverName: 'bank.example' };
    expect(await sent({ ...own, ca: file(authority?.certificateFile) })).toMatchObject({ outcome: 'accepted' });
    expect(await sent({ ...own, ca: file(authority?.certificateFile), serverName: 'other.example' })).toEqual({
      outcome: 'not_sent',
      reason: 'ConnectFailed: ERR_TLS_CERT_ALTNAME_INVALID',
    });
  });

  it('is not sent to a provider whose authority is another one', async () => {
    const own = { cert: file(ours?.certificateFile), key: file(ours?.keyFile) };
    expect(await sent({ ...own, ca: file(foreign?.certificateFile) })).toMatchObject({ outcome: 'not_sent' });
    // Those that Node knows do not know it either.
    expect(await sent(own)).toMatchObject({ outcome: 'not_sent' });
  });

  it('is not accepted without a certificate of ours, and in doubt: TLS 1.3 says so only after the first byte', async () => {
    expect(await sent({ ca: file(authority?.certificateFile) })).toMatchObject({ outcome: 'unknown' });
    expect((await provider.totals()).doubles).toEqual([]);
  });

  it('does not begin with a key that is none, and does not say what is in it', async () => {
    const own = { cert: file(ours?.certificateFile), key: file(ours?.certificateFile) };
    await expect(sent(own)).rejects.toThrow(
      'connectors[0].settings.tls: these are no PEM certificates with their key: look at the files',
    );
    await expect(sent({ cert: file(ours?.certificateFile) })).rejects.toThrow(
      'connectors[0].settings.tls: cert and key belong together: give both, or none',
    );
  });
});
