import type { StatementPart } from './statement.ts';

/**
 * Reads a file as it arrives. Pure: no I/O, no clock; its memory is that of one line, not of the file. Throws
 * `StatementUnreadableError` and nothing else, whatever the bytes; after that it is spent.
 */
export interface StatementReader {
  /** Takes the next bytes of the file and hands over what they completed. */
  push(bytes: Uint8Array): StatementPart[];
  /** The file has ended. */
  end(): StatementPart[];
}

/** The file cannot be read any further than here. `line` and `column` count from 1, columns in characters. */
export class StatementUnreadableError extends Error {
  override readonly name = 'StatementUnreadableError';
  readonly code: string;
  readonly at: { readonly line: number; readonly column: number };

  /** `code`: `UnknownFormat`, `AmountUnreadable`, `Truncated` …; `message`: what is wrong and what to do, nothing personal. */
  constructor(code: string, message: string, at: { readonly line: number; readonly column: number }) {
    super(`line ${at.line}, column ${at.column}: ${message}`);
    this.code = code;
    this.at = at;
  }
}
