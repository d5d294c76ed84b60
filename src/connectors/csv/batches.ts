import { randomBytes } from 'node:crypto';
import { open, readFile, truncate } from 'node:fs/promises';
import { join } from 'node:path';
import { parse } from 'csv-parse/sync';
import type { PayoutSlice } from '../bank-connector.ts';
import { csvFiles, csvLine, moveDurably, writeWhole } from './files.ts';

export const BATCH_COLUMNS = ['line', 'reference', 'operation', 'amount', 'currency', 'account', 'rail'] as const;

/** A line of a batch: `providerRef` is `<batch>:<line>`. */
export interface BatchLine {
  readonly providerRef: string;
  readonly reference: string;
  readonly amount: string;
  readonly currency: string;
}

interface OpenBatch {
  readonly name: string;
  readonly openedAt: number;
  /** Bytes that are durable, and whole lines. */
  bytes: number;
  lines: number;
}

/**
 * The lines that were given out, ever, and the batch that is open. `open/` has the batch that is being written. When it is
 * closed a copy of it is put into `sent/`, which is our memory of it, and then the file itself is moved into `out/` in one
 * step: so a batch is handed over once, also when we die in between, and however soon the bank fetches it.
 */
export class Batches {
  readonly #folder: string;
  readonly #lines = new Map<string, BatchLine>();
  readonly #byRef = new Map<string, BatchLine>();
  /** Lines go into the last. There are more only where we died between two steps. */
  #open: OpenBatch[] = [];

  constructor(folder: string) {
    this.#folder = folder;
  }

  find(by: { readonly reference?: string; readonly providerRef?: string }): BatchLine | undefined {
    return by.reference === undefined ? this.#byRef.get(by.providerRef ?? '') : this.#lines.get(by.reference);
  }

  /** Reads everything again: at the start, and after another process was at work. */
  async load(): Promise<void> {
    this.#lines.clear();
    this.#byRef.clear();
    this.#open = [];
    for (const name of await csvFiles(join(this.#folder, 'sent'))) {
      this.#remember(stem(name), await readFile(join(this.#folder, 'sent', name), 'utf8'));
    }
    for (const name of await csvFiles(join(this.#folder, 'open'))) {
      await this.#adopt(stem(name), join(this.#folder, 'open', name));
    }
  }

  /** How many lines the batch that is open, or the next one, still takes. */
  room(linesMax: number): number {
    return Math.max(0, linesMax - (this.#open.at(-1)?.lines ?? 0));
  }

  /**
   * Adds lines, durable when it returns. The slices must be new ones.
   *
   * @throws WriteFailed when it is certain that none of them is there, and anything else when it is not
   */
  async add(slices: readonly PayoutSlice[], now: number): Promise<readonly BatchLine[]> {
    const batch = this.#open.at(-1) ?? (await this.#begin(now));
    const lines = slices.map((slice, index) => lineOf(batch.name, batch.lines + 1 + index, slice));
    const content = Buffer.from(lines.map(({ text }) => text).join(''));
    const file = join(this.#folder, 'open', `${batch.name}.csv`);
    try {
      const handle = await open(file, 'r+');
      try {
        await handle.write(content, 0, content.length, batch.bytes);
        await handle.sync();
      } finally {
        await handle.close();
      }
    } catch (error) {
      // What does not take itself back leaves the payments in doubt.
      await truncate(file, batch.bytes);
      throw new WriteFailed('a line could not be written', { cause: error });
    }
    batch.bytes += content.length;
    batch.lines += lines.length;
    for (const { line } of lines) this.#know(line);
    return lines.map(({ line }) => line);
  }

  /** Closes the open batch where it is full or old enough, never an empty one. */
  async closeDue(
    now: number,
    { linesMax, ageMs }: { readonly linesMax: number; readonly ageMs: number },
  ): Promise<void> {
    for (const batch of [...this.#open]) {
      if (batch.lines === 0 || (batch.lines < linesMax && now - batch.openedAt < ageMs)) continue;
      const name = `${batch.name}.csv`;
      await writeWhole(join(this.#folder, 'sent', name), await readFile(join(this.#folder, 'open', name), 'utf8'));
      this.#open = this.#open.filter((other) => other !== batch);
      await moveDurably(join(this.#folder, 'open', name), join(this.#folder, 'out', name));
    }
  }

  async #begin(now: number): Promise<OpenBatch> {
    // Its name says when it was opened; and no two have the same, whoever makes them.
    const name = `${new Date(now).toISOString().replace(/[-:.]/g, '')}-${randomBytes(4).toString('hex')}`;
    const header = csvLine(BATCH_COLUMNS);
    try {
      await writeWhole(join(this.#folder, 'open', `${name}.csv`), header);
    } catch (error) {
      throw new WriteFailed('a batch could not be opened', { cause: error });
    }
    const batch = { name, openedAt: now, bytes: Buffer.byteLength(header), lines: 0 };
    this.#open.push(batch);
    return batch;
  }

  /** Goes on with a batch that was left open. A line without its end was never acknowledged, and is taken off. */
  async #adopt(name: string, file: string): Promise<void> {
    const content = await readFile(file);
    const bytes = content.lastIndexOf('\n') + 1;
    if (bytes < content.length) await truncate(file, bytes);
    const lines = this.#remember(name, content.subarray(0, bytes).toString('utf8'));
    this.#open.push({ name, openedAt: openedAt(name), bytes, lines });
  }

  #remember(name: string, text: string): number {
    const rows = parse(text, { columns: true }) as unknown as Record<string, string>[];
    for (const { line = '', reference = '', amount = '', currency = '' } of rows) {
      this.#know({ providerRef: `${name}:${line}`, reference, amount, currency });
    }
    return rows.length;
  }

  #know(line: BatchLine): void {
    this.#lines.set(line.reference, line);
    this.#byRef.set(line.providerRef, line);
  }
}

/** Not one byte of the lines is there. */
export class WriteFailed extends Error {
  override readonly name = 'WriteFailed';
}

function lineOf(
  batch: string,
  number: number,
  slice: PayoutSlice,
): { readonly line: BatchLine; readonly text: string } {
  const { idempotencyKey: reference, operation, amount, currency, account, rail = '' } = slice;
  return {
    line: { providerRef: `${batch}:${number}`, reference, amount, currency },
    text: csvLine([String(number), reference, operation, amount, currency, account, rail]),
  };
}

function stem(name: string): string {
  return name.slice(0, -'.csv'.length);
}

/** From the name: 20250807T093000123Z-… */
function openedAt(name: string): number {
  const [, day = '', time = '', ms = ''] = /^([0-9]{8})T([0-9]{6})([0-9]{3})Z-/.exec(name) ?? [];
  const pairs = (digits: string): string[] => digits.match(/../g) ?? [];
  const [century = '', year = '', month = '', date = ''] = pairs(day);
  const [hour = '', minute = '', second = ''] = pairs(time);
  const instant = Date.parse(`${century}${year}-${month}-${date}T${hour}:${minute}:${second}.${ms}Z`);
  return Number.isNaN(instant) ? 0 : instant;
}
