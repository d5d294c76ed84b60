import type { StatementFormat } from '../statement.ts';

/** The three messages, and what is called differently in them. */
export interface CamtKind {
  readonly format: Extract<StatementFormat, `camt.${string}`>;
  readonly message: string;
  /** The element of one statement, report or notification. */
  readonly statement: string;
  readonly pagination: string;
  readonly text: string;
}

const KINDS: readonly CamtKind[] = [
  {
    format: 'camt.052',
    message: 'BkToCstmrAcctRpt',
    statement: 'Rpt',
    pagination: 'RptPgntn',
    text: 'AddtlRptInf',
  },
  {
    format: 'camt.053',
    message: 'BkToCstmrStmt',
    statement: 'Stmt',
    pagination: 'StmtPgntn',
    text: 'AddtlStmtInf',
  },
  {
    format: 'camt.054',
    message: 'BkToCstmrDbtCdtNtfctn',
    statement: 'Ntfctn',
    pagination: 'NtfctnPgntn',
    text: 'AddtlNtfctnInf',
  },
];

/** Of the versions that are known in full. */
export const CAMT_VERSION_MIN = 2;
export const CAMT_VERSION_MAX = 12;

export function kindOfMessage(message: string): CamtKind | undefined {
  return KINDS.find((kind) => kind.message === message);
}

/** `urn:iso:std:iso:20022:tech:xsd:camt.053.001.08`; national variants write another beginning, or more behind. */
export function kindOfNamespace(namespace: string): { readonly kind: CamtKind; readonly version: number } | undefined {
  const [, format, version] = /(camt\.05[234])\.\d{3}\.(\d{2})/.exec(namespace) ?? [];
  const kind = KINDS.find((one) => one.format === format);
  return kind === undefined || version === undefined ? undefined : { kind, version: Number(version) };
}

/** `pain.001` of a namespace of another message: to say what was sent instead. */
export function messageNameOf(namespace: string): string | undefined {
  return /\b([a-z]{4}\.\d{3})\.\d{3}\.\d{2}/.exec(namespace)?.[1];
}
