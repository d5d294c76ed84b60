import { StatementUnreadableError } from '../statement-reader.ts';
import { childOf, type XmlNode } from '../xml/xml-tree.ts';

/**
 * `Dt` or `DtTm` in `node`: the day as the bank writes it. An instant is not moved into another zone: the bank's books
 * have the day that it wrote.
 */
export function dateIn(node: XmlNode | undefined): string | undefined {
  const said = childOf(node, 'Dt') ?? childOf(node, 'DtTm');
  return said === undefined ? undefined : dateOf(said);
}

/** The day of an element that is a date or an instant itself. */
export function dateOf(node: XmlNode): string {
  const text = node.text.trim();
  const day = text.slice(0, 10);
  if (/^\d{4}-\d{2}-\d{2}(?:$|[TZ+-])/.test(text) && isDay(day)) return day;
  throw new StatementUnreadableError(
    'DateUnreadable',
    `${node.name} is not a day that exists, written as 2026-11-27: ask the bank for it again`,
    { line: node.line, column: node.column },
  );
}

const DAYS = [31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];

function isDay(text: string): boolean {
  const year = Number(text.slice(0, 4));
  const month = Number(text.slice(5, 7));
  const day = Number(text.slice(8, 10));
  const leap = month === 2 && year % 4 === 0 && (year % 100 !== 0 || year % 400 === 0);
  return day >= 1 && day <= (DAYS[month - 1] ?? 0) + (leap ? 1 : 0);
}
