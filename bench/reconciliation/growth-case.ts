import type { CaseContext, Measured } from '../harness/case.ts';
import { cpuNotes, round } from '../harness/measure.ts';
import { match } from './match.ts';

/** Ten times a night's file. */
const deals = 1_180_000;

/** `reconciliation.memory`: resident memory at its most while 1,200,000 lines are taken in and matched. */
export async function run(context: CaseContext): Promise<Measured> {
  const { lines, expectations, seconds, faults, use, memoryEarlyMb, memoryPeakMb } = await match(context, deals);
  return {
    figures: [
      { name: 'reconciliation.memory', value: memoryPeakMb, unit: 'MB' },
      { name: 'reconciliation.memory.early', value: memoryEarlyMb, unit: 'MB' },
      { name: 'reconciliation.memory.lines', value: lines / seconds, unit: 'lines/s' },
    ],
    notes: { lines, expectations, seconds: round(seconds, 1), ...cpuNotes(use, lines), faults },
  };
}
