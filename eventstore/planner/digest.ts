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
  const hash = new FramedHash();
  for (const { meta, rows } of units) {
    hash.text(meta);
    hash.int4(rows.length);
    for (const row of rows) {
      hash.text(row.stream);
      hash.int8(row.expect ?? -1);
      hash.int4(row.count);
      hash.text(row.events);
    }
  }
  return hash.digest();
}

/** Gathers what is hashed and hands it over in large pieces: a call of the hash costs more than a row's bytes. */
class FramedHash {
  readonly #hash = createHash('sha256');
  readonly #buffer = Buffer.allocUnsafe(64 * 1024);
  #end = 0;

  text(text: string): void {
    // A UTF-16 unit has at most three bytes of UTF-8.
    const sizeMax = 4 + text.length * 3;
    if (sizeMax > this.#buffer.length) {
      const bytes = Buffer.from(text);
      this.int4(bytes.length);
      this.#flush();
      this.#hash.update(bytes);
      return;
    }
    this.#makeRoom(sizeMax);
    const written = this.#buffer.write(text, this.#end + 4);
    this.#end = this.#buffer.writeInt32BE(written, this.#end) + written;
  }

  int4(value: number): void {
    this.#makeRoom(4);
    this.#end = this.#buffer.writeInt32BE(value, this.#end);
  }

  /** A safe integer in eight bytes. */
  int8(value: number): void {
    this.#makeRoom(8);
    this.#buffer.writeInt32BE(Math.floor(value / 2 ** 32), this.#end);
    this.#end = this.#buffer.writeUInt32BE(value >>> 0, this.#end + 4);
  }

  digest(): Buffer {
    this.#flush();
    return this.#hash.digest();
  }

  #makeRoom(size: number): void {
    if (this.#end + size > this.#buffer.length) this.#flush();
  }

  #flush(): void {
    this.#hash.update(this.#buffer.subarray(0, this.#end));
    this.#end = 0;
  }
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
