import { SaxesParser, type SaxesTagPlain } from 'saxes';
import { CharsetContradiction } from '../charset-decoding.ts';
import { StatementUnreadableError } from '../statement-reader.ts';
import { XmlDecoder } from './xml-decoder.ts';
import type { XmlNode } from './xml-tree.ts';

/** What a message makes of its elements. All names are local. */
export interface XmlMessage {
  /** The document's element was opened: says whether its namespace (undefined: none) is one that is read. Throws if not. */
  document(namespace: string | undefined): void;
  /** Whether the element and all below it mean nothing here. `path` is that of its parent, from below the document. */
  skips(name: string, path: readonly XmlNode[]): boolean;
  opened(node: XmlNode, path: readonly XmlNode[]): void;
  /** Closed and whole. True: it stays with its parent; false: it is forgotten, so that memory does not grow. */
  closed(node: XmlNode, path: readonly XmlNode[]): boolean;
}

const DEPTH_MAX = 64;
const TEXT_CHARACTERS_MAX = 131_072;
const ATTRIBUTES_MAX = 32;
const ELEMENTS_KEPT_MAX = 200_000;
/** Without any event for so long the parser is gathering one thing that has no end: a comment, a DOCTYPE, an attribute. */
const UNBROKEN_CHARACTERS_MAX = 1_048_576;
const PIECE_CHARACTERS = 65_536;

/**
 * Pushes the characters of one document through saxes and hands a message its elements. DOCTYPE is refused, and with it
 * every entity but the five of XML; depth, text, attributes and what one element keeps are bounded.
 *
 * Namespaces are followed by hand, because that of saxes doubles the time: elements are those whose prefix the
 * document's element bound to its own namespace; others (signatures, supplementary data) are skipped with all in them.
 */
export class XmlReader {
  readonly #message: XmlMessage;
  readonly #decoder = new XmlDecoder();
  readonly #saxes = new SaxesParser({ position: true, xmlns: false as const });
  readonly #path: XmlNode[] = [];
  #namespace: string | undefined;
  #prefixes: readonly string[] = [];
  /** Depth of all open elements; of the document's element; and of the element that is being skipped. */
  #depth = 0;
  #documentDepth = 0;
  #skipDepth = 0;
  #sawDocument = false;
  #kept = 0;
  #written = 0;
  #lastEventAt = 0;
  #ending = false;

