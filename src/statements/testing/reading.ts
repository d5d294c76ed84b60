import type { StatementFoot, StatementHead, StatementLine, StatementPart, StatementProblem } from '../statement.ts';
import { StatementUnreadableError } from '../statement-reader.ts';

interface PushReader<Part> {
  push(bytes: Uint8Array): Part[];
  end(): Part[];
}

/** What came out, and how it ended. */
export interface Reading<Part> {
  readonly parts: Part[];
  readonly error: { readonly code: string; readonly line: number; readonly column: number } | undefined;
}

/** Reads all of it in chunks of the sizes given, over and over; without sizes in one. Throws what is no typed error. */
export function readAll<Part>(
  reader: PushReader<Part>,
  file: Uint8Array | string,
  sizes: readonly number[] = [],
): Reading<Part> {
  const bytes = typeof file === 'string' ? new TextEncoder().encode(file) : file;
  const parts: Part[] = [];
  try {
    for (let from = 0, turn = 0; from < bytes.length; turn++) {
      const size = sizes.length === 0 ? bytes.length : (sizes[turn % sizes.length] ?? 1);
      parts.push(...reader.push(bytes.subarray(from, from + size)));
      from += size;
    }
    parts.push(...reader.end());
    return { parts, error: undefined };
  } catch (error) {
    if (!(error instanceof StatementUnreadableError)) throw error;
    return { parts, error: { code: error.code, ...error.at } };
  }
}

export interface ReadStatement {
  readonly head: StatementHead;
  readonly lines: StatementLine[];
  readonly foot: StatementFoot | undefined;
}

/** Parts as statements, for tests that look at values. */
export function statementsOf(parts: readonly StatementPart[]): ReadStatement[] {
  const statements: { head: StatementHead; lines: StatementLine[]; foot: StatementFoot | undefined }[] = [];
  for (const part of parts) {
    if (part.part === 'head') statements.push({ head: part.head, lines: [], foot: undefined });
    const open = statements.at(-1);
    if (part.part === 'line') open?.lines.push(part.line);
    if (part.part === 'foot' && open !== undefined) open.foot = part.foot;
  }
  return statements;
}

export function problemsOf(parts: readonly StatementPart[]): StatementProblem[] {
  return parts.flatMap((part) => (part.part === 'problem' ? [part.problem] : []));
}
