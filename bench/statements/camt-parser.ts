import { createRequire } from 'node:module';
import { type Measured, mustHold } from '../harness/case.ts';
import { camtPieces } from './files.ts';
import { LINES, measureReading } from './reading.ts';

/** What is used of it. Its types are there only where the bench's packages are. */
interface CamtParser {
  readonly parseCamt053: (file: string) => Promise<{
    readonly statements: readonly {
      readonly transactions: readonly {
        readonly amount: { readonly value: string | number };
        readonly creditDebitIndicator: string;
      }[];
    }[];
  }>;
}

/** `peer.camtParser`: the package for camt.053 that npm has. The file lies ready as one string, which is what it takes. */
export function run(): Promise<Measured> {
  const { parseCamt053 } = createRequire(import.meta.url)('camt-parser') as CamtParser;
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