  constructor(message: XmlMessage) {
    this.#message = message;
    // No more handlers than these: each is a property that saxes adds to its parser, and with eight of them V8 keeps the
    // object as a dictionary, which makes it six times slower. Without one of its own an error is thrown.
    const saxes = this.#saxes;
    saxes.on('doctype', () => this.#refuseDoctype());
    saxes.on('opentag', (tag) => this.#open(tag));
    saxes.on('closetag', () => this.#close());
    saxes.on('text', (text) => this.#text(text));
    saxes.on('cdata', (text) => this.#text(text));
  }

  write(bytes: Uint8Array): void {
    try {
      this.#decoder.write(bytes, this.#take);
    } catch (error) {
      throw this.#placed(error);
    }
  }

  end(): void {
    try {
      this.#decoder.end(this.#take);
      this.#ending = true;
      this.#saxes.close();
    } catch (error) {
      throw this.#placed(error);
    }
    if (!this.#sawDocument) {
      throw this.unreadable('UnknownFormat', 'XML, but without a message of ISO 20022 that is read here');
    }
  }

  get sawCp1252(): boolean {
    return this.#decoder.sawCp1252;
  }

  unreadable(code: string, message: string, node?: XmlNode): StatementUnreadableError {
    const at = node ?? { line: this.#saxes.line, column: this.#saxes.column };
    return new StatementUnreadableError(code, message, { line: at.line, column: Math.max(1, at.column) });
  }

  readonly #take = (text: string): void => {
    for (let from = 0; from < text.length; from += PIECE_CHARACTERS) {
      const piece = text.length <= PIECE_CHARACTERS ? text : text.slice(from, from + PIECE_CHARACTERS);
      this.#saxes.write(piece);
      this.#written += piece.length;
      if (this.#written - this.#lastEventAt > UNBROKEN_CHARACTERS_MAX) throw this.#tooLong();
    }
  };

  #open({ name, attributes }: SaxesTagPlain): void {
    this.#lastEventAt = this.#written;
    this.#depth += 1;
    if (this.#depth > DEPTH_MAX) {
      throw this.unreadable('TooDeep', `elements are more than ${DEPTH_MAX} deep: no message of ISO 20022 is`);
    }
    if (this.#skipDepth > 0) return;
    // White space between elements: of a hundred thousand entries it would be a text without an end.
    const parent = this.#path.at(-1);
    if (parent !== undefined && parent.text !== '' && parent.text.trim() === '') parent.text = '';
    const colon = name.indexOf(':');
    const local = colon < 0 ? name : name.slice(colon + 1);
    const prefix = colon < 0 ? '' : name.slice(0, colon);
    if (this.#documentDepth === 0) {
      if (!this.#sawDocument && local === 'Document') this.#openDocument(prefix, attributes);
      return;
    }
    if (this.#isForeign(prefix, attributes) || this.#message.skips(local, this.#path)) {
      this.#skipDepth = this.#depth;
      return;
    }
    const { line, column } = this.#saxes;
    const currency = attributes['Ccy'];
    const node: XmlNode = { name: local, text: '', children: [], currency, line, column };
    checkAttributes(this, attributes);
    this.#message.opened(node, this.#path);
    this.#path.push(node);
  }

  #openDocument(prefix: string, attributes: Record<string, string>): void {
    checkAttributes(this, attributes);
    this.#sawDocument = true;
    this.#documentDepth = this.#depth;
    this.#namespace = attributes[prefix === '' ? 'xmlns' : `xmlns:${prefix}`];
    const prefixes = [prefix];
    for (const [name, value] of Object.entries(attributes)) {
      if (value !== this.#namespace) continue;
      if (name === 'xmlns') prefixes.push('');
      else if (name.startsWith('xmlns:')) prefixes.push(name.slice(6));
    }
    this.#prefixes = prefixes;
    this.#message.document(this.#namespace);
  }

  #isForeign(prefix: string, attributes: Record<string, string>): boolean {
    const declared = attributes[prefix === '' ? 'xmlns' : `xmlns:${prefix}`];
    if (declared !== undefined && declared !== this.#namespace) return this.#namespace !== undefined;
    return declared === undefined && !this.#prefixes.includes(prefix);
  }

  #close(): void {
    this.#lastEventAt = this.#written;
    const depth = this.#depth;
    this.#depth -= 1;
    if (this.#skipDepth > 0) {
      if (depth === this.#skipDepth) this.#skipDepth = 0;
      return;
    }
    if (depth === this.#documentDepth) {
      this.#documentDepth = 0;
      return;
    }
    const node = this.#path.pop();
    if (node === undefined) return;
    const parent = this.#path.at(-1);
    if (this.#message.closed(node, this.#path)) {
      parent?.children.push(node);
      this.#kept += 1;
      if (this.#kept > ELEMENTS_KEPT_MAX) {
        throw this.unreadable('TooLong', `one entry has more than ${ELEMENTS_KEPT_MAX} elements: no bank's has`);
      }
    } else {
      this.#kept = 0;
    }
  }

  #text(text: string): void {
    this.#lastEventAt = this.#written;
    if (this.#skipDepth > 0) return;
    const node = this.#path.at(-1);
    if (node === undefined) return;
    node.text = node.text === '' ? text : node.text + text;
    if (node.text.length > TEXT_CHARACTERS_MAX) throw this.#tooLong();
  }

  #tooLong(): StatementUnreadableError {
    return this.unreadable(
      'TooLong',
      `one text has more than ${TEXT_CHARACTERS_MAX} characters: no field of a bank has`,
    );
  }

  #refuseDoctype(): never {
    throw this.unreadable(
      'DoctypeRefused',
      'a DOCTYPE is refused: messages of ISO 20022 have none, and its entities can be an attack; ask the bank what this is',
    );
  }

  #placed(error: unknown): unknown {
    if (error instanceof CharsetContradiction) {
      return this.unreadable(
        'CharsetContradicted',
        `the bytes here are not ${error.message}, which the file says it is: ask the bank which one is meant`,
      );
    }
    // That of saxes begins with its place; any other is a fault of ours.
    if (!(error instanceof Error) || error.constructor !== Error) return error;
    // What saxes says, less what it quotes: a name in a broken document may be anybody's.
    const what = error.message.replace(/^\d+:\d+: /, '').replace(/\.?(?:[:[].*)?$/s, '');
    return this.#ending
      ? this.unreadable('Truncated', `the file ends before its elements do (${what}): ask for it again`)
      : this.unreadable('XmlMalformed', `not well-formed XML (${what}): ask the bank for it again`);
  }
}

function checkAttributes(reader: XmlReader, attributes: Record<string, string>): void {
  let count = 0;
  for (const name in attributes) {
    count += 1;
    if (count > ATTRIBUTES_MAX || (attributes[name] ?? '').length > TEXT_CHARACTERS_MAX) {
      throw reader.unreadable('TooLong', `more than ${ATTRIBUTES_MAX} attributes, or one without an end`);
    }
  }
}
