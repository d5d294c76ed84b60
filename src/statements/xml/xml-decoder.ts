import { StatementUnreadableError } from '../statement-reader.ts';

/**
 * The bytes of an XML document as characters. The encoding is what the byte order mark or the XML declaration says, never
 * a guess; bytes that contradict it are an error at their place.
 */
export class XmlDecoder {
  #head: Uint8Array<ArrayBufferLike> = EMPTY;
  #decode: Decode | undefined;
  /** Bytes 80 to 9F under a declaration of ISO-8859-1: read as CP1252, which is what was meant. */
  #sawCp1252 = false;

  /** Hands the characters of `bytes` to `take`; where they cannot be, those before are handed over, then it throws. */
  write(bytes: Uint8Array, take: (text: string) => void): void {
    if (this.#decode !== undefined) {
      this.#decode(bytes, take, false);
      return;
    }
    this.#head = joined(this.#head, bytes);
    const encoding = encodingOf(this.#head);
    if (encoding === undefined) return;
    this.#begin(encoding, take);
  }

  end(take: (text: string) => void): void {
    if (this.#decode === undefined) this.#begin(encodingOf(this.#head, true) ?? { name: 'utf-8', bomLength: 0 }, take);
    this.#decode?.(EMPTY, take, true);
  }

  /** Whether a declaration of ISO-8859-1 was proven to mean CP1252. */
  get sawCp1252(): boolean {
    return this.#sawCp1252;
  }

  #begin({ name, bomLength }: Encoding, take: (text: string) => void): void {
    const head = this.#head.subarray(bomLength);
    this.#head = EMPTY;
    this.#decode = this.#decoderOf(name);
    this.#decode(head, take, false);
  }

  #decoderOf(name: EncodingName): Decode {
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
          if (byte >= 0x80 && byte <= 0x9f) this.#sawCp1252 = true;
          return cp1252(byte);
        });
    }
  }
}

type EncodingName = 'utf-8' | 'utf-16le' | 'utf-16be' | 'iso-8859-1' | 'iso-8859-15' | 'windows-1252' | 'us-ascii';
type Decode = (bytes: Uint8Array, take: (text: string) => void, last: boolean) => void;

interface Encoding {
  readonly name: EncodingName;
  readonly bomLength: number;
}

const EMPTY = new Uint8Array(0);
/** An XML declaration is shorter than this. */
const DECLARATION_BYTES_MAX = 256;

const NAMES: Readonly<Record<string, EncodingName | 'utf-16'>> = {
  'utf-8': 'utf-8',
  utf8: 'utf-8',
  'us-ascii': 'us-ascii',
  ascii: 'us-ascii',
  'utf-16': 'utf-16',
  'utf-16le': 'utf-16le',
  'utf-16be': 'utf-16be',
  'iso-8859-1': 'iso-8859-1',
  iso8859_1: 'iso-8859-1',
  latin1: 'iso-8859-1',
  'iso-8859-15': 'iso-8859-15',
  'latin-9': 'iso-8859-15',
  'windows-1252': 'windows-1252',
  cp1252: 'windows-1252',
  'cp-1252': 'windows-1252',
};

/** Undefined while too few bytes are there to say. */
function encodingOf(head: Uint8Array, last = false): Encoding | undefined {
  if (head.length < 4 && !last) return undefined;
  const marked = byMark(head);
  const wide = marked?.name === 'utf-16le' || marked?.name === 'utf-16be';
  const step = wide ? 2 : 1;
  const start = marked?.bomLength ?? 0;
  const ascii = narrow(head.subarray(start, start + DECLARATION_BYTES_MAX * step), step, marked?.name === 'utf-16be');
  if (ascii.startsWith('<?xml') && !ascii.includes('?>') && ascii.length < DECLARATION_BYTES_MAX && !last) {
    return undefined;
  }
  if (!last && !ascii.startsWith('<?xml') && '<?xml'.startsWith(ascii)) return undefined;
  const said = /^<\?xml[^>]*?encoding\s*=\s*["']([A-Za-z0-9._-]+)["']/.exec(ascii)?.[1];
  return agreed(marked, said);
}

function agreed(marked: Encoding | undefined, said: string | undefined): Encoding {
  if (said === undefined) return marked ?? { name: 'utf-8', bomLength: 0 };
  const name = NAMES[said.toLowerCase()];
  if (name === undefined) {
    throw new StatementUnreadableError(
      'CharsetUnknown',
      'the XML declaration names a character set that is not read here: UTF-8, UTF-16, ISO-8859-1, ISO-8859-15 and CP1252 are',
      AT_START,
    );
  }
  if (marked === undefined) {
    if (!name.startsWith('utf-16')) return { name: name as EncodingName, bomLength: 0 };
  } else if (name === marked.name || (name === 'utf-16' && marked.name.startsWith('utf-16'))) {
    return marked;
  }
  throw new StatementUnreadableError(
    'CharsetContradicted',
    `the XML declaration says ${name}, the bytes are ${marked?.name ?? 'not'}: ask the bank which one is meant`,
    AT_START,
  );
}

const AT_START = { line: 1, column: 1 } as const;

/** A byte order mark, or `<?` in two bytes each. */
function byMark(head: Uint8Array): Encoding | undefined {
  const [a, b, c, d] = head;
  if (a === 0xef && b === 0xbb && c === 0xbf) return { name: 'utf-8', bomLength: 3 };
  if (a === 0xff && b === 0xfe) return { name: 'utf-16le', bomLength: 2 };
  if (a === 0xfe && b === 0xff) return { name: 'utf-16be', bomLength: 2 };
  if (a === 0x3c && b === 0 && c !== 0 && d === 0) return { name: 'utf-16le', bomLength: 0 };
  if (a === 0 && b === 0x3c && c === 0 && d !== 0) return { name: 'utf-16be', bomLength: 0 };
  return undefined;
}

function narrow(bytes: Uint8Array, step: number, bigEndian: boolean): string {
  let text = '';
  for (let i = step === 2 && bigEndian ? 1 : 0; i < bytes.length; i += step) text += String.fromCharCode(bytes[i] ?? 0);
  return text;
}

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

/** Thrown without a place; the parser, which knows it, gives it one. */
export class CharsetContradiction extends Error {}

function contradicted(charset: string): CharsetContradiction {
  return new CharsetContradiction(charset);
}

function joined(a: Uint8Array, b: Uint8Array): Uint8Array {
  if (a.length === 0) return b;
  if (b.length === 0) return a;
  const all = new Uint8Array(a.length + b.length);
  all.set(a);
  all.set(b, a.length);
  return all;
}
