import { createRequire } from 'node:module';
import { type Measured, mustHold } from '../harness/case.ts';
import { mt940Pieces } from './files.ts';
import { LINES, measureReading } from './reading.ts';

/** What is used of it: the package has no types. */
interface Mt940js {
  readonly Parser: new () => {
    parse(file: string): { readonly transactions: readonly { readonly amount: number }[] }[];
  };
}

/** `peer.mt940js`: the file lies ready as one string, which is what it takes. It leaves structured text as it is. */
export function run(): Promise<Measured> {
  const { Parser } = createRequire(import.meta.url)('mt940js') as Mt940js;
  const file = [...mt940Pieces(LINES)].join('');
  return measureReading('peer.mt940js', () => {
    const [statement] = new Parser().parse(file);
    mustHold(statement !== undefined, 'mt940js found no statement');
    const { transactions } = statement;
    const sum = transactions.reduce((all, { amount }) => all + BigInt(Math.round(amount * 100)), 0n);
    return Promise.resolve({ lines: transactions.length, sum });
  });
}
