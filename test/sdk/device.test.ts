/** What a device signs is what the identity module verifies, and a device that was written down is the same device. */
import { createHash, createPublicKey, verify } from 'node:crypto';
import { expect, it } from 'vitest';
import { createDevice, deviceFromJwk, deviceToJwk, type Device } from '../../sdk/index.ts';
import { signatureHeaders } from '../../sdk/session/device.ts';
import { signedText } from '../../src/identity/index.ts';

const request = { method: 'POST', path: '/v1/payments', body: '{"amount":"400"}' };

/** Whether the headers prove the request, looked at with Node's own cryptography. */
function proves(device: Device, headers: Readonly<Record<string, string>>, given = request): boolean {
  const text = signedText({
    ...given,
    timestamp: headers['kora-timestamp'] ?? '',
    nonce: headers['kora-nonce'] ?? '',
    bodySha256: createHash('sha256').update(given.body).digest('hex'),
  });
  const key = createPublicKey({ key: { kty: 'OKP', crv: 'Ed25519', x: device.publicKey }, format: 'jwk' });
  return verify(null, Buffer.from(text), key, Buffer.from(headers['kora-signature'] ?? '', 'base64url'));
}

it('signs method, path, time, nonce and body', async () => {
  const device = await createDevice();
  const headers = await signatureHeaders(device, request, new Date());
  expect(proves(device, headers)).toBe(true);
  for (const other of [{ method: 'PUT' }, { path: '/v1/payments/x' }, { body: '{"amount":"4000"}' }]) {
    expect(proves(device, headers, { ...request, ...other })).toBe(false);
  }
  expect(proves(await createDevice(), headers)).toBe(false);
  expect(proves(device, { ...headers, 'kora-nonce': 'another' })).toBe(false);
});

it('takes a new nonce each time', async () => {
  const device = await createDevice();
  const nonces = await Promise.all(Array.from({ length: 20 }, () => signatureHeaders(device, request, new Date())));
  expect(new Set(nonces.map((headers) => headers['kora-nonce'])).size).toBe(20);
  for (const headers of nonces) expect(headers['kora-nonce']).toMatch(/^[A-Za-z0-9_-]{16,64}$/);
});

it('is the same device after it was written down as JSON', async () => {
  const device = await createDevice({ extractable: true });
  const read = JSON.parse(JSON.stringify(await deviceToJwk(device))) as Awaited<ReturnType<typeof deviceToJwk>>;
  const again = await deviceFromJwk(read);
  expect([again.id, again.publicKey]).toEqual([device.id, device.publicKey]);
  expect(proves(device, await signatureHeaders(again, request, new Date()))).toBe(true);
});

it('does not give the private key away unless it was asked for at the making', async () => {
  await expect(deviceToJwk(await createDevice())).rejects.toThrow();
});

it('has an id and a public key as the door wants them', async () => {
  const { id, publicKey } = await createDevice();
  expect(id).toMatch(/^[A-Za-z0-9_-]{8,64}$/);
  expect(publicKey).toMatch(/^[A-Za-z0-9_-]{43}$/);
});
