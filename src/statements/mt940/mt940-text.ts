import { CharsetEvidence, continues, decideCharset, utf8Length } from '../charset.ts';
import { decoderOf, joined, type CharsetName, type Decode } from '../charset-decoding.ts';
import type { StatementProblem } from '../statement.ts';

const NOTHING = new Uint8Array(0);

/**
 * Bytes to characters, as they come. Without a configured character set the first byte that is not ASCII decides: it
 * begins a character of UTF-8, or it does not. No byte is lost: what cannot be a character of UTF-8 is read as CP1252, and
 * `problem` says so at the end of the file, when all evidence is there.
 */
export class Mt940Text {
  readonly #configured: CharsetName | undefined;
  readonly #evidence = new CharsetEvidence();
  readonly #utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });
  #charset: CharsetName | undefined;
  #decode: Decode | undefined;
  #rest: Uint8Array = NOTHING;
  #begun = false;

  constructor(configured: CharsetName | undefined) {
    this.#configured = configured;
  }

  push(bytes: Uint8Array): string {
    this.#evidence.push(bytes);
    return this.#text(bytes, false);
  }

  end(): string {
    return this.#text(NOTHING, true);
  }

  problem(): StatementProblem | undefined {
    return decideCharset(this.#evidence.findings(), this.#configured).problem;
  }

  #text(bytes: Uint8Array, last: boolean): string {
    let all = joined(this.#rest, bytes);
    this.#rest = NOTHING;
    if (!this.#begun) {
      if (all.length < 3 && !last) {
        this.#rest = all.slice();
        return '';
      }
      all = this.#begin(all);
    }
    if (this.#charset === undefined) {
      if (isAscii(all)) return this.#utf8.decode(all);
      const decided = charsetShown(all, last);
      if (decided === undefined) return this.#upToLast(all);
      this.#settle(decided);
    }
    if (this.#decode !== undefined) {
      let text = '';
      this.#decode(
        all,
        (piece) => (text += piece),
        last && this.#charset !== 'utf-16le' && this.#charset !== 'utf-16be',
      );
      return text;
    }
    return this.#tolerantUtf8(all, last);
  }

  #begin(bytes: Uint8Array): Uint8Array {
    this.#begun = true;
    const [a, b, c] = bytes;
    if (a === 0xef && b === 0xbb && c === 0xbf) {
      this.#settle('utf-8');
      return bytes.subarray(3);
    }
    if ((a === 0xff && b === 0xfe) || (a === 0xfe && b === 0xff)) {
      this.#settle(a === 0xff ? 'utf-16le' : 'utf-16be');
      return bytes.subarray(2);
    }
    if (this.#configured !== undefined) this.#settle(this.#configured);
    return bytes;
  }

  #settle(charset: CharsetName): void {
    this.#charset = charset;
    // ASCII is a part of UTF-8; what is neither is told by `problem`.
    if (charset !== 'utf-8' && charset !== 'us-ascii') this.#decode = decoderOf(charset, () => undefined);
  }

  /** All but a character that has only begun. */
  #upToLast(bytes: Uint8Array): string {
    const whole = wholeLength(bytes);
    this.#rest = bytes.slice(whole);
    return this.#utf8.decode(bytes.subarray(0, whole));
  }

  #tolerantUtf8(bytes: Uint8Array, last: boolean): string {
    const whole = last ? bytes.length : wholeLength(bytes);
    this.#rest = bytes.slice(whole);
    const piece = bytes.subarray(0, whole);
    try {
      return this.#utf8.decode(piece);
    } catch {
      return this.#mixed(piece);
    }
  }

  #mixed(bytes: Uint8Array): string {
    const single = decoderOf('windows-1252', () => undefined);
    let text = '';
    for (let i = 0; i < bytes.length;) {
      const length = sequenceLength(bytes, i);
      const piece = bytes.subarray(i, i + Math.max(1, length));
      if (length > 0) text += this.#utf8.decode(piece);
      else single(piece, (character) => (text += character), false);
      i += piece.length;
    }
    return text;
  }
}

function isAscii(bytes: Uint8Array): boolean {
  let seen = 0;
  for (let i = 0; i < bytes.length; i++) seen |= bytes[i] ?? 0;
  return seen < 0x80;
}

/** What the first byte beyond ASCII shows; undefined while its sequence is not whole. */
function charsetShown(bytes: Uint8Array, last: boolean): CharsetName | undefined {
  const first = bytes.findIndex((byte) => byte >= 0x80);
  if (!last && wholeLength(bytes) <= first) return undefined;
  return sequenceLength(bytes, first) > 0 ? 'utf-8' : 'windows-1252';
}

/** Length of the character of UTF-8 at a place, 0 where there is none. */
function sequenceLength(bytes: Uint8Array, at: number): number {
  const lead = bytes[at] ?? 0;
  const length = utf8Length(lead);
  for (let i = 1; i < length; i++) {
    const byte = bytes[at + i];
    if (byte === undefined || !continues(lead, i, byte)) return 0;
  }
  return length;
}

/** How many bytes are before a character at the end that may be completed by the next chunk. */
function wholeLength(bytes: Uint8Array): number {
  for (let back = 1; back <= 3 && back <= bytes.length; back++) {
    const at = bytes.length - back;
    const lead = bytes[at] ?? 0;
    if (lead < 0x80) break;
    if (utf8Length(lead) > back) {
      for (let i = 1; i < back; i++) if (!continues(lead, i, bytes[at + i] ?? 0)) return bytes.length;
      return at;
    }
    if (utf8Length(lead) > 1) break;
  }
  return bytes.length;
}
