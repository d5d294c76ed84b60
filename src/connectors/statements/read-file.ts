import { type FileFindings, type FoundBalances, type FoundProblem, KEPT_MAX } from './file-findings.ts';
import type { FileReaders, StatementTerms } from './ports.ts';
import { examineReport } from './status-report.ts';
import { StatementUnreadableError, type StatementPart, type StatementReader } from '../../statements/index.ts';

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
      return await withSchema(await examineReport(open(), readers.reader()), readers);
    }
    for await (const parts of partsOf(open(), readers.reader())) for (const part of parts) take(part);
    return await withSchema(found(), readers);
  } catch (error) {
    if (!(error instanceof StatementUnreadableError)) throw error;
    return found({ code: error.code, message: error.message, ...error.at });
  }
}

/** What can be read is held against its schema as well. */
async function withSchema(findings: FileFindings, { checkSchema }: FileReaders): Promise<FileFindings> {
  if (checkSchema === undefined || findings.unreadable !== undefined) return findings;
  const more = (await checkSchema()).map(({ code, message, at }) => ({ code, message, ...at }));
  return {
    ...findings,
    problems: [...findings.problems, ...more].slice(0, KEPT_MAX),
    problemsCount: findings.problemsCount + more.length,
  };
}
