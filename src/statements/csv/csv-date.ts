import { isCalendarDay } from '../calendar-day.ts';

/** What a cell says of the day and, where it says one, of the time. */
export interface CsvInstant {
  /** `2026-11-27`, as written. */
  readonly day: string;
  /** Milliseconds into that day. */
  readonly timeMs: number;
  /** What the cell says of its zone; undefined: nothing. */
  readonly offsetMinutes: number | undefined;
}

type Parse = (text: string) => CsvInstant | undefined;

const TOKENS: Readonly<Record<string, string>> = {
  yyyy: '(?<year>\\d{4})',
  yy: '(?<shortYear>\\d{2})',
  MMM: '(?<monthName>[A-Za-z]{3})',
  MM: '(?<month>\\d{2})',
  M: '(?<month>\\d{1,2})',
  dd: '(?<day>\\d{2})',
  d: '(?<day>\\d{1,2})',
  HH: '(?<hour>\\d{2})',
  H: '(?<hour>\\d{1,2})',
  hh: '(?<hour12>\\d{2})',
  h: '(?<hour12>\\d{1,2})',
  mm: '(?<minute>\\d{2})',
  ss: '(?<second>\\d{2})',
  SSS: '(?<fraction>\\d{3})',
  a: '(?<half>[AaPp][Mm])',
  ZZ: '(?<offset>Z|[+-]\\d{2}:?\\d{2})',
};
const MONTHS = ['jan', 'feb', 'mar', 'apr', 'may', 'jun', 'jul', 'aug', 'sep', 'oct', 'nov', 'dec'];
/** ISO 8601: a day, or an instant with or without seconds, fraction and offset. */
const ISO =
  /^(?<year>\d{4})-(?<month>\d{2})-(?<day>\d{2})(?:[T ](?<hour>\d{2}):(?<minute>\d{2})(?::(?<second>\d{2})(?:[.,](?<fraction>\d{1,9}))?)?\s?(?<offset>Z|[+-]\d{2}:?\d{2})?)?$/;

/**
 * A format by its name: `iso`, `epoch-seconds`, `epoch-milliseconds`, or tokens (`yyyy yy MMM MM M dd d HH H hh h mm ss SSS
 * a ZZ`) with whatever stands between them. Letters that are no token are written in quotes: `dd MMM yyyy 'at' HH:mm`.
 * Undefined: it is none, or says no day.
 */
export function dateFormatOf(format: string): Parse | undefined {
  if (format === 'iso') return (text) => matched(ISO.exec(text));
  if (format === 'epoch-seconds') return (text) => epoch(text, 1000);
  if (format === 'epoch-milliseconds') return (text) => epoch(text, 1);
  let pattern = '';
  const seen = new Set<string>();
  for (const [piece, quoted, letters] of format.matchAll(/'([^']*)'|([A-Za-z])\2*|[^A-Za-z']/g)) {
    const token = letters === undefined ? undefined : TOKENS[piece];
    if (token !== undefined) {
      const group = /<(\w+)>/.exec(token)?.[1] ?? '';
      if (seen.has(group)) return undefined;
      seen.add(group);
      pattern += token;
    } else if (letters !== undefined) {
      return undefined;
    } else {
      pattern += (quoted ?? piece).replaceAll(/[.*+?^${}()|[\]\\/-]/g, '\\$&');
    }
  }
  const year = seen.has('year') || seen.has('shortYear');
  const month = seen.has('month') || seen.has('monthName');
  if (!year || !month || !seen.has('day') || seen.has('hour12') !== seen.has('half')) return undefined;
  const expression = new RegExp(`^${pattern}$`);
  return (text) => matched(expression.exec(text));
}

function matched(match: RegExpExecArray | null): CsvInstant | undefined {
  const groups = match?.groups;
  if (groups === undefined) return undefined;
  const year = groups['year'] ?? `20${groups['shortYear'] ?? ''}`;
  const named = groups['monthName'];
  const month = named === undefined ? Number(groups['month']) : MONTHS.indexOf(named.toLowerCase()) + 1;
  const day = Number(groups['day']);
  const hour = hourOf(groups);
  const minute = Number(groups['minute'] ?? 0);
  const second = Number(groups['second'] ?? 0);
  if (hour > 23 || minute > 59 || second > 60 || !isCalendarDay(Number(year), month, day)) return undefined;
  const offset = groups['offset'];
  return {
    day: `${year}-${twoDigits(month)}-${twoDigits(day)}`,
    timeMs: ((hour * 60 + minute) * 60 + second) * 1_000,
    offsetMinutes: offset === undefined ? undefined : offsetMinutesOf(offset),
  };
}

function twoDigits(number: number): string {
  return number < 10 ? `0${number}` : String(number);
}

/** The instant of a cell whose zone is so many minutes before UTC, in milliseconds since 1970. */
export function instantMsOf({ day, timeMs }: CsvInstant, offsetMinutes: number): number {
  return Date.parse(`${day}T00:00:00Z`) + timeMs - offsetMinutes * 60_000;
}

function hourOf(groups: Readonly<Record<string, string | undefined>>): number {
  const twelve = groups['hour12'];
  if (twelve === undefined) return Number(groups['hour'] ?? 0);
  const hour = Number(twelve);
  if (hour < 1 || hour > 12) return 99;
  return (hour % 12) + (groups['half']?.toLowerCase() === 'pm' ? 12 : 0);
}

function epoch(text: string, unitMs: number): CsvInstant | undefined {
  if (!/^\d{1,14}$/.test(text)) return undefined;
  const instantMs = Number(text) * unitMs;
  if (instantMs > 253_402_300_799_999) return undefined;
  const day = new Date(instantMs).toISOString().slice(0, 10);
  return { day, timeMs: instantMs % 86_400_000, offsetMinutes: 0 };
}

/** `Z`, `UTC`, `+03:00`, `+0300`. */
export function offsetMinutesOf(text: string): number {
  if (text === 'Z' || text === 'UTC') return 0;
  const [, sign, hours, minutes] = /^([+-])(\d{2}):?(\d{2})$/.exec(text) ?? [];
  return (sign === '-' ? -1 : 1) * (Number(hours) * 60 + Number(minutes));
}

const QUARTER_MS = 15 * 60_000;
const REMEMBERED_MAX = 10_000;

/** The day of an instant in a time zone. Remembers by the quarter of an hour: no zone has moved by less since 1972. */
export function dayInZone(timeZone: string): (instantMs: number) => string {
  if (timeZone === 'UTC') return (instantMs) => new Date(instantMs).toISOString().slice(0, 10);
  const format = new Intl.DateTimeFormat('en-CA', { timeZone, year: 'numeric', month: '2-digit', day: '2-digit' });
  const remembered = new Map<number, string>();
  return (instantMs) => {
    const quarter = Math.floor(instantMs / QUARTER_MS);
    let day = remembered.get(quarter);
    if (day === undefined) {
      if (remembered.size >= REMEMBERED_MAX) remembered.clear();
      const parts = Object.fromEntries(format.formatToParts(instantMs).map(({ type, value }) => [type, value]));
      day = `${parts['year'] ?? ''}-${parts['month'] ?? ''}-${parts['day'] ?? ''}`;
      remembered.set(quarter, day);
    }
    return day;
  };
}
