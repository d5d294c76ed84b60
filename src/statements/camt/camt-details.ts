import type { LineDetails } from '../statement.ts';
import { at, childOf, childrenOf, codeAt, textAt, type XmlNode } from '../xml/xml-tree.ts';
import { amountOf, signOf, type CamtAmount } from './camt-amount.ts';

/** What one `TxDtls` says. Made when it is closed, so that a batch does not keep its elements. */
export interface TransactionDetails {
  /** What it is in the entry's currency; undefined where it does not say. */
  readonly amount: bigint | undefined;
  /** The amount is only what was instructed: charges may have been taken from it. */
  readonly instructed: boolean;
  readonly sign: 1n | -1n | undefined;
  readonly endToEndId: string;
  readonly bankReference: string;
  /** Remittance as sent; '' without. */
  readonly text: string;
  readonly additional: string;
  readonly references: Readonly<Record<string, string>>;
  readonly details: LineDetails;
}

/** `sign`: that of the entry, which the detail may overrule; it says which of the two parties is the other one. */
export function detailsOf(
  node: XmlNode,
  entryCurrency: string | undefined,
  entrySign: 1n | -1n | undefined,
): TransactionDetails {
  const references = referencesOf(node);
  const sign = signOf(node) ?? entrySign;
  const text = remittanceOf(childOf(node, 'RmtInf'));
  const charges = chargesOf(node, entryCurrency);
  const details: Mutable<LineDetails> = {};
  if (text !== '') details.remittance = text;
  if (references['EndToEndId'] !== undefined) details.endToEndId = references['EndToEndId'];
  if (references['MndtId'] !== undefined) details.mandateId = references['MndtId'];
  const party = counterpartyOf(node, sign);
  if (party.name !== undefined) details.counterpartyName = party.name;
  if (party.account !== undefined) details.counterpartyAccount = party.account;
  if (party.bank !== undefined) details.counterpartyBank = party.bank;
  if (Object.keys(references).length > 0) details.references = references;
  if (charges !== undefined) details.charges = charges;
  return {
    ...amountInEntryCurrency(node, entryCurrency),
    sign: signOf(node),
    endToEndId: references['EndToEndId'] ?? '',
    bankReference: references['AcctSvcrRef'] ?? '',
    text,
    additional: textAt(node, 'AddtlTxInf') ?? '',
    references,
    details,
  };
}

type Mutable<T> = { -readonly [Key in keyof T]: T[Key] };

/** `TxDtls/Amt` from version 03 on; before, `AmtDtls/TxAmt`. An amount in another currency is not the entry's. */
function amountInEntryCurrency(
  node: XmlNode,
  currency: string | undefined,
): Pick<TransactionDetails, 'amount' | 'instructed'> {
  const amountDetails = childOf(node, 'AmtDtls');
  const booked = [childOf(node, 'Amt'), at(amountDetails, 'TxAmt', 'Amt'), at(amountDetails, 'CntrValAmt', 'Amt')].find(
    (one) => one?.currency?.trim() === currency,
  );
  if (booked !== undefined) return { amount: amountOf(booked).amount, instructed: false };
  const instructed = at(amountDetails, 'InstdAmt', 'Amt');
  if (instructed === undefined || instructed.currency?.trim() !== currency)
    return { amount: undefined, instructed: false };
  return { amount: amountOf(instructed).amount, instructed: true };
}

/** Every reference by ISO's name of it, and the bank's own under `Prtry/<its type>`. */
function referencesOf(node: XmlNode): Record<string, string> {
  const references: [string, string][] = [];
  for (const reference of childOf(node, 'Refs')?.children ?? []) {
    if (reference.name === 'Prtry') {
      const value = textAt(reference, 'Ref');
      if (value !== undefined) references.push([`Prtry/${codeAt(reference, 'Tp') ?? ''}`, value]);
    } else if (reference.children.length === 0 && reference.text.trim() !== '') {
      references.push([reference.name, reference.text]);
    }
  }
  const returned = at(node, 'RtrInf', 'Rsn');
  const reason = codeAt(returned, 'Cd') ?? codeAt(returned, 'Prtry');
  if (reason !== undefined) references.push(['RtrRsn', reason]);
  // From entries, so that a bank's word for a reference can be any, even `__proto__`.
  return Object.fromEntries(references);
}

