import { isCalendarDay } from '../calendar-day.ts';
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
  if (
    /^\d{4}-\d{2}-\d{2}(?:$|[TZ+-])/.test(text) &&
    isCalendarDay(Number(day.slice(0, 4)), Number(day.slice(5, 7)), Number(day.slice(8)))
  ) {
    return day;
  }
  throw new StatementUnreadableError(
    'DateUnreadable',
    `${node.name} is not a day that exists, written as 2026-11-27: ask the bank for it again`,
    { line: node.line, column: node.column },
  );
}
