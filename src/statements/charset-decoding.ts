/** A decoder of one character set: hands characters on as they become whole, and throws `CharsetContradiction` at a byte that is none of it. */
export type Decode = (bytes: Uint8Array, take: (text: string) => void, last: boolean) => void;

export const CHARSETS = [
  'utf-8',
  'utf-16le',
  'utf-16be',
  'iso-8859-1',
  'iso-8859-15',
  'windows-1252',
  'us-ascii',
] as const;
export type CharsetName = (typeof CHARSETS)[number];

/**
 * `onCp1252`: told when text that is said to be ISO-8859-1 has bytes 80 to 9F, which are control characters there and
 * letters in CP1252, which is what was meant: they are read so.
 */
export function decoderOf(name: CharsetName, onCp1252: () => void): Decode {
  switch (name) {
    case 'utf-8':
      return utf8Decode();
    case 'us-ascii':
      return singleByte((byte) => {
        if (byte < 0x80) return byte;
        throw contradicted('US-ASCII');
      });
    case 'utf-16le':
    case 'utf-16be':
      return utf16Decode(name === 'utf-16le');
    case 'windows-1252':
      return singleByte(cp1252);
    case 'iso-8859-15':
      return singleByte((byte) => LATIN_9[byte] ?? byte);
    case 'iso-8859-1':
      return singleByte((byte) => {
        if (byte >= 0x80 && byte <= 0x9f) onCp1252();
        return cp1252(byte);
      });
  }
}

const EMPTY = new Uint8Array(0);

/** Cut at whole characters by itself: the decoder's own stream mode loses the place of a wrong byte. */
function utf8Decode(): Decode {
  const strict = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });
  let rest: Uint8Array = EMPTY;
  return (bytes, take, last) => {
    const all = joined(rest, bytes);
    const whole = last ? all.length : wholeUtf8(all);
    rest = all.slice(whole);
    const piece = all.subarray(0, whole);
    let text: string;
    try {
      text = strict.decode(piece);
    } catch {
      take(validPrefix(piece));
      throw contradicted('UTF-8');
    }
    if (text !== '') take(text);
  };
}

/** How many bytes are whole characters: up to three at the end may be the beginning of one. */
function wholeUtf8(bytes: Uint8Array): number {
  for (let back = 1; back <= 3 && back <= bytes.length; back++) {
    const byte = bytes[bytes.length - back] ?? 0;
    if (byte < 0x80) break;
    if (byte >= 0xc0) {
      const wanted = byte >= 0xf0 ? 4 : byte >= 0xe0 ? 3 : 2;
      return wanted > back ? bytes.length - back : bytes.length;
    }
  }
  return bytes.length;
}

/** The text before the first wrong byte, found by halving. */
function validPrefix(bytes: Uint8Array): string {
  const decoded = (length: number): string | undefined => {
    try {
      return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes.subarray(0, length), {
        stream: true,
      });
    } catch {
      return undefined;
    }
  };
  let good = 0;
  let bad = bytes.length;
  while (bad - good > 1) {
    const middle = (good + bad) >> 1;
    if (decoded(middle) === undefined) bad = middle;
    else good = middle;
  }
  return decoded(good) ?? '';
}

function utf16Decode(littleEndian: boolean): Decode {
  let rest: Uint8Array = EMPTY;
  return (bytes, take, last) => {
    const all = joined(rest, bytes);
    const whole = all.length - (all.length % 2);
    rest = all.slice(whole);
    const view = new DataView(all.buffer, all.byteOffset, whole);
    for (let from = 0; from < whole; from += 2 * PIECE) {
      const codes: number[] = [];
      for (let i = from; i < Math.min(whole, from + 2 * PIECE); i += 2) codes.push(view.getUint16(i, littleEndian));
      take(String.fromCharCode(...codes));
    }
    if (last && rest.length > 0) throw contradicted('UTF-16');
  };
}

const PIECE = 4096;

function singleByte(codeOf: (byte: number) => number): Decode {
  return (bytes, take) => {
    for (let from = 0; from < bytes.length; from += PIECE) {
      const codes: number[] = [];
      try {
        for (const byte of bytes.subarray(from, from + PIECE)) codes.push(byte < 0x80 ? byte : codeOf(byte));
      } finally {
        if (codes.length > 0) take(String.fromCharCode(...codes));
      }
    }
  };
}

/** 80 to 9F of Windows code page 1252. Not by `TextDecoder`: some versions of Node 22 read these as ISO-8859-1. */
const CP1252_HIGH = [
  0x20ac, 0x81, 0x201a, 0x192, 0x201e, 0x2026, 0x2020, 0x2021, 0x2c6, 0x2030, 0x160, 0x2039, 0x152, 0x8d, 0x17d, 0x8f,
  0x90, 0x2018, 0x2019, 0x201c, 0x201d, 0x2022, 0x2013, 0x2014, 0x2dc, 0x2122, 0x161, 0x203a, 0x153, 0x9d, 0x17e, 0x178,
];

function cp1252(byte: number): number {
  return byte >= 0x80 && byte <= 0x9f ? (CP1252_HIGH[byte - 0x80] ?? byte) : byte;
}

/** Where ISO-8859-15 differs from ISO-8859-1. */
const LATIN_9: Readonly<Record<number, number>> = {
  0xa4: 0x20ac,
  0xa6: 0x160,
  0xa8: 0x161,
  0xb4: 0x17d,
  0xb8: 0x17e,
  0xbc: 0x152,
  0xbd: 0x153,
  0xbe: 0x178,
};

/** Thrown without a place; who reads the characters knows it, and gives it one. Its message is the character set. */
export class CharsetContradiction extends Error {}

function contradicted(charset: string): CharsetContradiction {
  return new CharsetContradiction(charset);
}

export function joined(a: Uint8Array, b: Uint8Array): Uint8Array {
  if (a.length === 0) return b;
  if (b.length === 0) return a;
  const all = new Uint8Array(a.length + b.length);
  all.set(a);
  all.set(b, a.length);
  return all;
}
