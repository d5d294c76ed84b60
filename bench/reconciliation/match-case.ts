import type { CaseContext, Measured } from '../harness/case.ts';
import { cpuNotes, round } from '../harness/measure.ts';
import { match } from './match.ts';

/** So many deals have 120,000 lines and somewhat more payments. */
const deals = 118_000;

/** `reconciliation.lines`: lines taken in and matched a second, of a night's file. */
export async function run(context: CaseContext): Promise<Measured> {
  const { lines, expectations, seconds, settled, faults, use } = await match(context, deals);
  return {
    figures: [{ name: 'reconciliation.lines', value: lines / seconds, unit: 'lines/s' }],
    notes: {
      lines,
      expectations,
      seconds: round(seconds, 1),
      ...cpuNotes(use, lines),
      faults,
      settled,
    },
  };
}
