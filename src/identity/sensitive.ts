import { verify } from 'node:crypto';
import { deviceKeyOf, keyObjectOf } from './device.ts';
import type { From, SensitiveRequest } from './face.ts';
import type { Vault } from './vault.ts';
import { recordDecision } from './postgres/audit.ts';
import { granted, refused, type Answer, type IdentityRefusal } from './refusal.ts';

/** A request is good from so long before its time-stamp until so long after it. */
export const WINDOW_MS = 2 * 60_000;
/** Nonces are kept this much longer: the clocks of our processes differ, and one of them may clear up. */
const NONCE_MARGIN_MS = 60_000;

const NONCE = /^[A-Za-z0-9_-]{16,64}$/;
const SIGNATURE = /^[A-Za-z0-9_-]{86}$/;
const INSTANT = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,9})?Z$/;

/** Finds the key of a caller's device: raw, 32 bytes. */
export type DeviceKeys = (userId: string, deviceId: string) => Buffer | undefined;

/** The bytes that a device signs. Each part is a line, and none of them can hold a line end. */
export function signedText(request: {
  readonly method: string;
  readonly path: string;
  readonly timestamp: string;
  readonly nonce: string;
  readonly bodySha256: string;
}): string {
  const { method, path, timestamp, nonce, bodySha256 } = request;
  return ['kora/sensitive/1', method, path, timestamp, nonce, bodySha256].join('\n');
}

/**
 * See `Identity.verifySensitive`.
 *
 * @param issued keys that came with the caller's token (an OIDC issuer's `cnf` claim), where the table has none
 */
export async function verifySensitive(
  vault: Vault,
  request: SensitiveRequest,
  from: From,
  issued: DeviceKeys = () => undefined,
): Promise<Answer<void>> {
  const refusal = await refusalOf(vault, request, issued);
  const { principal: caller, method, path } = request;
  await recordDecision(vault.pool, vault, {
    action: 'sensitive-command',
    outcome: refusal?.code ?? 'accepted',
    actor: caller.principal,
    subject: caller.principal,
    sessionId: caller.sessionId,
    deviceId: caller.deviceId,
    // The path without its query: ids of ours only.
    detail: { method, path: path.split('?', 1)[0] ?? '' },
    from,
  });
  return refusal === undefined ? granted(undefined) : refused(refusal);
}

async function refusalOf(
  vault: Vault,
  request: SensitiveRequest,
  issued: DeviceKeys,
): Promise<IdentityRefusal | undefined> {
  const { principal: caller, timestamp, nonce, signature } = request;
  const userId = /^user:(.+)$/.exec(caller.principal)?.[1];
  if (userId === undefined || caller.deviceId === undefined) return noDevice;
  if (timestamp === undefined || nonce === undefined || signature === undefined) return unsigned;
  if (!INSTANT.test(timestamp) || !NONCE.test(nonce) || !SIGNATURE.test(signature)) return malformed;
  const saidMs = Date.parse(timestamp);
  const nowMs = vault.now().getTime();
  if (!(Math.abs(nowMs - saidMs) <= WINDOW_MS)) return outsideWindow;
  const raw = issued(userId, caller.deviceId) ?? (await deviceKeyOf(vault.pool, userId, caller.deviceId));
  if (raw === undefined) return noDevice;
  const text = Buffer.from(signedText({ ...request, timestamp, nonce }));
  // Before the nonce is taken: otherwise whoever guesses nonces could spend them for the device.
  if (!verify(null, text, keyObjectOf(raw), Buffer.from(signature, 'base64url'))) return badSignature;
  const { rowCount } = await vault.pool.query(
    `INSERT INTO identity.nonces (user_id, device_id, nonce, keep_until) VALUES ($1, $2, $3, $4)
     ON CONFLICT DO NOTHING`,
    [userId, caller.deviceId, nonce, new Date(saidMs + WINDOW_MS + NONCE_MARGIN_MS)],
  );
  return rowCount === 1 ? undefined : replayed;
}

const noDevice: IdentityRefusal = {
  code: 'SignatureRequired',
  message: 'this command must be signed by a device, and the caller has none that is registered here',
};
const unsigned: IdentityRefusal = {
  code: 'SignatureRequired',
  message: 'this command must be signed by its device: send kora-timestamp, kora-nonce and kora-signature',
};
const malformed: IdentityRefusal = {
  code: 'SignatureInvalid',
  message:
    'kora-timestamp is an instant in UTC, kora-nonce 16 to 64 and kora-signature 86 characters of base64url: one is not',
};
const badSignature: IdentityRefusal = {
  code: 'SignatureInvalid',
  message: 'the signature is not that of this device over this very request',
};
const outsideWindow: IdentityRefusal = {
  code: 'TimestampOutsideWindow',
  message: 'kora-timestamp is more than two minutes from now: set the clock, and sign again',
  windowMs: WINDOW_MS,
};
const replayed: IdentityRefusal = {
  code: 'NonceReplayed',
  message: 'this nonce was used before: sign again with a new one',
};
