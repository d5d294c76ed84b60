import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { parse } from 'csv-parse/sync';
import type { BankPaymentStatus } from '../bank-connector.ts';
import type { Batches } from './batches.ts';
import { csvFiles, csvLine, moveDurably, writeWhole } from './files.ts';

/** What the bank says of a line. */
interface StatusLine {
  readonly status: 'pending' | 'confirmed' | 'settled' | 'refused';
  readonly fee?: string;
  readonly code?: string;
}

interface BrokenLine {
  /** Of the file, from 1. */
  readonly line: number;
  readonly reason: string;
  readonly text: string;
}

const STATUS = /^(?:pending|confirmed|settled|refused)$/;
const MINOR = /^(?:0|[1-9][0-9]{0,29})$/;
const CODE = /^[A-Za-z0-9_.-]{1,64}$/;

/**
 * What the bank has said, in the order in which its files were taken in: the last one counts. A file is read once: then it is
 * in `done/` under a number, which is what this is read from after a restart.
 */
export class StatusFiles {
  readonly #folder: string;
  readonly #batches: Batches;
  readonly #said = new Map<string, StatusLine>();
  #taken = 0;

  constructor(folder: string, batches: Batches) {
    this.#folder = folder;
    this.#batches = batches;
  }

  /** After `Batches.load`. */
  async load(): Promise<void> {
    this.#said.clear();
    const names = await csvFiles(join(this.#folder, 'done'));
    for (const name of names) this.#read(await readFile(join(this.#folder, 'done', name), 'utf8'));
    // Numbers go on, also where somebody has put old files away.
    this.#taken = Math.max(0, ...names.map((name) => Number.parseInt(name, 10) || 0));
  }

  /** Takes in what lies in `in/`, and gives the number of broken lines; they are in `quarantine/`, each with its reason. */
  async takeIn(): Promise<number> {
    let broken = 0;
    for (const name of await csvFiles(join(this.#folder, 'in'))) {
      const file = join(this.#folder, 'in', name);
      const numbered = `${String(this.#taken + 1).padStart(8, '0')}-${name}`;
      const bad = this.#read(await readFile(file, 'utf8'));
      // First what is broken, under the name that the file will have: after a crash the same is written once more.
      if (bad.length > 0) await writeWhole(join(this.#folder, 'quarantine', numbered), quarantined(bad));
      await moveDurably(file, join(this.#folder, 'done', numbered));
      this.#taken += 1;
      broken += bad.length;
    }
    return broken;
  }

  /** Of a line that we have given out. */
  statusOf(reference: string, providerRef: string): BankPaymentStatus {
    const { status, fee, code = 'Refused' } = this.#said.get(reference) ?? { status: 'pending' as const };
    switch (status) {
      case 'pending':
        return { status, providerRef };
      case 'confirmed':
      case 'settled':
        return { status, providerRef, ...(fee === undefined ? {} : { providerFee: fee }) };
      case 'refused':
        return { status, providerRef, code, elsewhere: false };
    }
  }

  /** Remembers the lines that are right, and gives the others. */
  #read(text: string): readonly BrokenLine[] {
    const broken: BrokenLine[] = [];
    let columns: readonly string[] | undefined;
    // Line by line: a quote that is never closed spoils its line and not the rest of the file.
    text.split(/\r?\n/).forEach((raw, index) => {
      if (raw.trim() === '') return;
      const cells = cellsOf(index === 0 ? raw.replace(/^\uFEFF/, '') : raw);
      const say = (reason: string) => broken.push({ line: index + 1, reason, text: raw });
      if (columns === undefined) {
        columns = cells ?? [];
        if (columns.includes('reference') && columns.includes('status')) return;
        say('the first line must name the columns, reference and status among them');
      } else if (cells?.length !== columns.length) {
        say(cells === undefined ? 'quotes that do not match' : `${columns.length} cells are wanted`);
      } else {
        const row = Object.fromEntries(columns.map((column, at) => [column, cells[at] ?? '']));
        const wrong = this.#take(row);
        if (wrong !== undefined) say(wrong);
      }
    });
    return broken;
  }

  /** @returns what is wrong with it */
  #take(row: Readonly<Record<string, string>>): string | undefined {
    const { reference = '', status = '', amount = '', fee = '', code = '' } = row;
    const line = this.#batches.find({ reference });
    if (line === undefined) return 'we have sent no payment with this reference';
    if (!STATUS.test(status)) return 'a status is one of pending, confirmed, settled, refused';
    if (amount !== '' && amount !== line.amount) return 'its amount is not the one that we have sent';
    if (fee !== '' && !MINOR.test(fee)) return 'a fee is in minor units';
    if (code !== '' && !CODE.test(code)) return 'a code is 1 to 64 of A-Z a-z 0-9 _ . and -';
    this.#said.set(reference, {
      status: status as StatusLine['status'],
      ...(fee === '' ? {} : { fee }),
      ...(code === '' ? {} : { code }),
    });
    return undefined;
  }
}

function cellsOf(raw: string): readonly string[] | undefined {
  try {
    const [cells] = parse(raw, { trim: true });
    return cells;
  } catch {
    return undefined;
  }
}

function quarantined(broken: readonly BrokenLine[]): string {
  const rows = broken.map(({ line, reason, text }) => csvLine([String(line), reason, text]));
  return csvLine(['line', 'reason', 'text']) + rows.join('');
}