/** Unstructured lines as sent; else the structured references: the creditor's, else the documents that are paid. */
function remittanceOf(node: XmlNode | undefined): string {
  const lines = childrenOf(node, 'Ustrd').map(({ text }) => text);
  if (lines.some((line) => line.trim() !== '')) return lines.join('\n');
  const structured = childrenOf(node, 'Strd').flatMap((one) => {
    const creditors = textAt(one, 'CdtrRefInf', 'Ref') ?? textAt(one, 'CdtrRefInf', 'CdtrRef');
    if (creditors !== undefined) return [creditors];
    const documents = childrenOf(one, 'RfrdDocInf').map((document) => textAt(document, 'Nb'));
    const more = childrenOf(one, 'AddtlRmtInf').map(({ text }) => text);
    return [...documents, ...more].filter((text) => text !== undefined);
  });
  return structured.join('\n');
}

interface Counterparty {
  readonly name: string | undefined;
  readonly account: string | undefined;
  readonly bank: string | undefined;
}

/** Of a credit the debtor, of a debit the creditor; where that one is not said, the one that is. */
function counterpartyOf(node: XmlNode, sign: 1n | -1n | undefined): Counterparty {
  const roles = sign === -1n ? (['Cdtr', 'Dbtr'] as const) : (['Dbtr', 'Cdtr'] as const);
  const parties = childOf(node, 'RltdPties');
  const agents = childOf(node, 'RltdAgts');
  for (const role of roles) {
    const party = childOf(parties, role);
    const found = {
      // Since version 08 a party is a choice: `Pty`, or an agent.
      name: textAt(party, 'Nm') ?? textAt(party, 'Pty', 'Nm') ?? textAt(party, 'Agt', 'FinInstnId', 'Nm'),
      account: accountOf(childOf(parties, `${role}Acct`)),
      bank: agentOf(childOf(agents, `${role}Agt`)),
    };
    if (found.name !== undefined || found.account !== undefined || found.bank !== undefined) return found;
  }
  return { name: undefined, account: undefined, bank: undefined };
}

export function accountOf(node: XmlNode | undefined): string | undefined {
  const id = childOf(node, 'Id');
  return (
    codeAt(id, 'IBAN') ??
    codeAt(id, 'Othr', 'Id') ??
    codeAt(id, 'BBAN') ??
    codeAt(id, 'PrtryAcct', 'Id') ??
    codeAt(node, 'Prxy', 'Id')
  );
}

function agentOf(node: XmlNode | undefined): string | undefined {
  const id = childOf(node, 'FinInstnId');
  return (
    codeAt(id, 'BICFI') ??
    codeAt(id, 'BIC') ??
    codeAt(id, 'ClrSysMmbId', 'MmbId') ??
    codeAt(id, 'Othr', 'Id') ??
    codeAt(id, 'Nm')
  );
}

/**
 * `Chrgs`, positive = taken. Up to version 02 each is one charge; from 03 on there is one, with a record for each, or
 * only a total. Charges in another currency than the entry's are left out: they are not in its amount.
 */
export function chargesOf(node: XmlNode, currency: string | undefined): bigint | undefined {
  let sum: bigint | undefined;
  const add = (amount: CamtAmount, sign: 1n | -1n | undefined): void => {
    if (amount.currency === currency) sum = (sum ?? 0n) + (sign === 1n ? -amount.amount : amount.amount);
  };
  for (const charges of childrenOf(node, 'Chrgs')) {
    const records = childrenOf(charges, 'Rcrd');
    const each = records.length > 0 ? records : [charges];
    const amounts = each.flatMap((one) => {
      const amount = childOf(one, 'Amt');
      return amount === undefined ? [] : [{ amount, sign: signOf(one) }];
    });
    const total = childOf(charges, 'TtlChrgsAndTaxAmt');
    if (amounts.length === 0 && total !== undefined) add(amountOf(total), -1n);
    for (const { amount, sign } of amounts) add(amountOf(amount), sign);
  }
  return sum;
}
