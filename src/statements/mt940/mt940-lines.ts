import { StatementUnreadableError } from '../statement-reader.ts';

/** No line of a statement is longer by far: SWIFT allows 65 characters, banks send some hundred. */
export const LINE_LENGTH_MAX = 65_536;

/**
 * Cuts characters into lines, at CRLF, LF or CR. Holds the line that has begun and nothing else; a line without an end is
 * refused, not hoarded.
 */
export class Mt940Lines {
  readonly #take: (line: string, number: number) => void;
  #rest = '';
  #number = 0;

  constructor(take: (line: string, number: number) => void) {
    this.#take = take;
  }

  push(text: string): void {
    const all = this.#rest === '' ? text : this.#rest + text;
    this.#rest = '';
    let from = 0;
    let feed = all.indexOf('\n');
    let carriage = all.indexOf('\r');
    while (feed !== -1 || carriage !== -1) {
      const cut = carriage !== -1 && (feed === -1 || carriage < feed) ? carriage : feed;
      // It may be the half of a CRLF.
      if (cut === carriage && cut === all.length - 1) break;
      this.#line(all, from, cut);
      from = cut === carriage && feed === cut + 1 ? cut + 2 : cut + 1;
      if (feed !== -1 && feed < from) feed = all.indexOf('\n', from);
      if (carriage !== -1 && carriage < from) carriage = all.indexOf('\r', from);
    }
    this.#rest = from === 0 ? all : all.slice(from);
    // One more, which may be the CR of its end.
    if (this.#rest.length > LINE_LENGTH_MAX + 1) throw tooLong(this.#number + 1);
  }

  end(): void {
    const rest = this.#rest.endsWith('\r') ? this.#rest.slice(0, -1) : this.#rest;
    this.#rest = '';
    if (rest !== '') this.#line(rest, 0, rest.length);
  }

  /** Of the last line that was handed over. */
  get number(): number {
    return this.#number;
  }

  #line(all: string, from: number, to: number): void {
    this.#number += 1;
    if (to - from > LINE_LENGTH_MAX) throw tooLong(this.#number);
    this.#take(all.slice(from, to), this.#number);
  }
}

function tooLong(line: number): StatementUnreadableError {
  return new StatementUnreadableError(
    'LineTooLong',
    `more than ${LINE_LENGTH_MAX} characters without a line's end: this is no MT940`,
    { line, column: LINE_LENGTH_MAX + 1 },
  );
}
