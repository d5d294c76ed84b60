import { camtReader, type CamtOptions } from './camt/camt-reader.ts';
import type { CharsetName } from './charset-decoding.ts';
import { withChecks } from './checks.ts';
import type { CsvMapping } from './csv/csv-mapping.ts';
import { csvReader } from './csv/csv-reader.ts';
import { mt940Reader } from './mt940/mt940-reader.ts';
import type { StatementFormat } from './statement.ts';
import { StatementUnreadableError, type StatementReader } from './statement-reader.ts';

export interface ReaderOptions extends CamtOptions {
  /** For files that do not say it; what a file says goes before it. */
  readonly currency?: string;
  /** Of which account a CSV is, where it does not say it. */
  readonly account?: string;
  /** For files whose bytes do not show it. XML says it itself, a CSV's mapping does. */
  readonly charset?: CharsetName;
  /** Of CSV, which says nothing about itself. */
  readonly mapping?: CsvMapping;
}

/** A file's first so many bytes are enough to see its format. */
export const DETECTION_BYTES = 4096;

const makers: Readonly<Record<StatementFormat, (options: ReaderOptions) => StatementReader>> = {
  mt940: (options) => mt940Reader(options),
  mt942: (options) => mt940Reader(options),
  'camt.052': (options) => camtReader(options),
  'camt.053': (options) => camtReader(options),
  'camt.054': (options) => camtReader(options),
  csv: ({ mapping, currency, account }) => {
    if (mapping === undefined) {
      throw new StatementUnreadableError('MappingMissing', 'a CSV says nothing of its columns: name a mapping', START);
    }
    return csvReader(mapping, {
      ...(currency === undefined ? {} : { currency }),
      ...(account === undefined ? {} : { account }),
    });
  },
};

const START = { line: 1, column: 1 };

/** A reader of a file of this format, with the checks that every format has to pass. */
export function readerFor(format: StatementFormat, options: ReaderOptions = {}): StatementReader {
  return withChecks(makers[format](options));
}

/** `pain.002` is seen, and is no statement: it says what became of payments that were sent. */
export type DetectedFormat = StatementFormat | 'pain.002';

/** What the first bytes of a file show; undefined for a CSV, which shows nothing, and for what is not known. */
export function detectFormat(firstBytes: Uint8Array): DetectedFormat | undefined {
  const text = legible(firstBytes);
  if (/^\s*</.test(text)) return xmlFormat(text);
  if (/\{2:[IO]942/.test(text) || /(?:^|[\r\n])942\s*[\r\n]/.test(text)) return 'mt942';
  const field = /(?:^|[\r\n]|\{4:)\s*:(20|25|61|34F):/.exec(text);
  if (field === null && !/^\s*\{1:/.test(text)) return undefined;
  const interim = text.search(/(?:^|[\r\n]):(?:34F|13D):/);
  const opening = text.search(/(?:^|[\r\n]):60[FM]?:/);
  return interim !== -1 && (opening === -1 || interim < opening) ? 'mt942' : 'mt940';
}

function xmlFormat(text: string): DetectedFormat | undefined {
  const name = /\b(camt\.05[234]|pain\.002)\.\d{3}\.\d{2}/.exec(text)?.[1];
  if (name !== undefined) return name as DetectedFormat;
  if (/<(?:[\w.-]+:)?BkToCstmrStmt\b/.test(text)) return 'camt.053';
  if (/<(?:[\w.-]+:)?BkToCstmrAcctRpt\b/.test(text)) return 'camt.052';
  if (/<(?:[\w.-]+:)?BkToCstmrDbtCdtNtfctn\b/.test(text)) return 'camt.054';
  return /<(?:[\w.-]+:)?CstmrPmtStsRpt\b/.test(text) ? 'pain.002' : undefined;
}

/** The ASCII of it, in whatever character set, without marks and the zeros of UTF-16. */
function legible(bytes: Uint8Array): string {
  let text = '';
  for (const byte of bytes.subarray(0, DETECTION_BYTES)) {
    if (byte !== 0 && byte < 0x80) text += String.fromCharCode(byte);
  }
  return text;
}
