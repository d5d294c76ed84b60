import type { StatementFormat, StatementPart, StatementReader } from '../../../src/statements/index.ts';
import { StatementUnreadableError } from '../../../src/statements/index.ts';

/**
 * A format with no dialects, so that these tests are about what is done with lines and not about how banks write them:
 *
 *   H;format;account;currency;sequence;opening    a statement
 *   L;date;amount;reference;bankReference;text    a line of it
 *   F;closing;date                                its foot
 *   P;code                                        a problem
 */
export class PlainReader implements StatementReader {
  #rest = '';
  #line = 0;
  #index = 0;

  push(bytes: Uint8Array): StatementPart[] {
    const lines = (this.#rest + Buffer.from(bytes).toString('utf8')).split('\n');
    this.#rest = lines.pop() ?? '';
    return lines.map((line) => this.#part(line));
  }

  end(): StatementPart[] {
    return this.#rest === '' ? [] : [this.#part(this.#rest)];
  }

  #part(line: string): StatementPart {
    this.#line += 1;
    const [kind, ...cells] = line.split(';');
    switch (kind) {
      case 'H': {
        const [format = '', account = '', currency = '', sequence = '', opening = '0'] = cells;
        this.#index = 0;
        const head = {
          format: format as StatementFormat,
          account,
          currency,
          sequence,
          opening: { amount: BigInt(opening), kind: '60F' },
        };
        return { part: 'head', head };
      }
      case 'L': {
        const [valueDate = '', amount = '', reference = '', bankReference = '', text = ''] = cells;
        const line = {
          index: this.#index++,
          valueDate,
          amount: BigInt(amount),
          reversal: false,
          reference,
          bankReference,
          text,
          at: { line: this.#line },
        };
        return { part: 'line', line };
      }
      case 'F': {
        const [closing = '', date] = cells;
        const balance = { amount: BigInt(closing), kind: '62F', ...(date !== undefined && { date }) };
        return { part: 'foot', foot: { closing: balance, otherBalances: [], linesCount: this.#index } };
      }
      case 'P':
        return { part: 'problem', problem: { code: cells[0] ?? '', message: 'a sum is not right' } };
      case undefined:
      default:
        throw new StatementUnreadableError('UnknownFormat', 'this is no line', { line: this.#line, column: 1 });
    }
  }
}

export const bookedHead = 'H;mt940;DE89370400440532013000;EUR;1;1000';

/** A line of today's. */
export function lineOf(
  amount: number,
  reference = 'NONREF',
  more: { bank?: string; text?: string; day?: string } = {},
) {
  return `L;${more.day ?? '2026-11-27'};${amount};${reference};${more.bank ?? ''};${more.text ?? ''}`;
}
