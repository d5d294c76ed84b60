import { createRequire } from 'node:module';
import type { Measured } from '../harness/case.ts';
import { camtPieces } from './files.ts';
import { LINES, measureReading } from './reading.ts';

/** What is used of it. Its types are there only where the bench's packages are. */
interface FastXmlParser {
  readonly XMLParser: new (options: object) => { parse(file: string): unknown };
}

interface Parsed {
  readonly Document: {
    readonly BkToCstmrStmt: {
      readonly Stmt: {
        readonly Ntry: readonly { readonly Amt: { readonly '#text': string }; readonly CdtDbtInd: string }[];
      };
    };
  };
}

/** `peer.fastXmlParser`: XML to objects only. Nothing is made of them but the sum: whoever uses it has that work still to do. */
export function run(): Promise<Measured> {
  const file = [...camtPieces(LINES)].join('');
  const { XMLParser } = createRequire(import.meta.url)('fast-xml-parser') as FastXmlParser;
  const parser = new XMLParser({ ignoreAttributes: false, parseTagValue: false });
  return measureReading('peer.fastXmlParser', () => {
    const entries = (parser.parse(file) as Parsed).Document.BkToCstmrStmt.Stmt.Ntry;
    let sum = 0n;
    for (const { Amt, CdtDbtInd } of entries) {
      const minor = BigInt(Math.round(Number(Amt['#text']) * 100));
      sum += CdtDbtInd === 'CRDT' ? minor : -minor;
    }
    return Promise.resolve({ lines: entries.length, sum });
  });
}
