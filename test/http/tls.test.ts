import { request } from 'node:https';
import { text as textOf } from 'node:stream/consumers';
import { connect, type SecureVersion } from 'node:tls';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { type Certificate, Certificates } from '../rpc/certificates.ts';
import { type HttpProduct, openProduct, type Someone } from './support/product.ts';

/**
 * Proves that with certificates the http door speaks TLS alone; that people come without a certificate of theirs; and that a
 * service's token is taken only over the certificate of the service.
 */
let certificates: Certificates;
let house: Certificate;
let product: HttpProduct;
beforeAll(async () => {
  certificates = await Certificates.open();
  house = await certificates.authority('house');
  const { certificate, key } = await certificates.issued(house, 'core', 'IP:127.0.0.1');
  product = await openProduct({ tls: { certificate, key, clientCa: house.certificate } });
}, 60_000);
afterAll(async () => {
  await product.close();
  await certificates.remove();
});

async function get(who: Someone, as?: Certificate): Promise<unknown[]> {
  const shown = as === undefined ? {} : { cert: as.certificate, key: as.key };
  const options = { ca: house.certificate, ...shown, headers: who.headers, agent: false as const };
  const { promise, resolve, reject } = Promise.withResolvers<unknown[]>();
  request(`https://127.0.0.1:${product.door.port}/v1/payments`, options, (response) => {
    void textOf(response).then((text) => {
      const { reason, detail } = JSON.parse(text) as { reason?: string; detail?: string };
      resolve([response.statusCode, reason, detail]);
    }, reject);
  })
    .once('error', reject)
    .end();
  return promise;
}

it('lets people in without a certificate, and with any', async () => {
  const ada = await product.user('customer');
  expect((await get(ada))[0]).toBe(200);
  expect((await get(ada, await certificates.authority('elsewhere')))[0]).toBe(200);
});

it("takes a service's token over the service's certificate alone", async () => {
  const shop = await product.service(undefined, 'shop');
  const bears = 'the certificate of this connection does not bear';
  expect((await get(shop, await certificates.issued(house, 'shop', 'DNS:shop')))[0]).toBe(200);
  expect(await get(shop)).toEqual([401, 'certificate', expect.stringContaining('this connection has none')]);
  expect(await get(shop, await certificates.issued(house, 'till', 'DNS:till'))).toEqual([
    401,
    'certificate',
    expect.stringContaining(`${bears} the name shop`),
  ]);
  const strangers = await certificates.issued(await certificates.authority('elsewhere'), 'shop', 'DNS:shop');
  expect(await get(shop, strangers)).toEqual([401, 'certificate', expect.stringContaining('not one of the client CA')]);
});

it('speaks TLS 1.3 alone', async () => {
  await expect(fetch(`http://127.0.0.1:${product.door.port}/health/live`)).rejects.toThrow();
  const agreed = async (maxVersion: SecureVersion): Promise<string | null> => {
    const { promise, resolve } = Promise.withResolvers<string | null>();
    const options = { port: product.door.port, host: '127.0.0.1', ca: house.certificate, maxVersion };
    const socket = connect({ ...options, minVersion: 'TLSv1.2' }, () => resolve(socket.getProtocol()));
    socket.once('error', () => resolve(null));
    const version = await promise;
    socket.destroy();
    return version;
  };
  expect(await agreed('TLSv1.2')).toBe(null);
  expect(await agreed('TLSv1.3')).toBe('TLSv1.3');
});
