import { createPublicKey, type KeyObject } from 'node:crypto';
import type { Queryable, Vault } from './vault.ts';
import { refused, type Answer } from './refusal.ts';

export interface Device {
  readonly id: string;
  /** Raw, 32 bytes. */
  readonly publicKey: Buffer;
}

const DEVICE_ID = /^[A-Za-z0-9_-]{8,64}$/;
const RAW_KEY = /^[A-Za-z0-9_-]{43}$/;

/** Reads what an app says of its device. */
export function readDevice(given: { readonly id: string; readonly publicKey: string }): Answer<Device> {
  if (!DEVICE_ID.test(given.id)) {
    return refused({
      code: 'InvalidIdentity',
      message: 'a device id is 8 to 64 of A-Z a-z 0-9 _ -',
      field: 'device.id',
    });
  }
  const publicKey = Buffer.from(given.publicKey, 'base64url');
  // Encoded again, because the last character of 43 has two bits that mean nothing: one key, one text.
  if (!RAW_KEY.test(given.publicKey) || publicKey.toString('base64url') !== given.publicKey) {
    const message = 'a device key is an Ed25519 public key: its 32 bytes in base64url, without padding';
    return refused({ code: 'InvalidIdentity', message, field: 'device.publicKey' });
  }
  return { ok: true, value: { id: given.id, publicKey } };
}

export function keyObjectOf(publicKey: Buffer): KeyObject {
  return createPublicKey({ key: { kty: 'OKP', crv: 'Ed25519', x: publicKey.toString('base64url') }, format: 'jwk' });
}

/**
 * Registers the device for this user, once.
 *
 * @returns false where it is registered with another key: who has the password has not got the device
 */
export async function registerDevice(
  db: Queryable,
  { now }: Pick<Vault, 'now'>,
  userId: string,
  { id, publicKey }: Device,
): Promise<boolean> {
  await db.query(
    `INSERT INTO identity.devices (user_id, device_id, public_key, registered_at) VALUES ($1, $2, $3, $4)
     ON CONFLICT (user_id, device_id) DO NOTHING`,
    [userId, id, publicKey, now()],
  );
  const known = await deviceKeyOf(db, userId, id);
  return known?.equals(publicKey) === true;
}

export async function deviceKeyOf(db: Queryable, userId: string, deviceId: string): Promise<Buffer | undefined> {
  const { rows } = await db.query<{ public_key: Buffer }>(
    'SELECT public_key FROM identity.devices WHERE user_id = $1 AND device_id = $2',
    [userId, deviceId],
  );
  return rows[0]?.public_key;
}
