const INSTANT =
  /^(\d{4})-(\d\d)-(\d\d)T([01]\d|2[0-3]):[0-5]\d(?::[0-5]\d(?:\.\d{1,9})?)?(?:Z|[+-](?:[01]\d|2[0-3]):[0-5]\d)$/;

/**
 * Reads an instant of ISO 8601 (the profile of RFC 3339; seconds may be left out): date, time and zone.
 *
 * @returns the same instant in UTC with milliseconds (finer fractions are cut off), or undefined where it is none:
 *   `Date.parse` alone would take "2024-02-30" for the first of March, and a text without a zone for local time
 */
export function instantOf(text: string): string | undefined {
  const [, year, month, day] = INSTANT.exec(text) ?? [];
  if (year === undefined || month === undefined || day === undefined) return undefined;
  const date = new Date(`${year}-${month}-${day}T00:00:00Z`);
  if (Number.isNaN(date.getTime()) || date.getUTCDate() !== Number(day)) return undefined;
  const instant = new Date(text);
  if (Number.isNaN(instant.getTime())) return undefined;
  const utc = instant.toISOString();
  // A zone may push the first or last day of the calendar out of it ("+010000-…").
  return utc.length === 24 ? utc : undefined;
}
