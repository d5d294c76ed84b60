import { PartDelivery } from '../part-delivery.ts';
import type { StatementProblem } from '../statement.ts';
import { XmlReader, type XmlMessage } from '../xml/xml-reader.ts';
import { childrenOf, codeAt, textAt, type XmlNode } from '../xml/xml-tree.ts';
import { outcomeOf, type PaymentStatus } from './payment-status.ts';

/** The first part says which report it is; statuses follow in the order of the file, problems where they were found. */
export type StatusReportPart =
  | { readonly part: 'report'; readonly msgId: string; readonly createdAt?: string }
  | { readonly part: 'status'; readonly status: PaymentStatus }
  | { readonly part: 'problem'; readonly problem: StatementProblem };

/** Like a `StatementReader`, of a customer payment status report. */
export interface StatusReportReader {
  push(bytes: Uint8Array): StatusReportPart[];
  end(): StatusReportPart[];
}

/** Reads pain.002 of versions 03 to 14 as it arrives; memory is that of one transaction. Throws `StatementUnreadableError` only. */
export function statusReportReader(): StatusReportReader {
  const delivery = new PartDelivery<StatusReportPart>();
  const message = new StatusReport((part) => delivery.add(part));
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

const VERSION_MIN = 3;
const VERSION_MAX = 14;

class StatusReport implements XmlMessage {
  readonly #emit: (part: StatusReportPart) => void;
  #xml: XmlReader | undefined;
  #sawMessage = false;
  #sawReport = false;
  #sawStatus = false;
  #orgnlMsgId: string | undefined;
  #groupStatus: string | undefined;
  /** Of the payment information that is open. */
  #paymentSaid = false;

  constructor(emit: (part: StatusReportPart) => void) {
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
    const version = /pain\.002\.\d{3}\.(\d{2})/.exec(namespace)?.[1];
    if (version === undefined) throw this.#wrongDocument();
    if (Number(version) < VERSION_MIN || Number(version) > VERSION_MAX) {
      this.#problem(
        'VersionUnknown',
        `pain.002 of version ${Number(version)} is not known: check what was read by hand`,
      );
    }
  }

  /** The original payment is repeated in whole by some banks: we have it. */
  skips(name: string): boolean {
    return name === 'OrgnlTxRef' || name === 'SplmtryData';
  }

  opened(node: XmlNode, path: readonly XmlNode[]): void {
    if (path.length === 0) {
      if (node.name !== 'CstmrPmtStsRpt') throw this.#wrongDocument();
      this.#sawMessage = true;
    } else if (node.name === 'TxInfAndSts' && path.length === 2 && path[1] !== undefined) {
      this.#sayPayment(path[1]);
    } else if (node.name === 'OrgnlPmtInfAndSts') {
      this.#paymentSaid = false;
    }
  }

  closed(node: XmlNode, path: readonly XmlNode[]): boolean {
    if (path.length === 1) {
      if (node.name === 'GrpHdr') this.#sayReport(node);
      else if (node.name === 'OrgnlGrpInfAndSts') this.#sayGroup(node);
      else if (node.name === 'OrgnlPmtInfAndSts') this.#sayPayment(node);
      return false;
    }
    if (path.length === 2 && node.name === 'TxInfAndSts') {
      this.#sayTransaction(node, path[1]);
      return false;
    }
    return path.length > 0;
  }

  end(): void {
    if (!this.#sawMessage) throw this.#wrongDocument();
    if (!this.#sawStatus) this.#problem('NoStatus', 'the report holds no status at any level: ask the bank');
  }

  #sayReport(node: XmlNode): void {
    if (this.#sawReport) return;
    this.#sawReport = true;
    const createdAt = codeAt(node, 'CreDtTm');
    this.#emit({
      part: 'report',
      msgId: textAt(node, 'MsgId') ?? '',
      ...(createdAt === undefined ? {} : { createdAt }),
    });
  }

  #sayGroup(node: XmlNode): void {
    this.#orgnlMsgId = textAt(node, 'OrgnlMsgId');
    this.#groupStatus = codeAt(node, 'GrpSts');
    if (this.#groupStatus !== undefined) this.#say('group', this.#groupStatus, node, {});
  }

  /** Before its first transaction, or at its end: its status stands before its transactions in every version. */
  #sayPayment(node: XmlNode): void {
    if (this.#paymentSaid) return;
    this.#paymentSaid = true;
    const status = codeAt(node, 'PmtInfSts');
    if (status !== undefined) this.#say('payment', status, node, given('pmtInfId', textAt(node, 'OrgnlPmtInfId')));
  }

  #sayTransaction(node: XmlNode, payment: XmlNode | undefined): void {
    const status = codeAt(node, 'TxSts') ?? codeAt(payment, 'PmtInfSts') ?? this.#groupStatus;
    if (status === undefined) {
      this.#problem('StatusMissing', 'a transaction is listed without a status at any level: ask the bank', node);
      return;
    }
    this.#say('transaction', status, node, {
      ...given('pmtInfId', textAt(payment, 'OrgnlPmtInfId')),
      ...given('endToEndId', textAt(node, 'OrgnlEndToEndId')),
      ...given('instrId', textAt(node, 'OrgnlInstrId')),
      ...given('bankReference', textAt(node, 'AcctSvcrRef') ?? textAt(node, 'ClrSysRef')),
    });
  }

  #say(
    level: PaymentStatus['level'],
    status: string,
    node: XmlNode,
    references: Pick<PaymentStatus, 'pmtInfId' | 'endToEndId' | 'instrId' | 'bankReference'>,
  ): void {
    this.#sawStatus = true;
    const outcome = outcomeOf(status);
    if (outcome === undefined) {
      this.#problem(
        'StatusUnknown',
        'a status code is not one of ISO 20022: it is taken as pending; ask the bank',
        node,
      );
    }
    const reasons = childrenOf(node, 'StsRsnInf');
    const codes = reasons.map((one) => codeAt(one, 'Rsn', 'Cd') ?? codeAt(one, 'Rsn', 'Prtry'));
    const texts = reasons.flatMap((one) => childrenOf(one, 'AddtlInf').map(({ text }) => text));
    this.#emit({
      part: 'status',
      status: {
        level,
        ...given('orgnlMsgId', textAt(node, 'OrgnlGrpInf', 'OrgnlMsgId') ?? this.#orgnlMsgId),
        ...references,
        status,
        outcome: outcome ?? 'pending',
        ...given(
          'reasonCode',
          codes.find((code) => code !== undefined),
        ),
        ...given('reasonText', texts.length === 0 ? undefined : texts.join('\n')),
        at: { line: node.line },
      },
    });
  }

  #problem(code: string, message: string, node?: XmlNode): void {
    const at = node === undefined ? {} : { at: { line: node.line } };
    this.#emit({ part: 'problem', problem: { code, message, ...at } });
  }

  #wrongDocument(): Error {
    if (this.#xml === undefined) throw new TypeError('a message is read by a reader');
    return this.#xml.unreadable('WrongDocument', 'another message of ISO 20022, not a pain.002');
  }
}

function given<Key extends string, Value>(key: Key, value: Value | undefined): { readonly [K in Key]?: Value } {
  return (value === undefined ? {} : { [key]: value }) as { readonly [K in Key]?: Value };
}
