import { finished } from 'node:stream/promises';
import { setImmediate as flushed } from 'node:timers/promises';
import type pg from 'pg';
import { from as copyFrom } from 'pg-copy-streams';

export interface Query {
  readonly text: string;
  readonly values: unknown[];
}
/** Rows for COPY, which takes in several times as many as INSERT does. */
export interface Copy {
  /** Table and columns: `reconciliation.line_keys (key, line)`. */
  readonly into: string;
  /** As `copyRow` makes them, one after the other. */
  readonly rows: string;
}
export type Statement = Query | Copy;

/**
 * Runs statements one after the other. What the next one needs is written out while the database works on this one: that is
 * half of the time of a batch.
 *
 * @param statements made one at a time, when they are asked for
 */
export async function inOrder(client: pg.PoolClient, statements: Iterable<Statement>): Promise<void> {
  let running: Promise<unknown> | undefined;
  try {
    for (const statement of statements) {
      await running;
      running = 'into' in statement ? copy(client, statement) : client.query(statement.text, statement.values);
      // Only then is it on its way.
      await flushed();
    }
  } finally {
    await running;
  }
}

async function copy(client: pg.PoolClient, { into, rows }: Copy): Promise<void> {
  const stream = client.query(copyFrom(`copy ${into} from stdin`));
  stream.end(rows);
  await finished(stream);
}

type Cell = string | number | bigint | boolean | null;

/** One row in COPY's text format. */
export function copyRow(...cells: readonly Cell[]): string {
  let row = '';
  for (let at = 0; at < cells.length; at++) {
    const cell = cells[at] ?? null;
    row += at === 0 ? '' : '\t';
    row += typeof cell === 'string' ? escaped(cell) : cell === null ? '\\N' : String(cell);
  }
  return `${row}\n`;
}

function escaped(text: string): string {
  return /[\\\n\r\t]/.test(text) ? text.replace(/[\\\n\r\t]/g, (special) => escapes[special] ?? special) : text;
}
const escapes: Readonly<Record<string, string>> = { '\\': '\\\\', '\n': '\\n', '\r': '\\r', '\t': '\\t' };
