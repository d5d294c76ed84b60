import { createHash } from 'node:crypto';

/** What the chain covers of a unit; bytes as stored. */
export interface DigestUnit {
  readonly meta: string;
  readonly rows: readonly {
    readonly stream: string;
    /** Expected version; null for unconstrained streams, whose versions nobody knew before the lock. */
    readonly expect: number | null;
    readonly count: number;
    readonly events: string;
  }[];
}

/**
 * sha256 over the units of a commit: per unit its meta and its number of rows, per row stream, expectation, count and
 * events. Every text is framed by its length, so that no two different contents have the same bytes.
 */
export function digestOf(units: readonly DigestUnit[]): Buffer {
  const hash = createHash('sha256');
  for (const { meta, rows } of units) {
    let size = 8 + Buffer.byteLength(meta);
    for (const row of rows) size += 20 + Buffer.byteLength(row.stream) + Buffer.byteLength(row.events);
    const buffer = Buffer.allocUnsafe(size);
    let at = writeFramed(buffer, meta, 0);
    at = buffer.writeInt32BE(rows.length, at);
    for (const row of rows) {
      at = writeFramed(buffer, row.stream, at);
      at = buffer.writeBigInt64BE(BigInt(row.expect ?? -1), at);
      at = buffer.writeInt32BE(row.count, at);
      at = writeFramed(buffer, row.events, at);
    }
    hash.update(buffer);
  }
  return hash.digest();
}

function writeFramed(buffer: Buffer, text: string, at: number): number {
  const written = buffer.write(text, at + 4);
  buffer.writeInt32BE(written, at);
  return at + 4 + written;
}

/** The next link of the chain. `recordedAtMicros` is the recorded time in microseconds since 1970. */
export function linkOf(
  previous: Buffer,
  position: number,
  count: number,
  recordedAtMicros: bigint,
  digest: Buffer,
): Buffer {
  const fixed = Buffer.allocUnsafe(20);
  fixed.writeBigInt64BE(BigInt(position), 0);
  fixed.writeInt32BE(count, 8);
  fixed.writeBigInt64BE(recordedAtMicros, 12);
  return createHash('sha256').update(previous).update(fixed).update(digest).digest();
}
