import { formatDecimal, formatMinor } from '../kernel/money.ts';
import { currencies } from '../kernel/currencies.ts';
import type { Balance, StatementHead, StatementLine, StatementPart } from '../statements/index.ts';

export interface PrintedProblem {
  readonly file?: string;
  readonly code: string;
  readonly message: string;
  readonly line?: number;
  readonly column?: number;
}

/** Prints parts as they come. */
export interface StatementPrinter {
  readonly problemsCount: number;
  part(part: Exclude<StatementPart, { readonly part: 'problem' }>): void;
  problem(problem: PrintedProblem): void;
  end(): void;
}

/** One JSON document, written piece by piece: lines first and the closing balance after them, as the file has it. */
export class JsonStatements implements StatementPrinter {
  readonly #write: (text: string) => void;
  readonly #problems: PrintedProblem[] = [];
  #isFirst = true;
  #isFirstLine = true;
  #isOpen = false;

  constructor(write: (text: string) => void) {
    this.#write = write;
    write('{"statements":[');
  }

  get problemsCount(): number {
    return this.#problems.length;
  }

  part(part: Exclude<StatementPart, { readonly part: 'problem' }>): void {
    if (part.part === 'head') this.#head(part.head);
    else if (part.part === 'line') this.#line(part.line);
    else this.#foot(part.foot.closing);
  }

  problem(problem: PrintedProblem): void {
    this.#problems.push(problem);
  }

  end(): void {
    this.#foot(undefined);
    this.#write(`],"problems":${JSON.stringify(this.#problems)}}\n`);
  }

  #head({ account, currency, opening }: StatementHead): void {
    this.#foot(undefined);
    const head = JSON.stringify({ account, currency: currency ?? null, openingBalance: minorOf(opening) });
    this.#write(`${this.#isFirst ? '' : ','}${head.slice(0, -1)},"lines":[`);
    this.#isFirst = false;
    this.#isFirstLine = true;
    this.#isOpen = true;
  }

  #line({ valueDate, entryDate, amount, reference, bankReference, text }: StatementLine): void {
    const line = {
      valueDate,
      entryDate: entryDate ?? null,
      amount: formatMinor(amount),
      reference,
      bankReference,
      text,
    };
    this.#write((this.#isFirstLine ? '' : ',') + JSON.stringify(line));
    this.#isFirstLine = false;
  }

  #foot(closing: Balance | undefined): void {
    if (this.#isOpen) this.#write(`],"closingBalance":${JSON.stringify(minorOf(closing))}}`);
    this.#isOpen = false;
  }
}

function minorOf(balance: Balance | undefined): string | null {
  return balance === undefined ? null : formatMinor(balance.amount);
}

/** For people: a statement's head, its lines below each other, its foot, and what is wrong where it was found. */
export class TextStatements implements StatementPrinter {
  readonly #write: (text: string) => void;
  #currency = '';
  #problemsCount = 0;

  constructor(write: (text: string) => void) {
    this.#write = write;
  }

  get problemsCount(): number {
    return this.#problemsCount;
  }

  part(part: Exclude<StatementPart, { readonly part: 'problem' }>): void {
    if (part.part === 'head') {
      const { account, currency = '', opening, sequence, page, format } = part.head;
      this.#currency = currency;
      const number = sequence === undefined ? '' : `  no. ${sequence}${page === undefined ? '' : `/${page}`}`;
      this.#print(`${format}  ${account}  ${currency}${number}`);
      this.#print(`  opening ${this.#balance(opening)}`);
    } else if (part.part === 'line') {
      const { valueDate, entryDate = '', amount, reference, bankReference, text } = part.line;
      const cells = [
        valueDate,
        entryDate.padEnd(10),
        this.#decimal(amount).padStart(16),
        reference.padEnd(16),
        bankReference.padEnd(16),
        text.replaceAll('\n', ' ').slice(0, 60),
      ];
      this.#print(`  ${cells.join('  ')}`);
    } else {
      this.#print(`  closing ${this.#balance(part.foot.closing)}  (${part.foot.linesCount} lines)`);
      this.#print('');
    }
  }

  problem({ file, code, message, line }: PrintedProblem): void {
    this.#problemsCount += 1;
    const where = `${file === undefined ? '' : `${file}: `}${line === undefined ? '' : `line ${line}: `}`;
    this.#print(`! ${code}: ${where}${message.replace(/^line \d+, column \d+: /, '')}`);
  }

  end(): void {
    if (this.#problemsCount > 0) this.#print(`problems: ${this.#problemsCount}`);
  }

  /** Text of a bank is not to move a terminal's cursor. */
  #print(line: string): void {
    this.#write(`${line.replace(/[\x00-\x1f\x7f-\x9f]/g, ' ').trimEnd()}\n`);
  }

  #balance(balance: Balance | undefined): string {
    if (balance === undefined) return 'none';
    return `${this.#decimal(balance.amount)}${balance.date === undefined ? '' : ` on ${balance.date}`}`;
  }

  /** Withdrawn currencies are not the kernel's: theirs are printed as minor units. */
  #decimal(amount: bigint): string {
    return currencies.includes(this.#currency) ? formatDecimal(amount, this.#currency) : `${formatMinor(amount)} minor`;
  }
}
