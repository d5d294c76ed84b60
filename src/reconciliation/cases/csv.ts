import { formatDecimal } from '../../kernel/money.ts';
import type { CaseView } from './case-view.ts';

const columns: readonly (readonly [title: string, cell: (view: CaseView) => string])[] = [
  ['case', ({ caseId }) => caseId],
  ['state', ({ state }) => state],
  ['kind', ({ kind }) => kind],
  ['profile', ({ profile }) => profile],
  ['direction', ({ direction }) => direction],
  ['amount', ({ amount, currency }) => formatDecimal(BigInt(amount), currency)],
  ['currency', ({ currency }) => currency],
  ['reason', ({ reason = '' }) => reason],
  ['opened', ({ openedAt }) => openedAt],
  ['due', ({ dueAt }) => dueAt],
  ['overdue', ({ overdue }) => (overdue ? 'yes' : '')],
  ['assignee', ({ assignee = '' }) => assignee],
  ['proposed by', ({ proposal }) => proposal?.by ?? ''],
  ['proposed', ({ proposal }) => proposal?.resolution.kind ?? ''],
  ['moved', ({ moved, currency }) => formatDecimal(BigInt(moved), currency)],
  ['ended', ({ endedAt = '' }) => endedAt],
  ['cause', ({ cause = '' }) => cause],
  ['lines', ({ lineIds }) => lineIds.join(' ')],
  ['payments', ({ paymentIds }) => paymentIds.join(' ')],
];

/** Cases as CSV (RFC 4180), a title line first. */
export async function casesCsv(cases: AsyncIterable<CaseView> | Iterable<CaseView>): Promise<string> {
  const lines = [csvLine(columns.map(([title]) => title))];
  for await (const view of cases) lines.push(csvLine(columns.map(([, cell]) => cell(view))));
  return lines.join('');
}

/**
 * A line of RFC 4180, with its end. Spreadsheets take a cell that begins with `=`, `+`, `-`, `@`, a tab or a return for a
 * formula, even a quoted one: an apostrophe before it makes it a text. A number may begin with a minus.
 */
export function csvLine(cells: readonly string[]): string {
  return `${cells.map(csvCell).join(',')}\r\n`;
}

function csvCell(text: string): string {
  const isNumber = /^-?[0-9]+(?:\.[0-9]+)?$/.test(text);
  const safe = !isNumber && /^[=+\-@\t\r\n＝＋－＠]/.test(text) ? `'${text}` : text;
  return /[",\r\n]/.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe;
}
