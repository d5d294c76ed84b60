import type { StatementTerms } from './ports.ts';
import { StatementUnreadableError, type StatementPart, type StatementReader } from '../../statements/index.ts';

/** What a file was found to be, before any of its lines counts. Nothing personal is in it. */
export interface FileFindings {
  readonly formats: readonly string[];
  readonly statements: number;
  readonly lines: number;
  /** The first ones; `problemsCount` says how many there are. */
  readonly problems: readonly FoundProblem[];
  readonly problemsCount: number;
  /** Of the first statements. */
  readonly balances: readonly FoundBalances[];
  /** It cannot be read any further than here. */
  readonly unreadable?: {
    readonly code: string;
    readonly message: string;
    readonly line: number;
    readonly column: number;
  };
}

interface FoundProblem {
  readonly code: string;
  readonly message: string;
  readonly line?: number;
  readonly column?: number;
}

interface FoundBalances {
  readonly currency?: string;
  readonly sequence?: string;
  readonly page?: number;
  readonly opening?: string;
  readonly closing?: string;
}

const KEPT_MAX = 100;

/** The parts of a file, as its bytes come. @throws StatementUnreadableError; whatever `bytes` throws */
export async function* partsOf(
  bytes: AsyncIterable<Uint8Array>,
  reader: StatementReader,
): AsyncGenerator<readonly StatementPart[]> {
  for await (const some of bytes) yield reader.push(some);
  yield reader.end();
}

/** Reads a file to its end and says what is in it. Its memory is that of the findings. */
export async function examine(open: () => AsyncIterable<Uint8Array>, terms: StatementTerms): Promise<FileFindings> {
  const formats = new Set<string>();
  const problems: FoundProblem[] = [];
  const balances: { -readonly [Name in keyof FoundBalances]: FoundBalances[Name] }[] = [];
  let [statements, lines, problemsCount] = [0, 0, 0];
  const found = (unreadable?: FileFindings['unreadable']): FileFindings => ({
    formats: [...formats],
    statements,
    lines,
    problems,
    problemsCount,
    balances,
    ...(unreadable && { unreadable }),
  });
  const take = (part: StatementPart): void => {
    switch (part.part) {
      case 'head': {
        const { format, currency, sequence, page, opening } = part.head;
        statements += 1;
        formats.add(format);
        if (balances.length < KEPT_MAX) {
          balances.push({
            ...(currency !== undefined && { currency }),
            ...(sequence !== undefined && { sequence }),
            ...(page !== undefined && { page }),
            ...(opening && { opening: opening.amount.toString() }),
          });
        }
        return;
      }
      case 'line':
        lines += 1;
        return;
      case 'foot': {
        const { closing } = part.foot;
        const last = balances[statements - 1];
        if (closing && last) last.closing = closing.amount.toString();
        return;
      }
      case 'problem': {
        const { code, message, at } = part.problem;
        problemsCount += 1;
        if (problems.length < KEPT_MAX) problems.push({ code, message, ...at });
      }
    }
  };
  try {
    const readers = await terms.look(open);
    if (readers.kind === 'status-report') {
      const what = 'a pain.002 is no statement: it says what became of payments that were sent';
      return found({ code: 'NotAStatement', message: what, line: 1, column: 1 });
    }
    for await (const parts of partsOf(open(), readers.reader())) for (const part of parts) take(part);
  } catch (error) {
    if (!(error instanceof StatementUnreadableError)) throw error;
    return found({ code: error.code, message: error.message, ...error.at });
  }
  return found();
}
