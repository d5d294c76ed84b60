import { decoderOf, joined, type CharsetName, type Decode } from '../charset-decoding.ts';
import { StatementUnreadableError } from '../statement-reader.ts';

/**
 * The bytes of an XML document as characters. The encoding is what the byte order mark or the XML declaration says, never
 * a guess; bytes that contradict it are an error at their place.
 */
export class XmlDecoder {
  #head: Uint8Array = EMPTY;
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
    this.#decode = decoderOf(name, () => (this.#sawCp1252 = true));
    this.#decode(head, take, false);
  }
}

interface Encoding {
  readonly name: CharsetName;
  readonly bomLength: number;
}

const EMPTY = new Uint8Array(0);
/** An XML declaration is shorter than this. */
const DECLARATION_BYTES_MAX = 256;

const NAMES: Readonly<Record<string, CharsetName | 'utf-16'>> = {
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
    if (!name.startsWith('utf-16')) return { name: name as CharsetName, bomLength: 0 };
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
