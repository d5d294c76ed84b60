import { csvReader, readyMapping } from '../../src/statements/index.ts';
import { type Measured, mustHold } from '../harness/case.ts';
import { csvPieces } from './files.ts';
import { LINES, measureReading, readingOf } from './reading.ts';

export function run(): Promise<Measured> {
  const mapping = readyMapping('stripe-balance');
  mustHold(mapping !== undefined, 'stripe-balance is not shipped');
  return measureReading(
    'statements.csv',
    readingOf(() => csvReader(mapping), csvPieces(LINES)),
  );
}
