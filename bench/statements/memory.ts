import { camtReader, csvReader, readerFor, readyMapping } from '../../src/statements/index.ts';
import { type Measured, mustHold } from '../harness/case.ts';
import { round } from '../harness/measure.ts';
import { camtPieces, csvPieces, mt940Pieces } from './files.ts';
import { LINES, peakOf } from './reading.ts';

/** The heap's peak after a collection: flat where ten times the lines need no more. */
export function run(): Promise<Measured> {
  const mapping = readyMapping('stripe-balance');
  mustHold(mapping !== undefined, 'stripe-balance is not shipped');
  const of = (count: number) => ({
    mt940: peakOf(() => readerFor('mt940'), mt940Pieces(count), count),
    camt053: peakOf(() => camtReader(), camtPieces(count), count),
    csv: peakOf(() => csvReader(mapping), csvPieces(count), count),
  });
  const some = of(LINES);
  const many = of(10 * LINES);
  return Promise.resolve({
    figures: [
      { name: 'statements.memory.mt940', value: round(some.mt940), unit: 'MB' },
      { name: 'statements.memory.mt940.1e6', value: round(many.mt940), unit: 'MB' },
      { name: 'statements.memory.camt053', value: round(some.camt053), unit: 'MB' },
      { name: 'statements.memory.camt053.1e6', value: round(many.camt053), unit: 'MB' },
      { name: 'statements.memory.csv', value: round(some.csv), unit: 'MB' },
      { name: 'statements.memory.csv.1e6', value: round(many.csv), unit: 'MB' },
    ],
  });
}
