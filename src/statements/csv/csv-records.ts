import { parse } from 'csv-parse/sync';
import { CharsetContradiction, decoderOf, type CharsetName, type Decode } from '../charset-decoding.ts';
import { StatementUnreadableError } from '../statement-reader.ts';

/** One row, and where its first line stands, from 1. */
export interface CsvRecord {
  readonly cells: readonly string[];
  readonly line: number;
}

export interface CsvShape {
  readonly charset: CharsetName;
  readonly delimiter: string;
  readonly quote: string;
}

/** No row of a report is so long; one that is has a quote that is never closed. */
const RECORD_CHARACTERS_MAX = 262_144;
const RECORD_LINES_MAX = 1000;
/** Rows with quotes are given to csv-parse together: a call of its own for each takes six times as long. */
const QUOTED_TOGETHER_MAX = 512;

/**
 * Bytes to rows. Rows are cut here, by quotes that are open or closed, so that memory is that of one row and a fault has
 * its line; the cells of rows with quotes are csv-parse's, those of rows without are what stands between the delimiters.
 */
export class CsvRecords {
  readonly #shape: CsvShape;
  readonly #take: (record: CsvRecord) => void;
  readonly #decode: Decode;
  #sawCp1252 = false;
  #rest = '';
  /** How far `#rest` was searched for a line's end, and the quotes in it until there. */
  #searched = 0;
  #quotes = 0;
  #lines = 0;
  /** The line that `#rest` begins on. */
  #line = 1;
  #atStart = true;
  /** Rows with quotes that wait, and the rows without that came between them. */
  #waiting: { text: string; line: number; cells?: readonly string[] }[] = [];

  constructor(shape: CsvShape, take: (record: CsvRecord) => void) {
    this.#shape = shape;
    this.#take = take;
    this.#decode = decoderOf(shape.charset, () => (this.#sawCp1252 = true));
  }

  write(bytes: Uint8Array): void {
    this.#decoded(bytes, false);
  }

  end(): void {
    this.#decoded(new Uint8Array(0), true);
    if (this.#rest !== '') this.#row(this.#rest, this.#quotes + this.#quotesIn(this.#searched));
    this.#rest = '';
    this.#flush();
  }

  get sawCp1252(): boolean {
    return this.#sawCp1252;
  }

  #decoded(bytes: Uint8Array, last: boolean): void {
    try {
      this.#decode(bytes, (text) => this.#text(text), last);
    } catch (error) {
      this.#flush();
      if (!(error instanceof CharsetContradiction)) throw error;
      const column = this.#rest.length - this.#rest.lastIndexOf('\n');
      throw new StatementUnreadableError(
        'CharsetContradicted',
        `the bytes here are not ${error.message}: change the mapping's charset, or ask the provider which one is meant`,
        { line: this.#line + this.#lines, column },
      );
    }
    this.#flush();
  }

  #text(text: string): void {
    let all = this.#rest + text;
    if (this.#atStart && all !== '') {
      if (all.startsWith('\uFEFF')) all = all.slice(1);
      this.#atStart = false;
    }
    this.#rest = all;
    let start = 0;
    for (let end = all.indexOf('\n', this.#searched); end >= 0; end = all.indexOf('\n', this.#searched)) {
      this.#quotes += countOf(this.#shape.quote, all, this.#searched, end);
      this.#searched = end + 1;
      this.#lines += 1;
      if (this.#quotes % 2 === 0) {
        this.#row(all.slice(start, all.charCodeAt(end - 1) === 13 && end > start ? end - 1 : end), this.#quotes);
        this.#line += this.#lines;
        this.#lines = 0;
        this.#quotes = 0;
        start = end + 1;
      } else if (this.#lines > RECORD_LINES_MAX) {
        this.#tooLong();
      }
    }
    this.#rest = all.slice(start);
    this.#searched -= start;
    if (this.#rest.length > RECORD_CHARACTERS_MAX) this.#tooLong();
  }

  #quotesIn(from: number): number {
    return countOf(this.#shape.quote, this.#rest, from, this.#rest.length);
  }

  #row(text: string, quotes: number): void {
    if (text.length > RECORD_CHARACTERS_MAX) this.#tooLong();
    if (quotes === 0) {
      const cells = text.split(this.#shape.delimiter);
      if (this.#waiting.length === 0) this.#take({ cells, line: this.#line });
      else this.#waiting.push({ text, line: this.#line, cells });
      return;
    }
    this.#waiting.push({ text, line: this.#line });
    if (this.#waiting.length >= QUOTED_TOGETHER_MAX) this.#flush();
  }

  #tooLong(): never {
    this.#flush();
    throw new StatementUnreadableError(
      'RowTooLong',
      'a row without an end begins here: a quote is opened and not closed, or this is no CSV',
      { line: this.#line, column: 1 },
    );
  }

  #flush(): void {
    const waiting = this.#waiting;
    if (waiting.length === 0) return;
    this.#waiting = [];
    const quoted = waiting.filter(({ cells }) => cells === undefined);
    const rows = this.#parsed(quoted.map(({ text }) => text).join('\n'));
    // A fault spoils one row, and csv-parse says no line of ours: then each is tried alone, up to the fault.
    const together = rows?.length === quoted.length ? rows : undefined;
    let next = 0;
    for (const { text, line, cells } of waiting) {
      this.#take({ cells: cells ?? together?.[next++] ?? this.#alone(text, line), line });
    }
  }

  #parsed(text: string): string[][] | undefined {
    try {
      return parse(text, { ...this.#options(), relax_column_count: true });
    } catch {
      return undefined;
    }
  }

  #alone(text: string, line: number): string[] {
    let column = 1;
    try {
      const rows: string[][] = parse(text, this.#options());
      if (rows.length === 1 && rows[0] !== undefined) return rows[0];
    } catch (error) {
      const cell = (error as { column?: unknown }).column;
      column = this.#columnOf(text, typeof cell === 'number' ? cell : 0);
    }
    throw new StatementUnreadableError(
      'RowUnreadable',
      'the quotes of this row do not match: a quote inside a quoted cell is written twice; ask the provider for it again',
      { line, column },
    );
  }

  #options() {
    return {
      delimiter: this.#shape.delimiter,
      quote: this.#shape.quote,
      escape: this.#shape.quote,
      record_delimiter: ['\n'],
    };
  }

  /** Where the cell of the number begins, from 1. */
  #columnOf(text: string, cell: number): number {
    let open = false;
    let cells = 0;
    for (let i = 0; i < text.length && cells < cell; i++) {
      if (text[i] === this.#shape.quote) open = !open;
      else if (text[i] === this.#shape.delimiter && !open && ++cells === cell) return i + 2;
    }
    return 1;
  }
}

function countOf(character: string, text: string, from: number, to: number): number {
  let count = 0;
  for (let i = text.indexOf(character, from); i >= 0 && i < to; i = text.indexOf(character, i + 1)) count += 1;
  return count;
}
