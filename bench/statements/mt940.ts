import { readerFor } from '../../src/statements/index.ts';
import type { Measured } from '../harness/case.ts';
import { mt940Pieces } from './files.ts';
import { LINES, measureReading, readingOf } from './reading.ts';

/** With the checks of every file: as it is read when it is taken in. */
export function run(): Promise<Measured> {
  return measureReading(
    'statements.mt940',
    readingOf(() => readerFor('mt940'), mt940Pieces(LINES)),
  );
}
