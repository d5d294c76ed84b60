import type { StatementFormat } from '../statement.ts';

type CamtFormat = Extract<StatementFormat, `camt.${string}`>;

const ELEMENTS = {
  'camt.052': { message: 'BkToCstmrAcctRpt', statement: 'Rpt', pagination: 'RptPgntn' },
  'camt.053': { message: 'BkToCstmrStmt', statement: 'Stmt', pagination: 'StmtPgntn' },
  'camt.054': { message: 'BkToCstmrDbtCdtNtfctn', statement: 'Ntfctn', pagination: 'NtfctnPgntn' },
} as const;

export interface CamtWriting {
  readonly format: CamtFormat;
  readonly version: number;
  /** '' for the default namespace. */
  readonly prefix?: string;
}

/** Writes messages as the versions want them: what changed between them is decided here and in no test. */
export class CamtWriter {
  readonly format: CamtFormat;
  readonly version: number;
  readonly #prefix: string;

  constructor({ format, version, prefix = '' }: CamtWriting) {
    this.format = format;
    this.version = version;
    this.#prefix = prefix;
  }

  get namespace(): string {
    return `urn:iso:std:iso:20022:tech:xsd:${this.format}.001.${String(this.version).padStart(2, '0')}`;
  }

  /** An element with attributes in its name: `el('Amt Ccy="EUR"', '1.00')`. */
  el(open: string, ...content: readonly string[]): string {
    const name = open.split(' ')[0] ?? '';
    const prefix = this.#prefix === '' ? '' : `${this.#prefix}:`;
    return `<${prefix}${open}>${content.join('')}</${prefix}${name}>`;
  }

  document(statements: readonly string[], header = ''): string {
    const { message } = ELEMENTS[this.format];
    const declared = this.#prefix === '' ? 'xmlns' : `xmlns:${this.#prefix}`;
    const head = this.el('GrpHdr', this.el('MsgId', 'M1'), this.el('CreDtTm', '2026-11-27T06:00:00+01:00'), header);
    return (
      '<?xml version="1.0" encoding="UTF-8"?>\n' +
      this.el(`Document ${declared}="${this.namespace}"`, this.el(message, head, '\n', ...statements))
    );
  }

  /** Everything of a statement behind its account, in the schema's order. */
  statement(
    content: readonly string[],
    { account = 'DE89370400440532013000', currency = 'EUR', id = 'S1', page = '' } = {},
  ): string {
    const { statement, pagination } = ELEMENTS[this.format];
    const ccy = currency === '' ? '' : this.el('Ccy', currency);
    return this.el(
      statement,
      this.el('Id', id),
      page === '' ? '' : this.el(pagination, page),
      this.el('ElctrncSeqNb', '7'),
      this.el('CreDtTm', '2026-11-27T06:00:00+01:00'),
      this.el('Acct', this.el('Id', this.el('IBAN', account)), ccy),
      '\n',
      ...content,
    );
  }

  balance(
    code: string,
    amount: string,
    { sign = 'CRDT', date = '2026-11-26', currency = 'EUR', subType = '' } = {},
  ): string {
    const sub = subType === '' ? '' : this.el('SubTp', this.el('Cd', subType));
    return this.el(
      'Bal',
      this.el('Tp', this.el('CdOrPrtry', this.el('Cd', code)), sub),
      this.el(`Amt Ccy="${currency}"`, amount),
      this.el('CdtDbtInd', sign),
      this.el('Dt', this.el('Dt', date)),
      '\n',
    );
  }

  /** A code since version 08. */
  status(code: string): string {
    return this.el('Sts', this.version >= 8 ? this.el('Cd', code) : code);
  }

  entry(
    amount: string,
    {
      sign = 'CRDT',
      status = 'BOOK',
      currency = 'EUR',
      reversal = '',
      booking = '<BookgDt><Dt>2026-11-26</Dt></BookgDt>',
      value = '<ValDt><Dt>2026-11-26</Dt></ValDt>',
      reference = '',
      details = '',
      more = '',
    } = {},
  ): string {
    const dates = `${booking}${value}`.replaceAll(/<(\/?)(\w)/g, (_, slash: string, letter: string) =>
      this.#prefix === '' ? `<${slash}${letter}` : `<${slash}${this.#prefix}:${letter}`,
    );
    return this.el(
      'Ntry',
      this.el(`Amt Ccy="${currency}"`, amount),
      this.el('CdtDbtInd', sign),
      reversal === '' ? '' : this.el('RvslInd', reversal),
      this.status(status),
      dates,
      reference === '' ? '' : this.el('AcctSvcrRef', reference),
      more,
      details === '' ? '' : this.el('NtryDtls', details),
      '\n',
    );
  }

  /** Since version 03 a detail has an amount and a sign of its own; before, the amount is in `AmtDtls`. */
  detail(
    amount: string,
    { endToEndId = '', remittance = [] as readonly string[], party = '', sign = 'CRDT', currency = 'EUR' } = {},
  ): string {
    const name = this.el('Nm', party);
    const parties = this.el(
      'RltdPties',
      this.el(sign === 'CRDT' ? 'Dbtr' : 'Cdtr', this.version >= 8 ? this.el('Pty', name) : name),
    );
    const amt = this.el(`Amt Ccy="${currency}"`, amount);
    return this.el(
      'TxDtls',
      endToEndId === '' ? '' : this.el('Refs', this.el('EndToEndId', endToEndId)),
      amount === ''
        ? ''
        : this.version >= 3
          ? amt + this.el('CdtDbtInd', sign)
          : this.el('AmtDtls', this.el('TxAmt', amt)),
      party === '' ? '' : parties,
      remittance.length === 0 ? '' : this.el('RmtInf', ...remittance.map((line) => this.el('Ustrd', line))),
    );
  }
}
