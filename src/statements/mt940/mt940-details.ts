import { decimalsOf } from '../statement-currency.ts';
import type { LineDetails } from '../statement.ts';

type Draft = { -readonly [Key in keyof LineDetails]: LineDetails[Key] } & { references: Record<string, string> };

/**
 * What structured text says. Two families are known, by what they begin with: subfields of two digits behind a separator
 * (`166?00…?20…`, Germany, Austria; `<00`, `^00`, `~00` in Poland, Czechia, Hungary), and code words between slashes
 * (`/EREF/…/REMI/…`, the Netherlands and Belgium). Undefined for all other text: nothing is guessed into it.
 */
export function mt940Details(text: string, supplementary: string, currency: string): LineDetails | undefined {
  const draft: Draft = { references: {} };
  const known = text === '' ? false : subfields(text, draft) || codeWords(text, draft) || bareSepa(text, draft);
  const extra = supplementary !== '' && supplementaryDetails(supplementary, currency, draft);
  if (!known && !extra) return undefined;
  const { references, ...rest } = draft;
  for (const _ in references) return { ...rest, references };
  return rest;
}

const SUBFIELDS = /^ ?(?:\d{3})?([?<>^~@#$%&*+;|!§])\d\d/;

function subfields(text: string, draft: Draft): boolean {
  const separator = SUBFIELDS.exec(text)?.[1];
  if (separator === undefined) return false;
  // Lines are cut at 65 characters, wherever that is: within a word, or between a separator and its digits.
  const joined = text.includes('\n') ? text.replaceAll('\n', '') : text;
  const pieces: string[] = [];
  let name = '';
  let at = joined.indexOf(separator);
  while (at !== -1) {
    const next = nextSubfield(joined, separator, at + 3);
    const value = joined.slice(at + 3, next === -1 ? joined.length : next);
    const code = joined.slice(at + 1, at + 3);
    if ((code >= '20' && code <= '29') || (code >= '60' && code <= '63')) pieces.push(value);
    else if (code === '32' || code === '33') name += value;
    else takeSubfield(code, value, draft);
    at = next;
  }
  if (name.trim() !== '') draft.counterpartyName = name.trim();
  takeRemittance(pieces, draft);
  return true;
}

function nextSubfield(text: string, separator: string, from: number): number {
  for (let at = text.indexOf(separator, from); at !== -1; at = text.indexOf(separator, at + 1)) {
    if (isDigit(text, at + 1) && isDigit(text, at + 2)) return at;
  }
  return -1;
}

function takeSubfield(code: string, value: string, draft: Draft): void {
  const said = value.trim();
  if (said === '') return;
  if (code === '00') draft.postingText = said;
  else if (code === '10') draft.references['PRIMANOTA'] = said;
  else if (code === '30') draft.counterpartyBank = said;
  // The IBAN goes before the number of the account.
  else if (code === '38') draft.counterpartyAccount = said;
  else if (code === '31') draft.counterpartyAccount ??= said;
  else if (code === '34') draft.references['TEXTKEY'] = said;
}

/** A subfield is full with so many characters: the next one goes on in the middle of a word. */
const SUBFIELD_LENGTH = 27;
const SEPA_WORD = /(EREF|KREF|MREF|CRED|DEBT|COAM|OAMT|SVWZ|ABWA|ABWE|PURP|RREF|ANAM|IBAN|BIC)\+/g;

function takeRemittance(pieces: readonly string[], draft: Draft): void {
  if (pieces.length === 0) return;
  const joined = pieces.join('');
  if (takeSepa(joined, draft)) return;
  let remittance = '';
  for (const [index, piece] of pieces.entries()) {
    remittance += piece;
    if (index < pieces.length - 1 && piece !== '' && piece.length < SUBFIELD_LENGTH) remittance += ' ';
  }
  if (remittance.trim() !== '') draft.remittance = remittance.trim();
}

/** `EREF+…SVWZ+…`: the words of German banks for what SEPA carries. */
function takeSepa(joined: string, draft: Draft): boolean {
  if (!joined.includes('+')) return false;
  SEPA_WORD.lastIndex = 0;
  let word = SEPA_WORD.exec(joined);
  if (word === null) return false;
  const before = joined.slice(0, word.index).trim();
  while (word !== null) {
    const from: number = SEPA_WORD.lastIndex;
    const key = word[1] ?? '';
    word = SEPA_WORD.exec(joined);
    const value = joined.slice(from, word === null ? joined.length : word.index).trim();
    if (value !== '') takeSepaWord(key, value, draft);
  }
  if (before !== '') draft.remittance = draft.remittance === undefined ? before : `${before} ${draft.remittance}`;
  return true;
}

function takeSepaWord(key: string, value: string, draft: Draft): void {
  if (key === 'SVWZ') draft.remittance = value;
  else if (key === 'IBAN') draft.counterpartyAccount ??= value;
  else if (key === 'BIC') draft.counterpartyBank ??= value;
  else {
    draft.references[key] = value;
    if (key === 'EREF') draft.endToEndId = value;
    if (key === 'MREF') draft.mandateId = value;
  }
}

/** The same words without subfields, as some banks send them: each begins a line. */
function bareSepa(text: string, draft: Draft): boolean {
  return /^(EREF|KREF|MREF|SVWZ)\+/.test(text) && takeSepa(text.replaceAll('\n', ''), draft);
}

const CODE_WORD =
  /\/(TRTP|IBAN|BIC|NAME|EREF|PREF|MARF|CSID|REMI|ORDP|BENM|CNTP|RTRN|RTYP|ISDT|PURP|ULTD|ULTB|ULTC|SVCL|ADDR|TRCD|INFO|OCMT|CHGS|EXCH|ID|SUBJ|KREF|MREF|OAMT|ENTR|ORGR|MSGID|PYCD)\//g;

function codeWords(text: string, draft: Draft): boolean {
  if (text.charCodeAt(0) !== SLASH) return false;
  const joined = text.includes('\n') ? text.replaceAll('\n', '') : text;
  CODE_WORD.lastIndex = 0;
  let word = CODE_WORD.exec(joined);
  if (word?.index !== 0) return false;
  let party = '';
  while (word !== null) {
    const from: number = CODE_WORD.lastIndex;
    const key = word[1] ?? '';
    // The slash that closes one value may open the next.
    CODE_WORD.lastIndex = from - 1;
    word = CODE_WORD.exec(joined);
    const value = joined.slice(from, word === null ? joined.length : Math.max(from, word.index)).trim();
    if (key === 'ULTD' || key === 'ULTB' || key === 'ULTC' || key === 'ORDP' || key === 'BENM') party = key;
    if (value !== '') takeCodeWord(key, value.replace(/\/+$/, ''), party, draft);
  }
  return true;
}

function takeCodeWord(key: string, value: string, party: string, draft: Draft): void {
  const ultimate = party.startsWith('ULT');
  switch (key) {
    case 'REMI':
      draft.remittance = value.replace(/^USTD\/+|^STRD\/+/, '');
      break;
    case 'NAME':
      if (ultimate) draft.references[party] = value;
      else draft.counterpartyName ??= value;
      break;
    case 'IBAN':
      draft.counterpartyAccount ??= value;
      break;
    case 'BIC':
      draft.counterpartyBank ??= value;
      break;
    case 'TRTP':
      draft.postingText = value;
      break;
    case 'CNTP':
      takeCounterparty(value, draft);
      break;
    default:
      if (value === '') break;
      draft.references[key] = value;
      if (key === 'EREF') draft.endToEndId = value;
      if (key === 'MARF' || key === 'MREF') draft.mandateId = value;
  }
}

/** `/CNTP/account/BIC/name/city/` */
function takeCounterparty(value: string, draft: Draft): void {
  const [account = '', bank = '', name = ''] = value.split('/');
  if (account !== '') draft.counterpartyAccount = account;
  if (bank !== '') draft.counterpartyBank = bank;
  if (name !== '') draft.counterpartyName = name;
}

/** `/OCMT/EUR47,11/CHGS/EUR5,00/` in the supplementary details: the amount before exchange, and charges. */
function supplementaryDetails(supplementary: string, currency: string, draft: Draft): boolean {
  const joined = supplementary.replaceAll('\n', '');
  let found = false;
  for (const [, key = '', amountCurrency = '', amount = ''] of joined.matchAll(/\/(OCMT|CHGS)\/([A-Z]{3})([\d,.]+)/g)) {
    found = true;
    draft.references[key] = amountCurrency + amount;
    const charges = key === 'CHGS' && amountCurrency === currency ? exact(amount, currency) : undefined;
    if (charges !== undefined) draft.charges = (draft.charges ?? 0n) + charges;
  }
  return found;
}

/** Undefined for what is no amount: it stays among the references as sent. */
function exact(text: string, currency: string): bigint | undefined {
  const decimals = decimalsOf(currency) ?? 0;
  const [, whole, fraction = ''] = /^(\d{1,20}),(\d*)$/.exec(text) ?? [];
  if (whole === undefined || fraction.length > decimals) return undefined;
  return BigInt(whole + fraction.padEnd(decimals, '0'));
}

const SLASH = 0x2f;

function isDigit(text: string, at: number): boolean {
  const code = text.charCodeAt(at);
  return code >= 0x30 && code <= 0x39;
}
