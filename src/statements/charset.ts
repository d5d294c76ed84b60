import type { CharsetName } from './charset-decoding.ts';
import type { StatementProblem } from './statement.ts';

/**
 * In which characters a file is written, by what its bytes show. Nothing here is a guess: where bytes can be read in two
 * ways that differ, a problem says so, and the bank profile's setting decides.
 */
export interface CharsetFindings {
  readonly byteOrderMark: CharsetName | undefined;
  /** Sequences of two to four bytes that are characters of UTF-8. */
  readonly multibyteCount: number;
  /** Bytes from 80 up that are no part of such a sequence. */
  readonly singleCount: number;
  /** Of these, 80 to 9F: letters and signs in CP1252, control characters in ISO-8859-1. */
  readonly cp1252Count: number;
  /** Of these, the five that CP1252 does not define. */
  readonly undefinedCount: number;
  /** Of these, bytes in which ISO-8859-15 differs from ISO-8859-1: the euro sign among them. */
  readonly latin9Count: number;
}

const CP1252_UNDEFINED = new Set([0x81, 0x8d, 0x8f, 0x90, 0x9d]);
const LATIN9_DIFFERS = new Set([0xa4, 0xa6, 0xa8, 0xb4, 0xb8, 0xbc, 0xbd, 0xbe]);

/** Looks at all bytes of a file, in chunks of any size, and keeps counts of them. */
export class CharsetEvidence {
  #byteOrderMark: CharsetName | undefined;
  readonly #first: number[] = [];
  #multibyteCount = 0;
  #singleCount = 0;
  #cp1252Count = 0;
  #undefinedCount = 0;
  #latin9Count = 0;
  /** The beginning of a sequence that the next chunk may complete. */
  #open: number[] = [];

