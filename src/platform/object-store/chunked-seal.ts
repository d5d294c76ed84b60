import { createCipheriv, createDecipheriv } from 'node:crypto';
import { ObjectStoreError } from './object-store.ts';

/**
 * Authenticated encryption of a stream of any length in chunks, after the STREAM construction of Hoang, Reyhanitabar, Rogaway
 * and Vizár (2015): the nonce of a chunk is its number and whether it is the last one. So a chunk that is changed, left out,
 * repeated or moved does not open, and neither does a stream that was cut off, even at the end of a chunk.
 *
 * AES-256-GCM. The key must be of this stream alone: nonces begin at 0.
 */
export const chunkBytes = 64 * 1024;
const TAG_BYTES = 16;
const ALGORITHM = 'aes-256-gcm';

/** @param header what stands before the chunks in the clear: changed, nothing opens any more */
export async function* sealChunks(
  key: Buffer,
  header: Buffer,
  plain: AsyncIterable<Uint8Array>,
): AsyncGenerator<Buffer> {
  let number = 0;
  const seal = (chunk: Buffer, last: boolean): Buffer => {
    const cipher = createCipheriv(ALGORITHM, key, nonceOf(number++, last)).setAAD(header);
    return Buffer.concat([cipher.update(chunk), cipher.final(), cipher.getAuthTag()]);
  };
  let last: Buffer = Buffer.alloc(0);
  // One is held back: only the end says which one is the last.
  for await (const chunk of inPieces(plain, chunkBytes)) {
    if (last.length > 0) yield seal(last, false);
    last = chunk;
  }
  yield seal(last, true);
}

/** @throws ObjectStoreError `ObjectDamaged`. What was given before it is authentic, and not all there is. */
export async function* openChunks(
  key: Buffer,
  header: Buffer,
  sealed: AsyncIterable<Uint8Array>,
): AsyncGenerator<Buffer> {
  let number = 0;
  const open = (chunk: Buffer, last: boolean): Buffer => {
    if (chunk.length < TAG_BYTES) throw damaged();
    const decipher = createDecipheriv(ALGORITHM, key, nonceOf(number++, last), { authTagLength: TAG_BYTES });
    const at = chunk.length - TAG_BYTES;
    decipher.setAAD(header).setAuthTag(chunk.subarray(at));
    try {
      return Buffer.concat([decipher.update(chunk.subarray(0, at)), decipher.final()]);
    } catch {
      throw damaged();
    }
  };
  let last: Buffer = Buffer.alloc(0);
  for await (const chunk of inPieces(sealed, chunkBytes + TAG_BYTES)) {
    if (last.length > 0) yield open(last, false);
    last = chunk;
  }
  yield open(last, true);
}

function damaged(): ObjectStoreError {
  return new ObjectStoreError('ObjectDamaged', 'the object is not as it was stored: changed, cut off, or another key');
}

/** 12 bytes: 7 zeros, the chunk's number, and 1 for the last one. */
function nonceOf(number: number, last: boolean): Buffer {
  const nonce = Buffer.alloc(12);
  nonce.writeUInt32BE(number, 7);
  nonce[11] = last ? 1 : 0;
  return nonce;
}

/** The same bytes in pieces of one size; the last one may be shorter, and none is empty. */
async function* inPieces(bytes: AsyncIterable<Uint8Array>, size: number): AsyncGenerator<Buffer> {
  let waiting: Uint8Array[] = [];
  let count = 0;
  for await (const some of bytes) {
    waiting.push(some);
    count += some.length;
    if (count < size) continue;
    const all = Buffer.concat(waiting, count);
    let from = 0;
    for (; count - from >= size; from += size) yield all.subarray(from, from + size);
    waiting = [all.subarray(from)];
    count -= from;
  }
  if (count > 0) yield Buffer.concat(waiting, count);
}
