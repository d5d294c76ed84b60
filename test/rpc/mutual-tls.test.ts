import { X509Certificate } from 'node:crypto';
import { connect as connectPlainly } from 'node:net';
import { connect as connectTls, type ConnectionOptions } from 'node:tls';
import { Code, createClient, type Interceptor, type Transport } from '@connectrpc/connect';
import { createConnectTransport, createGrpcTransport, createGrpcWebTransport } from '@connectrpc/connect-node';
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest';
import type { Outcome } from '../../src/actors/runtime.ts';
import { AccountService } from '../../src/gateway/rpc/gen/kora/v1/account_pb.js';
import { PaymentKind, PaymentService, PayUpTo } from '../../src/gateway/rpc/gen/kora/v1/payment_pb.js';
import { PayoutService } from '../../src/gateway/rpc/gen/kora/v1/payout_pb.js';
import { peerCertificate } from '../../src/gateway/peer-certificate.ts';
import type { RpcTls } from '../../src/gateway/rpc/rpc-door.ts';
import { createServiceKey, issueServiceToken } from '../../src/gateway/service-token.ts';
import { rpcTlsOf } from '../../src/rpc-tls.ts';
import { kora, serve } from '../cli/kora-process.ts';
import { createTestDatabase } from '../support/postgres.ts';
import { type Certificate, Certificates } from './certificates.ts';
import type { RpcClients } from './clients.ts';
import { openTestDoor, type TestDoor } from './door.ts';
import { refusedBy } from './errors.ts';

// With certificates the port speaks TLS alone, to nobody whom the client CA does not know, and a token is worth something
// only over the certificate of its own service.

let certificates: Certificates;
let ca: Certificate;
let server: Certificate;
let shop: Certificate;
beforeAll(async () => {
  certificates = await Certificates.open();
  ca = await certificates.authority('house');
  [server, shop] = await Promise.all([
    certificates.issued(ca, 'kora', 'DNS:localhost,IP:127.0.0.1'),
    certificates.issued(ca, 'the shop', 'DNS:shop'),
  ]);
});
afterAll(() => certificates.remove());

let test: TestDoor | undefined;
afterEach(async () => {
  await test?.close();
  expect(test?.faults ?? []).toEqual([]);
  test = undefined;
});

const tlsOf = (names: RpcTls['names'] = 'bound'): RpcTls => {
  return { certificate: server.certificate, key: server.key, clientCa: ca.certificate, names };
};
const open = async (names?: RpcTls['names'], limits = {}): Promise<TestDoor> => {
  test = await openTestDoor({ tls: tlsOf(names), limits });
  return test;
};

type Identity = Partial<Pick<Certificate, 'certificate' | 'key'>>;
const optionsOf = ({ certificate, key }: Identity): { ca: string; cert?: string; key?: string } => {
  return { ca: ca.certificate, ...(certificate && { cert: certificate }), ...(key && { key }) };
};

const transports: Readonly<Record<string, (baseUrl: string, as: Identity, interceptors: Interceptor[]) => Transport>> =
  {
    'Connect over HTTP/1.1': (baseUrl, as, interceptors) =>
      createConnectTransport({ baseUrl, interceptors, httpVersion: '1.1', nodeOptions: optionsOf(as) }),
    'Connect over HTTP/2': (baseUrl, as, interceptors) =>
      createConnectTransport({ baseUrl, interceptors, httpVersion: '2', nodeOptions: optionsOf(as) }),
    'gRPC over HTTP/2': (baseUrl, as, interceptors) =>
      createGrpcTransport({ baseUrl, interceptors, nodeOptions: optionsOf(as) }),
    'gRPC-Web over HTTP/1.1': (baseUrl, as, interceptors) =>
      createGrpcWebTransport({ baseUrl, interceptors, httpVersion: '1.1', nodeOptions: optionsOf(as) }),
  };

function clientsAs(as: Identity, url: string, token: string, protocol: string): RpcClients {
  const withToken: Interceptor = (next) => (request) => {
    request.header.set('authorization', `Bearer ${token}`);
    return next(request);
  };
  const transport = transports[protocol]?.(url, as, [withToken]);
  if (transport === undefined) throw new Error(`no such protocol: ${protocol}`);
  return {
    accounts: createClient(AccountService, transport),
    payments: createClient(PaymentService, transport),
    payouts: createClient(PayoutService, transport),
  };
}

