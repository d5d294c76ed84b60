import { parse } from 'csv-parse/sync';
import type { Measured } from '../harness/case.ts';
import { csvPieces } from './files.ts';
import { LINES, measureReading } from './reading.ts';

/**
 * `peer.csvParse`: the whole file by csv-parse in one call, and each row made a line as somebody would in an afternoon.
 * Neither camt-parser nor fast-xml-parser nor mt940js reads CSV.
 */
export function run(): Promise<Measured> {
  const file = [...csvPieces(LINES)].join('');
  return measureReading('peer.csvParse', () => {
    const rows: Record<string, string>[] = parse(file, { columns: true });
    const lines = rows.map((row) => ({
      valueDate: row['available_on_utc']?.slice(0, 10),
      entryDate: row['created_utc']?.slice(0, 10),
      amount: Math.round(Number(row['net']) * 100),
      charges: Math.round(Number(row['fee']) * 100),
      currency: row['currency']?.toUpperCase(),
      reference: row['source_id'],
      bankReference: row['balance_transaction_id'],
      text: row['description'],
      transactionCode: row['reporting_category'],
    }));
    return Promise.resolve({ lines: lines.length, sum: lines.reduce((sum, { amount }) => sum + BigInt(amount), 0n) });
  });
}
