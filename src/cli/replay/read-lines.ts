import { createReadStream } from 'node:fs';

export interface Line {
  /** From 1, as an editor counts. */
  readonly number: number;
  /** Without its end. Undefined: longer than `lineLengthMax`, and skipped. */
  readonly text: string | undefined;
  /** Where in the file the chunk ends that the line was read from, in bytes: good enough for a progress bar. */
  readonly bytesRead: number;
}

/** No line of a bank's history is so long; one that is would fill the memory. */
export const lineLengthMax = 64 * 1024;

/**
 * The lines of a UTF-8 file, one chunk of it in memory at a time. Lines end with LF or CRLF; a byte order mark is no part
 * of the first one. A line is a row whatever quotes are in it: a quote that is never closed spoils its line, not the file.
 */
export async function* readLines(path: string, signal: AbortSignal): AsyncGenerator<Line, void, undefined> {
  const stream = createReadStream(path, { encoding: 'utf8', highWaterMark: 256 * 1024 });
  let number = 0;
  let rest = '';
  let skipping = false;
  for await (const chunk of stream as AsyncIterable<string>) {
    let text = rest + chunk;
    if (number === 0 && text.startsWith('\uFEFF')) text = text.slice(1);
    const { bytesRead } = stream;
    let start = 0;
    for (let end = text.indexOf('\n'); end >= 0; end = text.indexOf('\n', start)) {
      number += 1;
      yield { number, text: skipping ? undefined : textOf(text.slice(start, end)), bytesRead };
      if (signal.aborted) return;
      skipping = false;
      start = end + 1;
    }
    rest = text.slice(start);
    if (rest.length > lineLengthMax) {
      skipping = true;
      rest = '';
    }
  }
  if (rest !== '' || skipping) {
    yield { number: number + 1, text: skipping ? undefined : textOf(rest), bytesRead: stream.bytesRead };
  }
}

function textOf(line: string): string | undefined {
  if (line.length > lineLengthMax) return undefined;
  return line.endsWith('\r') ? line.slice(0, -1) : line;
}