describe.each(Object.keys(transports))('%s', (protocol) => {
  it('is served to a client with a certificate, on the one port', async () => {
    const { url, token } = await open();
    const { payments } = clientsAs(shop, url, token, protocol);
    expect((await payments.batch({})).results).toEqual([]);
    expect((await refusedBy(payments.getPayment({ paymentId: 'x' }))).error.code).toBe(Code.InvalidArgument);
  });

  it('is refused to who has no certificate, or one of another authority', async () => {
    const { url, token } = await open();
    const elsewhere = await certificates.authority('elsewhere');
    for (const as of [{}, await certificates.issued(elsewhere, 'shop', 'DNS:shop'), elsewhere]) {
      const { error } = await refusedBy(clientsAs(as, url, token, protocol).payments.batch({}));
      expect(error.message).not.toMatch(/unauthenticated|permission_denied/);
    }
    expect((await clientsAs(shop, url, token, protocol).payments.batch({})).results).toEqual([]);
  });

  it("takes a token only over its own service's certificate", async () => {
    const { url, token, key } = await open();
    const issue = (service: string) => issueServiceToken({ key, service, tenant: 'test', ttlSeconds: 60 });
    const till = await certificates.issued(ca, 'till', 'DNS:till,DNS:till-2');
    const stolen = await refusedBy(clientsAs(till, url, token, protocol).payments.batch({}));
    expect(stolen.error).toMatchObject({
      code: Code.Unauthenticated,
      rawMessage: "the certificate of this connection does not bear the name shop of the token's service",
    });
    expect((await clientsAs(till, url, await issue('till-2'), protocol).payments.batch({})).results).toEqual([]);
    expect((await refusedBy(clientsAs(till, url, await issue('Till'), protocol).payments.batch({}))).error.code).toBe(
      Code.Unauthenticated,
    );
    // Still a token, and only a token, says who calls.
    expect((await refusedBy(clientsAs(shop, url, 'nothing', protocol).payments.batch({}))).error.code).toBe(
      Code.Unauthenticated,
    );
  });

  it('takes any certificate of the client CA where names are free', async () => {
    const { url, token } = await open('free');
    const till = await certificates.issued(ca, 'till');
    expect((await clientsAs(till, url, token, protocol).payments.batch({})).results).toEqual([]);
  });

  it('answers what is at work when the door closes', async () => {
    let finish: (outcome: Outcome) => void = () => undefined;
    const reached = Promise.withResolvers<undefined>();
    const execute = () => {
      reached.resolve(undefined);
      return new Promise<Outcome>((resolve) => (finish = resolve));
    };
    const nothing = () => Promise.resolve(undefined);
    test = await openTestDoor({
      tls: tlsOf(),
      runtime: { execute, payment: nothing, account: nothing, payout: nothing },
    });
    const { payments } = clientsAs(shop, test.url, test.token, protocol);
    const pay = { idempotencyKey: 'k', kind: PaymentKind.P2P, amount: '1', currency: 'XOF', upTo: PayUpTo.SETTLED };
    const atWork = refusedBy(payments.pay(pay));
    await reached.promise;
    const closed = test.door.close();
    finish({ ok: false, refusal: { code: 'Contended', message: 'reached' }, duplicate: false });
    expect((await atWork).error.rawMessage).toBe('reached');
    await closed;
    await refusedBy(payments.batch({}));
  });
});

describe('a certificate speaks for', () => {
  const speaks = async (commonName: string, subjectAltName: string | undefined, service: string) => {
    const { certificate } = await certificates.issued(ca, commonName, subjectAltName);
    return peerCertificate(new X509Certificate(certificate)).speaksFor(service);
  };
  it.each<[string, string | undefined, string, boolean]>([
    ['shop', undefined, 'shop', true],
    ['shop', undefined, 'shop2', false],
    ['other', 'DNS:shop', 'shop', true],
    ['other', 'DNS:a,DNS:shop', 'shop', true],
    // With DNS names the common name counts no more (RFC 6125, 6.4.4).
    ['shop', 'DNS:till', 'shop', false],
    ['other', 'DNS:SHOP', 'shop', false],
    ['other', 'DNS:*.shop', 'a.shop', false],
    ['other', 'DNS:*', 'shop', false],
    ['other', 'URI:shop', 'shop', false],
    ['other', 'email:shop@shop', 'shop', false],
  ])('CN %s, SAN %s: %s is %s', async (commonName, subjectAltName, service, expected) => {
    expect(await speaks(commonName, subjectAltName, service)).toBe(expected);
  });

  it('nobody when it has run out while its connection lives on', () => {
    const peer = peerCertificate(new X509Certificate(shop.certificate));
    expect(peer.speaksFor('shop')).toBe(true);
    vi.useFakeTimers({ toFake: ['Date'], now: Date.now() + 3 * 24 * 3_600_000 });
    try {
      expect(peer.speaksFor('shop')).toBe(false);
    } finally {
      vi.useRealTimers();
    }
  });
});

