import type { CharsetName } from '../charset-decoding.ts';
import { PartDelivery } from '../part-delivery.ts';
import type { StatementPart } from '../statement.ts';
import type { StatementReader } from '../statement-reader.ts';
import { Mt940Lines } from './mt940-lines.ts';
import { Mt940Messages } from './mt940-messages.ts';
import { Mt940Text } from './mt940-text.ts';

export interface Mt940Options {
  /** For balances without a currency; what the file says goes before it. */
  readonly currency?: string;
  /** Default: what the bytes show. */
  readonly charset?: CharsetName;
}

/**
 * Reads MT940 and MT942 as they arrive (SWIFT Standards MT, category 9), and the dialects of docs/statements.md. A file of
 * many messages is many statements, a page of a statement is one of them. Memory is that of one line with its text.
 */
export function mt940Reader({ currency, charset }: Mt940Options = {}): StatementReader {
  const delivery = new PartDelivery<StatementPart>();
  const messages = new Mt940Messages((part) => delivery.add(part), currency);
  const lines = new Mt940Lines((line, number) => messages.take(line, number));
  const text = new Mt940Text(charset);
  return {
    push: (bytes) => delivery.push(() => lines.push(text.push(bytes))),
    end: () =>
      delivery.end(() => {
        lines.push(text.end());
        lines.end();
        messages.end(lines.number);
        const problem = text.problem();
        if (problem !== undefined) delivery.add({ part: 'problem', problem });
      }),
  };
}
