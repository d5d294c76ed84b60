import { parseCamt053 } from 'camt-parser';
import { type Measured, mustHold } from '../harness/case.ts';
import { camtPieces } from './files.ts';
import { LINES, measureReading } from './reading.ts';

/** `peer.camtParser`: the package for camt.053 that npm has. The file lies ready as one string, which is what it takes. */
export function run(): Promise<Measured> {
  const file = [...camtPieces(LINES)].join('');
  return measureReading('peer.camtParser', async () => {
    const [statement] = (await parseCamt053(file)).statements;
    mustHold(statement !== undefined, 'camt-parser found no statement');
    let sum = 0n;
    for (const { amount, creditDebitIndicator } of statement.transactions) {
      const minor = BigInt(Math.round(Number(amount.value) * 100));
      sum += creditDebitIndicator === 'CRDT' ? minor : -minor;
    }
    return { lines: statement.transactions.length, sum };
  });
}