describe('the port', () => {
  const tlsTo = (more: ConnectionOptions = {}) => {
    const options = { ca: ca.certificate, cert: shop.certificate, key: shop.key, ...more };
    const socket = connectTls({ host: '127.0.0.1', port: test?.door.port ?? 0, ...options });
    let text = '';
    socket.setEncoding('latin1').on('data', (more: string) => (text += more));
    socket.on('error', () => undefined);
    const closed = new Promise<string>((resolve) => socket.once('close', () => resolve(text)));
    return { socket, closed };
  };

  it('lets go of who speaks in clear, says nothing, or stops in the handshake', async () => {
    await open('bound', { helloMs: 500 });
    const beginnings = ['GET / HTTP/1.1\r\nhost: x\r\n\r\n', '', 'PRI * HTTP/2.0\r\n\r\n', '\x16\x03\x01\x02'];
    for (const beginning of beginnings) {
      const socket = connectPlainly({ host: '127.0.0.1', port: test?.door.port ?? 0 });
      socket.on('error', () => undefined).resume();
      socket.write(beginning, 'latin1');
      await new Promise((resolve) => socket.once('close', resolve));
    }
    for (const protocol of ['h2', 'http/1.1']) await tlsTo({ ALPNProtocols: [protocol] }).closed;
    await tlsTo({ ALPNProtocols: [] }).closed;
  });

  it('serves a client that agrees on no protocol by its first bytes', async () => {
    await open();
    const { socket, closed } = tlsTo();
    socket.write('POST /nothing HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n');
    expect(await closed).toMatch(/^HTTP\/1\.1 404 /);
  });

  it('knows who a client is whose session goes on in another connection', async () => {
    const { token } = await open();
    const asking = `POST /kora.v1.PaymentService/Batch HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\n`;
    const request = `${asking}authorization: Bearer ${token}\r\nconnection: close\r\ncontent-length: 2\r\n\r\n{}`;
    const first = tlsTo();
    const session = new Promise<Buffer>((resolve) => first.socket.once('session', resolve));
    first.socket.write(request);
    expect(await first.closed).toMatch(/^HTTP\/1\.1 200 /);
    const second = tlsTo({ session: await session });
    second.socket.write(request);
    const reused = new Promise((resolve) => {
      second.socket.once('secureConnect', () => resolve(second.socket.isSessionReused()));
    });
    expect(await second.closed).toMatch(/^HTTP\/1\.1 200 /);
    expect(await reused).toBe(true);
    // A session is no way around the certificate: it says whose it was.
    const till = await issueServiceToken({
      key: test?.key ?? createServiceKey(),
      service: 'till',
      tenant: 'test',
      ttlSeconds: 60,
    });
    const third = tlsTo({ session: await session });
    third.socket.write(request.replace(token, till));
    expect(await third.closed).toMatch(/^HTTP\/1\.1 401 /);
  });

  it('speaks no TLS below 1.3', async () => {
    await open();
    expect(await tlsTo({ maxVersion: 'TLSv1.2' }).closed).toBe('');
    const { socket } = tlsTo();
    await new Promise((resolve) => socket.once('secureConnect', resolve));
    expect(socket.getProtocol()).toBe('TLSv1.3');
    socket.destroy();
  });

  it('closes at once where a handshake hangs', async () => {
    const { door } = await open();
    const hanging = connectPlainly({ host: '127.0.0.1', port: door.port });
    hanging.on('error', () => undefined).resume();
    await new Promise((resolve) => hanging.once('connect', resolve));
    const before = Date.now();
    await door.close();
    expect(Date.now() - before).toBeLessThan(5_000);
  });

  it('tells of those it turned away once, not each time', async () => {
    const warnings: object[] = [];
    const log = { error: () => undefined, warn: (details: object) => warnings.push(details) };
    test = await openTestDoor({ tls: tlsOf(), log });
    for (let count = 0; count < 5; count++) {
      const socket = connectPlainly({ host: '127.0.0.1', port: test.door.port });
      socket.on('error', () => undefined).resume();
      socket.write('nothing of TLS\r\n\r\n');
      await new Promise((resolve) => socket.once('close', resolve));
    }
    expect(warnings).toMatchObject([{ turnedAway: 1 }]);
  });

  it('is not opened with certificates that cannot be used', async () => {
    await expect(openTestDoor({ tls: { ...tlsOf(), key: shop.key } })).rejects.toThrow(/key values mismatch/);
    await expect(openTestDoor({ tls: { ...tlsOf(), certificate: 'nothing' } })).rejects.toThrow();
  });
});

