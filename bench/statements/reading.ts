import type { StatementReader } from '../../src/statements/index.ts';
import { type Measured, mustHold } from '../harness/case.ts';
import { round } from '../harness/measure.ts';
import { chunksOf, sumOf } from './files.ts';

export const LINES = 120_000;
const TIMES = 3;

/** Reads all of it once and says how many lines there were, and their sum in minor units. */
export type ReadOnce = () => Promise<{ readonly lines: number; readonly sum: bigint }>;

/** Once to warm up, then three times, of which the fastest counts: what else the machine does is nobody's speed. */
export async function measureReading(name: string, read: ReadOnce): Promise<Measured> {
  await read();
  const seconds: number[] = [];
  for (let time = 0; time < TIMES; time++) {
    const begin = performance.now();
    const { lines, sum } = await read();
    seconds.push((performance.now() - begin) / 1_000);
    mustHold(lines === LINES, `${name} read ${lines} lines of ${LINES}`);
    mustHold(sum === sumOf(LINES), `${name} read lines of the sum ${sum}, not ${sumOf(LINES)}`);
  }
  return { figures: [{ name, value: round(LINES / Math.min(...seconds), 0), unit: 'lines/s' }] };
}

/** With a reader of ours, from chunks that lie ready, as a file's do in the page cache. */
export function readingOf(makeReader: () => StatementReader, pieces: Iterable<string>): ReadOnce {
  const chunks = [...chunksOf(pieces)];
  return () => {
    const tally = { lines: 0, sum: 0n };
    pushAll(makeReader(), chunks, tally);
    return Promise.resolve(tally);
  };
}

export function pushAll(
  reader: StatementReader,
  chunks: Iterable<Uint8Array>,
  tally: { lines: number; sum: bigint },
  onChunk: () => void = () => undefined,
): void {
  const count = (parts: ReturnType<StatementReader['end']>): void => {
    for (const part of parts) {
      mustHold(part.part !== 'problem', 'a file of the bench has a problem');
      if (part.part !== 'line') continue;
      tally.lines += 1;
      tally.sum += part.line.amount;
    }
  };
  for (const chunk of chunks) {
    count(reader.push(chunk));
    onChunk();
  }
  count(reader.end());
}

/** The greatest heap while `count` lines are made, read and forgotten, as `name.1e5` and so on say it. */
export function peakOf(makeReader: () => StatementReader, pieces: Iterable<string>, count: number): number {
  let peak = 0;
  let chunks = 0;
  const tally = { lines: 0, sum: 0n };
  pushAll(makeReader(), chunksOf(pieces), tally, () => {
    chunks += 1;
    if (chunks % 50 !== 0) return;
    globalThis.gc?.();
    peak = Math.max(peak, process.memoryUsage().heapUsed);
  });
  mustHold(tally.lines === count, `${tally.lines} lines were read of ${count}`);
  return peak / 2 ** 20;
}
