import { camtReader } from '../../src/statements/index.ts';
import type { Measured } from '../harness/case.ts';
import { camtPieces } from './files.ts';
import { LINES, measureReading, readingOf } from './reading.ts';

export function run(): Promise<Measured> {
  return measureReading(
    'statements.camt053',
    readingOf(() => camtReader(), camtPieces(LINES)),
  );
}