describe('the configuration', () => {
  const paths = () => {
    const { certificateFile: rpcTlsCertificate, keyFile: rpcTlsKey } = server;
    return { rpcTlsCertificate, rpcTlsKey, rpcTlsClientCa: ca.certificateFile, rpcTlsNames: 'bound' as const };
  };

  it('gives all three files or none', async () => {
    const none = { rpcTlsCertificate: undefined, rpcTlsKey: undefined, rpcTlsClientCa: undefined };
    expect(await rpcTlsOf({ ...none, rpcTlsNames: 'bound' })).toBeUndefined();
    expect(await rpcTlsOf(paths())).toEqual(tlsOf());
    await expect(rpcTlsOf({ ...paths(), rpcTlsClientCa: undefined })).rejects.toThrow(
      'KORA_RPC_TLS_CLIENT_CA: is needed for TLS at the rpc door, beside what is set',
    );
    await expect(rpcTlsOf({ ...paths(), rpcTlsKey: '/nowhere' })).rejects.toThrow(
      'KORA_RPC_TLS_KEY: /nowhere cannot be read',
    );
  });

  it(
    'makes `kora serve` speak TLS, and `kora token --scope` limits what its tokens may',
    { timeout: 120_000 },
    async () => {
      const database = await createTestDatabase();
      const { rpcTlsCertificate, rpcTlsKey, rpcTlsClientCa } = paths();
      const pem = (key: ReturnType<typeof createServiceKey>['privateKey' | 'publicKey'], type: 'pkcs8' | 'spki') =>
        key.export({ type, format: 'pem' } as { type: 'pkcs8'; format: 'pem' }) as string;
      const [before, now] = [createServiceKey(), createServiceKey()];
      const env = {
        DATABASE_URL: database.connectionString,
        KORA_SERVICE_KEY: pem(now.privateKey, 'pkcs8'),
        KORA_SERVICE_KEYS_ACCEPTED: pem(before.publicKey, 'spki'),
        KORA_RPC_TLS_CERTIFICATE: rpcTlsCertificate,
        KORA_RPC_TLS_KEY: rpcTlsKey,
        KORA_RPC_TLS_CLIENT_CA: rpcTlsClientCa,
      };
      const serving = await serve([], { env });
      expect(serving.rpc).toMatch(/^https:/);
      const asShop = (token: string) => clientsAs(shop, serving.rpc, token, 'gRPC over HTTP/2');
      const issued = await kora(
        ['token', '--service', 'shop', '--scope', 'accounts:read', '--scope', 'payments:read'],
        {
          env,
        },
      );
      const scoped = asShop(issued.stdout.trim());
      expect((await refusedBy(scoped.accounts.getAccount({ accountId: 'a' }))).error.code).toBe(Code.NotFound);
      expect((await refusedBy(scoped.accounts.openAccount({}))).error.code).toBe(Code.PermissionDenied);
      const old = await issueServiceToken({ key: before, service: 'shop', tenant: 'kora', ttlSeconds: 60 });
      expect((await asShop(old).payments.batch({})).results).toEqual([]);
      serving.process.kill('SIGTERM');
      expect((await serving.ended).code).toBe(0);
      await database.drop();
    },
  );
});