  push(bytes: Uint8Array): void {
    let from = 0;
    if (this.#first.length < 3) from = this.#lookAtFirst(bytes);
    if (this.#byteOrderMark === 'utf-16le' || this.#byteOrderMark === 'utf-16be') return;
    let isOpen = this.#open.length > 0;
    for (let i = from; i < bytes.length; i++) {
      const byte = bytes[i] ?? 0;
      if (byte < 0x80 && !isOpen) continue;
      this.#take(byte);
      isOpen = this.#open.length > 0;
    }
  }

  /** What was seen so far; of a file that has ended, a sequence that was begun counts as single bytes. */
  findings(): CharsetFindings {
    if (this.#open.length > 0) this.#countSingles();
    return {
      byteOrderMark: this.#byteOrderMark,
      multibyteCount: this.#multibyteCount,
      singleCount: this.#singleCount,
      cp1252Count: this.#cp1252Count,
      undefinedCount: this.#undefinedCount,
      latin9Count: this.#latin9Count,
    };
  }

  /** Holds the first three bytes back until it is known whether they are a mark; gives where the rest begins. */
  #lookAtFirst(bytes: Uint8Array): number {
    let from = 0;
    while (this.#first.length < 3 && from < bytes.length) {
      this.#first.push(bytes[from] ?? 0);
      from += 1;
      const [a, b, c] = this.#first;
      if (this.#first.length === 2 && a === 0xff && b === 0xfe) this.#byteOrderMark = 'utf-16le';
      else if (this.#first.length === 2 && a === 0xfe && b === 0xff) this.#byteOrderMark = 'utf-16be';
      else if (this.#first.length === 3 && a === 0xef && b === 0xbb && c === 0xbf) {
        this.#byteOrderMark = 'utf-8';
        this.#open = [];
        this.#multibyteCount = 0;
        continue;
      }
      this.#take(bytes[from - 1] ?? 0);
    }
    return from;
  }

  #take(byte: number): void {
    const open = this.#open;
    const [lead] = open;
    if (lead !== undefined) {
      if (continues(lead, open.length, byte)) {
        open.push(byte);
        if (open.length === utf8Length(lead)) {
          this.#multibyteCount += 1;
          this.#open = [];
        }
        return;
      }
      this.#countSingles();
    }
    if (byte < 0x80) return;
    if (utf8Length(byte) > 1) this.#open = [byte];
    else this.#countSingle(byte);
  }

  #countSingles(): void {
    for (const byte of this.#open) this.#countSingle(byte);
    this.#open = [];
  }

  #countSingle(byte: number): void {
    this.#singleCount += 1;
    if (byte < 0xa0) this.#cp1252Count += 1;
    if (CP1252_UNDEFINED.has(byte)) this.#undefinedCount += 1;
    if (LATIN9_DIFFERS.has(byte)) this.#latin9Count += 1;
  }
}

/** How long the sequence is that a byte begins, by UTF-8 (RFC 3629); 0 where it begins none. */
export function utf8Length(lead: number): number {
  if (lead < 0x80) return 1;
  if (lead < 0xc2 || lead > 0xf4) return 0;
  return lead < 0xe0 ? 2 : lead < 0xf0 ? 3 : 4;
}

/** Whether a byte can be the one at `index` of the sequence: no overlong forms, no surrogates. */
export function continues(lead: number, index: number, byte: number): boolean {
  if (index !== 1) return byte >= 0x80 && byte <= 0xbf;
  const least = lead === 0xe0 ? 0xa0 : lead === 0xf0 ? 0x90 : 0x80;
  const most = lead === 0xed ? 0x9f : lead === 0xf4 ? 0x8f : 0xbf;
  return byte >= least && byte <= most;
}

export interface CharsetDecision {
  readonly charset: CharsetName;
  readonly problem?: StatementProblem;
}

/**
 * What to read the file in. A mark says it; else what is configured, with a problem when the bytes contradict it; else the
 * bytes. ASCII is read as UTF-8, ISO-8859-1 as CP1252: they are the same characters where both have one.
 */
export function decideCharset(findings: CharsetFindings, configured?: CharsetName): CharsetDecision {
  const { byteOrderMark } = findings;
  const charset = byteOrderMark ?? configured ?? shownBy(findings);
  const said = problemOf(findings, charset, configured);
  return said === undefined ? { charset } : { charset, problem: { code: said[0], message: said[1] } };
}

function shownBy({ multibyteCount, singleCount }: CharsetFindings): CharsetName {
  return singleCount === 0 || multibyteCount > singleCount ? 'utf-8' : 'windows-1252';
}

function problemOf(
  { byteOrderMark, multibyteCount, singleCount, cp1252Count, undefinedCount, latin9Count }: CharsetFindings,
  charset: CharsetName,
  configured: CharsetName | undefined,
): readonly [code: string, message: string] | undefined {
  if (byteOrderMark !== undefined && configured !== undefined && configured !== byteOrderMark) {
    return [
      'CharsetContradicted',
      `${configured} is configured, and the file's mark says ${byteOrderMark}, which counts`,
    ];
  }
  if (charset === 'utf-16le' || charset === 'utf-16be') return undefined;
  if (configured === undefined && multibyteCount > 0 && singleCount > 0) {
    return [
      'CharsetMixed',
      `${multibyteCount} characters are UTF-8 and ${singleCount} bytes are not: the file was put together from two; ask the bank`,
    ];
  }
  if (charset === 'utf-8' || charset === 'us-ascii') {
    const wrong = charset === 'utf-8' ? singleCount : singleCount + multibyteCount;
    return wrong === 0
      ? undefined
      : ['CharsetContradicted', `${wrong} characters are not ${charset}: read as they can be`];
  }
  if (multibyteCount > 0 && singleCount === 0) {
    return ['CharsetContradicted', `${charset} is configured, and all that is not ASCII in the file is UTF-8`];
  }
  if (charset === 'iso-8859-1' && cp1252Count > 0) {
    return ['CharsetContradicted', `${cp1252Count} bytes are letters of windows-1252 only: they are read so`];
  }
  if (charset === 'windows-1252' && undefinedCount > 0) {
    return [
      'CharsetUnknown',
      `${undefinedCount} bytes are no characters of windows-1252: configure the bank's character set`,
    ];
  }
  if (configured === undefined && latin9Count > 0 && cp1252Count === 0) {
    return [
      'CharsetAmbiguous',
      `${latin9Count} bytes are one character in iso-8859-1 and another in iso-8859-15: configure which it is`,
    ];
  }
  return undefined;
}
