import { sign, verify, type KeyObject } from 'node:crypto';
import { thumbprintOf } from '../platform/ed25519.ts';

/** What a signed checkpoint says: the log had this commit last, with this hash, which is over everything before it. */
export interface CheckpointClaim {
  /** Names the log: the hash of its first commit, in hexadecimal digits. */
  readonly log: string;
  /** Position of the commit's first event. */
  readonly position: number;
  /** Events in the commit. */
  readonly count: number;
  /** Hash of the commit, in hexadecimal digits. */
  readonly hash: string;
  /** When the commit was recorded, as ISO 8601 in UTC with microseconds. */
  readonly recordedAt: string;
  readonly signedAt: string;
}

export interface SignedCheckpoint extends CheckpointClaim {
  /** Thumbprint of the key that signed. It says which key to look for, never that it can be trusted. */
  readonly key: string;
  /** Ed25519 (RFC 8032), base64url. */
  readonly signature: string;
}

/** A file is not a checkpoint as kora writes it. */
export class CheckpointFormatError extends Error {
  override readonly name = 'CheckpointFormatError';
  readonly code = 'CheckpointFormat';
}

const format = 'kora-checkpoint/1';

export function signCheckpoint(
  claim: CheckpointClaim,
  { privateKey, publicKey }: { readonly privateKey: KeyObject; readonly publicKey: KeyObject },
): SignedCheckpoint {
  const unsigned = { ...claim, key: thumbprintOf(publicKey) };
  return { ...unsigned, signature: sign(null, signedBytes(unsigned), privateKey).toString('base64url') };
}

/**
 * Whether one of these keys signed it.
 *
 * @param keys those that the reader trusts; never taken from the checkpoint
 */
export function checkSignature(
  checkpoint: SignedCheckpoint,
  keys: readonly KeyObject[],
): 'good' | 'unknown key' | 'bad signature' {
  const key = keys.find((one) => thumbprintOf(one) === checkpoint.key);
  if (key === undefined) return 'unknown key';
  const signature = Buffer.from(checkpoint.signature, 'base64url');
  return verify(null, signedBytes(checkpoint), key, signature) ? 'good' : 'bad signature';
}

/**
 * What is signed: a text that no other signature of kora begins with, then each field framed by its length, in this order.
 * No two different checkpoints have the same bytes, and no signature made for another purpose can be passed off as one.
 */
function signedBytes({
  log,
  position,
  count,
  hash,
  recordedAt,
  signedAt,
  key,
}: Omit<SignedCheckpoint, 'signature'>): Buffer {
  const fields = [format, log, String(position), String(count), hash, recordedAt, signedAt, key];
  const framed = fields.flatMap((field) => {
    const bytes = Buffer.from(field);
    const length = Buffer.alloc(4);
    length.writeUInt32BE(bytes.length);
    return [length, bytes];
  });
  return Buffer.concat([Buffer.from('kora signed checkpoint\0'), ...framed]);
}

/** The text of the file. There is one for each checkpoint, byte for byte. */
export function renderCheckpoint(checkpoint: SignedCheckpoint): string {
  const { log, position, count, hash, recordedAt, signedAt, key, signature } = checkpoint;
  const document = { format, log, position, count, hash, recordedAt, signedAt, key, signature };
  return `${JSON.stringify(document, undefined, 2)}\n`;
}

const shapes = {
  log: /^[0-9a-f]{64}$/,
  hash: /^[0-9a-f]{64}$/,
  recordedAt: /^\d{4,6}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z$/,
  signedAt: /^\d{4,6}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/,
  key: /^[\w-]{43}$/,
  signature: /^[\w-]{86}$/,
} as const;

/**
 * Reads the bytes of a file. Only what `renderCheckpoint` gives is taken, so that not a bit of the file can be otherwise
 * without being told.
 *
 * @throws CheckpointFormatError
 */
export function parseCheckpoint(bytes: Uint8Array): SignedCheckpoint {
  let document: Partial<Record<string, unknown>> | null;
  try {
    document = JSON.parse(Buffer.from(bytes).toString()) as typeof document;
  } catch {
    throw new CheckpointFormatError('it is not JSON');
  }
  if (document?.['format'] !== format) {
    throw new CheckpointFormatError(`its format is not "${format}"`);
  }
  for (const [name, shape] of Object.entries(shapes)) {
    const value = document[name];
    if (typeof value !== 'string' || !shape.test(value)) throw new CheckpointFormatError(`its ${name} cannot be read`);
  }
  for (const name of ['position', 'count']) {
    const value = document[name];
    if (!Number.isSafeInteger(value) || (value as number) < 1)
      throw new CheckpointFormatError(`its ${name} cannot be read`);
  }
  const checkpoint = document as unknown as SignedCheckpoint;
  // The last digit of base64 has bits that mean nothing; they have to be those that are written.
  const signature = Buffer.from(checkpoint.signature, 'base64url').toString('base64url');
  if (!Buffer.from(renderCheckpoint({ ...checkpoint, signature })).equals(bytes)) {
    throw new CheckpointFormatError('it is not byte for byte as kora writes it');
  }
  return checkpoint;
}

/** The last position that it vouches for. */
export function endOf({ position, count }: Pick<CheckpointClaim, 'position' | 'count'>): number {
  return position + count - 1;
}
