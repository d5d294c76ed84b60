import { PartDelivery } from '../part-delivery.ts';
import type { StatementPart } from '../statement.ts';
import type { StatementReader } from '../statement-reader.ts';
import { XmlReader, type XmlMessage } from '../xml/xml-reader.ts';
import type { XmlNode } from '../xml/xml-tree.ts';
import { signOf } from './camt-amount.ts';
import { balanceOf } from './camt-balances.ts';
import { detailsOf, type TransactionDetails } from './camt-details.ts';
import type { ReversalSigns } from './camt-entry.ts';
import {
  CAMT_VERSION_MAX,
  CAMT_VERSION_MIN,
  kindOfMessage,
  kindOfNamespace,
  messageNameOf,
  type CamtKind,
} from './camt-message.ts';
import { CamtStatement } from './camt-statement.ts';

export interface CamtOptions {
  /** How the bank signs reversals; default: as ISO 20022 does, `sign-is-effect`. */
  readonly reversals?: ReversalSigns;
}

/**
 * Reads camt.052, camt.053 and camt.054 of versions 02 to 12 as they arrive: memory is that of one entry. A newer version
 * is read with a problem that says so, another message is unreadable. Rules and dialects: docs/statements.md.
 */
export function camtReader(options: CamtOptions = {}): StatementReader {
  const delivery = new PartDelivery<StatementPart>();
  const message = new CamtMessage(options.reversals ?? 'sign-is-effect', (part) => delivery.add(part));
  const xml = new XmlReader(message);
  message.read(xml);
  return {
    push: (bytes) => delivery.push(() => xml.write(bytes)),
    end: () =>
      delivery.end(() => {
        xml.end();
        message.end();
      }),
  };
}

/** Elements that no line is made of; they and all in them are passed over. */
const SKIPPED = new Set([
  'PstlAdr',
  'SplmtryData',
  'RltdDts',
  'RltdPric',
  'RltdQties',
  'Tax',
  'FinInstrmId',
  'CorpActn',
  'SfkpgAcct',
  'CardTx',
  'CcyXchg',
  'TechInptChanl',
  'Intrst',
  'Avlbty',
  'CdtLine',
]);

class CamtMessage implements XmlMessage {
  readonly #reversals: ReversalSigns;
  readonly #emit: (part: StatementPart) => void;
  #xml: XmlReader | undefined;
  #said: { readonly kind: CamtKind; readonly version: number } | undefined;
  #kind: CamtKind | undefined;
  #messagePage: XmlNode | undefined;
  #statement: CamtStatement | undefined;
  #statements = 0;
  #details: TransactionDetails[] = [];

  constructor(reversals: ReversalSigns, emit: (part: StatementPart) => void) {
    this.#reversals = reversals;
    this.#emit = emit;
  }

  read(xml: XmlReader): void {
    this.#xml = xml;
  }

  document(namespace: string | undefined): void {
    if (namespace === undefined) {
      this.#problem('NamespaceMissing', 'the document has no namespace: it is read by the name of its message');
      return;
    }
    this.#said = kindOfNamespace(namespace);
    if (this.#said === undefined) throw this.#wrongDocument(messageNameOf(namespace));
    const { version, kind } = this.#said;
    if (version < CAMT_VERSION_MIN || version > CAMT_VERSION_MAX) {
      this.#problem(
        'VersionUnknown',
        `${kind.format} of version ${version} is not known: it is read as version ${CAMT_VERSION_MAX}; check it by hand`,
      );
    }
  }

  skips(name: string): boolean {
    return SKIPPED.has(name);
  }

  opened(node: XmlNode, path: readonly XmlNode[]): void {
    if (path.length === 0) {
      const kind = kindOfMessage(node.name);
      if (kind === undefined || (this.#said !== undefined && this.#said.kind !== kind))
        throw this.#wrongDocument(undefined);
      this.#kind = kind;
    } else if (path.length === 1 && this.#kind !== undefined && node.name === this.#kind.statement) {
      this.#statements += 1;
      this.#statement = new CamtStatement(this.#kind, this.#reversals, node, this.#messagePage, this.#emit);
    } else if (path.length === 2 && node.name === 'Ntry') {
      this.#details = [];
    }
  }

  closed(node: XmlNode, path: readonly XmlNode[]): boolean {
    switch (path.length) {
      case 0:
        return false;
      case 1:
        if (node.name === 'GrpHdr') this.#messagePage = node.children.find(({ name }) => name === 'MsgPgntn');
        else if (node.name === this.#kind?.statement) this.#endStatement();
        return false;
      case 2:
        if (this.#statement === undefined) return true;
        if (node.name === 'Ntry') this.#statement.entry(node, this.#details);
        else this.#statement.take(node, node.name === 'Bal' ? balanceOf(node) : undefined);
        return false;
      default:
        return this.#closedWithin(node, path);
    }
  }

  end(): void {
    if (this.#xml?.sawCp1252 === true) {
      this.#problem(
        'CharsetContradicted',
        'the file says it is ISO-8859-1 and has characters that only CP1252 has: it is read as CP1252',
      );
    }
    if (this.#kind === undefined) throw this.#wrongDocument(undefined);
    if (this.#statements === 0) {
      this.#problem('NoStatement', `${this.#kind.format} without a single ${this.#kind.statement}: ask the bank`);
    }
  }

  /** A detail is made small as soon as it is whole; everything else of an entry waits for its end. */
  #closedWithin(node: XmlNode, path: readonly XmlNode[]): boolean {
    if (node.name !== 'TxDtls' || path.length !== 4 || path[3]?.name !== 'NtryDtls') return true;
    const entry = path[2];
    const currency = entry?.children.find(({ name }) => name === 'Amt')?.currency?.trim();
    this.#details.push(detailsOf(node, currency, signOf(entry)));
    return false;
  }

  #endStatement(): void {
    this.#statement?.end();
    this.#statement = undefined;
  }

  #problem(code: string, message: string): void {
    this.#emit({ part: 'problem', problem: { code, message } });
  }

  #wrongDocument(name: string | undefined): Error {
    const what = name === undefined ? 'another message' : `a ${name}`;
    if (this.#xml === undefined) throw new TypeError('a message is read by a reader');
    return this.#xml.unreadable('WrongDocument', `${what} of ISO 20022, not a camt.052, camt.053 or camt.054`);
  }
}
