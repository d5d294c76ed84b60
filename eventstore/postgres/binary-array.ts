/**
 * Postgres arrays in the wire's binary format (`array_recv`): the events of a batch go in as they are, with no quoting
 * and no parsing of array literals on the other side. `pg` sends a Buffer parameter as binary.
 */
const oid = { int4: 23, int8: 20, text: 25 } as const;

function header(buffer: Buffer, elementOid: number, length: number, hasNull: boolean): number {
  buffer.writeInt32BE(1, 0);
  buffer.writeInt32BE(hasNull ? 1 : 0, 4);
  buffer.writeInt32BE(elementOid, 8);
  buffer.writeInt32BE(length, 12);
  return buffer.writeInt32BE(1, 16);
}

export function int4Array(values: readonly (number | null)[]): Buffer {
  const buffer = Buffer.allocUnsafe(20 + values.length * 8);
  let at = header(buffer, oid.int4, values.length, values.includes(null));
  for (const value of values) {
    if (value === null) {
      at = buffer.writeInt32BE(-1, at);
    } else {
      at = buffer.writeInt32BE(4, at);
      at = buffer.writeInt32BE(value, at);
    }
  }
  return buffer.subarray(0, at);
}

export function int8Array(values: readonly (number | null)[]): Buffer {
  const buffer = Buffer.allocUnsafe(20 + values.length * 12);
  let at = header(buffer, oid.int8, values.length, values.includes(null));
  for (const value of values) {
    if (value === null) {
      at = buffer.writeInt32BE(-1, at);
    } else {
      at = buffer.writeInt32BE(8, at);
      // Two halves: a BigInt for every number would be garbage.
      at = buffer.writeInt32BE(Math.floor(value / 2 ** 32), at);
      at = buffer.writeUInt32BE(value >>> 0, at);
    }
  }
  return buffer.subarray(0, at);
}

export function textArray(values: readonly (string | null)[]): Buffer {
  let size = 20;
  for (const value of values) size += 4 + (value === null ? 0 : value.length * 3);
  const buffer = Buffer.allocUnsafe(size);
  let at = header(buffer, oid.text, values.length, values.includes(null));
  for (const value of values) {
    const written = value === null ? -1 : buffer.write(value, at + 4);
    at = buffer.writeInt32BE(written, at) + Math.max(written, 0);
  }
  return buffer.subarray(0, at);
}
