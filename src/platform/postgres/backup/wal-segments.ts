/** Names of the files of the write-ahead log: timeline, and a number in two parts. All clusters of ours have 16 MiB files. */

const segmentName = /^[0-9A-F]{24}$/;
const segmentsPerPart = 256;

export function isSegment(name: string): boolean {
  return segmentName.test(name);
}

export function isTimelineHistory(name: string): boolean {
  return /^[0-9A-F]{8}\.history$/.test(name);
}

interface Segment {
  readonly timeline: string;
  readonly number: number;
}

function segmentOf(name: string): Segment {
  const [timeline, high, low] = [name.slice(0, 8), name.slice(8, 16), name.slice(16)];
  return { timeline, number: Number.parseInt(high, 16) * segmentsPerPart + Number.parseInt(low, 16) };
}

function nameOf({ timeline, number }: Segment): string {
  const hex = (value: number): string => value.toString(16).toUpperCase().padStart(8, '0');
  return `${timeline}${hex(Math.floor(number / segmentsPerPart))}${hex(number % segmentsPerPart)}`;
}

/** Whether a segment lies in a range of one timeline, both ends included. */
export function isBetween(name: string, first: string, last: string): boolean {
  return name.slice(0, 8) === first.slice(0, 8) && name >= first && name <= last;
}

/**
 * The first segment that is missing although later ones are there.
 *
 * @param last the last segment that is had without the archive
 * @param names of the files in the archive
 */
export function firstMissing(last: string, names: readonly string[]): string | undefined {
  const { timeline, number } = segmentOf(last);
  const numbers = new Set(
    names
      .filter(isSegment)
      .map(segmentOf)
      .filter((segment) => segment.timeline === timeline)
      .map((one) => one.number),
  );
  const end = Math.max(number, ...numbers);
  for (let next = number + 1; next < end; next++) {
    if (!numbers.has(next)) return nameOf({ timeline, number: next });
  }
  return undefined;
}
