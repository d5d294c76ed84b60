import { randomUUID } from 'node:crypto';
import type { Runtime } from '../../actors/runtime.ts';
import { formatMinor } from '../../kernel/money.ts';
import { AccountLane, type RowOutcome } from './account-lane.ts';
import { type Header, type HistoryRow, readHeader, readRow, type Unreadable } from './history-row.ts';
import { lineLengthMax, readLines } from './read-lines.ts';

export interface ReplayOptions {
  readonly file: string;
  readonly runtime: Runtime;
  /** Aborted: no more rows are begun; those under way are waited for. */
  readonly signal: AbortSignal;
  /** Told of every row that made no payment and is no duplicate. */
  readonly onRefused: (refused: Unreadable) => void;
  readonly onProgress?: (bytesRead: number) => void;
  /** Rows under way at a time: what bounds the memory. Default 4,000. */
  readonly rowsUnderWayMax?: number;
}

export interface ReplayReport {
  /** Rows read: refused + payments + duplicates. */
  readonly rows: number;
  readonly refused: number;
  /** Payments made now. */
  readonly payments: number;
  /** Rows that were played before. */
  readonly duplicates: number;
  readonly paymentsPerSecond: number;
  readonly seconds: number;
  /** Every account of the file that could be opened, sorted by its id; the balance is in minor units. */
  readonly accounts: readonly { readonly account: string; readonly balance: string }[];
  /** The signal came before the end of the file. */
  readonly interrupted: boolean;
}

/** Payments belong to whoever asked for them: the same file makes the same payments, whoever starts the replay. */
export const replayPrincipal = 'kora:replay';
export const replayTenant = 'kora';

/** The file as a whole is not a history. */
export class NotAHistoryError extends Error {
  override readonly name = 'NotAHistoryError';
  readonly code = 'NotAHistory';
}

/**
 * Plays a bank's transaction history: a row is a payment with its day as effective date and its `trans_id` as
 * idempotency key. A row that cannot be played stops nothing; what was played before changes nothing.
 *
 * @throws NotAHistoryError when the first line does not name the columns
 * @throws what reading the file or the product itself throws; run it again to go on from there
 */
export async function replay(options: ReplayOptions): Promise<ReplayReport> {
  const run = new Replay(options);
  const interrupted = await run.readFile();
  return run.report(interrupted);
}

class Replay {
  readonly #options: ReplayOptions;
  readonly #max: number;
  readonly #player = { tenant: replayTenant, principal: replayPrincipal, correlationId: `replay:${randomUUID()}` };
  readonly #lanes = new Map<string, AccountLane>();
  readonly #startedAt = performance.now();
  readonly #fault = new AbortController();
  #rows = 0;
  #refused = 0;
  #payments = 0;
  #duplicates = 0;
  #underWay = 0;
  /** Called when a row is done. */
  #freed: (() => void) | undefined;

  constructor(options: ReplayOptions) {
    this.#options = options;
    this.#max = options.rowsUnderWayMax ?? 4_000;
  }

  /** @returns whether it was interrupted */
  async readFile(): Promise<boolean> {
    const { file, signal, onProgress } = this.#options;
    const stop = AbortSignal.any([signal, this.#fault.signal]);
    let header: Header | undefined;
    try {
      for await (const { number, text, bytesRead } of readLines(file, stop)) {
        if (stop.aborted) break;
        if (header === undefined) {
          header = headerOf(file, text);
        } else if (text !== '') {
          this.#rows += 1;
          if (text === undefined)
            this.#refuse({ line: number, problem: `it is longer than ${lineLengthMax} characters` });
          else this.#take(readRow(number, text, header));
          onProgress?.(bytesRead);
          while (this.#underWay >= this.#max) await this.#oneDone();
        }
      }
    } finally {
      while (this.#underWay > 0) await this.#oneDone();
    }
    if (this.#fault.signal.aborted) throw this.#fault.signal.reason;
    if (header === undefined && !signal.aborted) headerOf(file, undefined);
    return signal.aborted;
  }

  async report(interrupted: boolean): Promise<ReplayReport> {
    const seconds = (performance.now() - this.#startedAt) / 1000;
    const accounts: { account: string; balance: string }[] = [];
    const names = [...this.#lanes.keys()].sort();
    // A thousand at a time are read by one query.
    for (let from = 0; from < names.length; from += 1_000) {
      const wallets = await Promise.all(
        names.slice(from, from + 1_000).map((name) => this.#options.runtime.account(name)),
      );
      for (const wallet of wallets) {
        if (wallet !== undefined)
          accounts.push({ account: wallet.accountId, balance: formatMinor(BigInt(wallet.posted)) });
      }
    }
    return {
      rows: this.#rows,
      refused: this.#refused,
      payments: this.#payments,
      duplicates: this.#duplicates,
      paymentsPerSecond: Math.round(this.#payments / seconds),
      seconds,
      accounts,
      interrupted,
    };
  }

  #take(row: HistoryRow | Unreadable): void {
    if ('problem' in row) {
      this.#refuse(row);
      return;
    }
    let lane = this.#lanes.get(row.account);
    if (lane === undefined) {
      lane = new AccountLane(row.account, this.#options.runtime, this.#player);
      this.#lanes.set(row.account, lane);
    }
    this.#underWay += 1;
    lane.play(row, (outcome) => this.#done(row, outcome));
  }

  #done({ line }: HistoryRow, outcome: RowOutcome): void {
    this.#underWay -= 1;
    switch (outcome.kind) {
      case 'paid':
        this.#payments += 1;
        break;
      case 'duplicate':
        this.#duplicates += 1;
        break;
      case 'refused':
        this.#refuse({ line, problem: `${outcome.refusal.code}: ${outcome.refusal.message}` });
        break;
      case 'fault':
        this.#fault.abort(outcome.error);
        break;
    }
    this.#freed?.();
  }

  #refuse(refused: Unreadable): void {
    this.#refused += 1;
    this.#options.onRefused(refused);
  }

  #oneDone(): Promise<void> {
    return new Promise((resolve) => (this.#freed = resolve));
  }
}

function headerOf(file: string, text: string | undefined): Header {
  const header = text === undefined ? 'it is empty, or its first line is too long' : readHeader(text);
  if (typeof header === 'string') throw new NotAHistoryError(`${file} is no transaction history: ${header}`);
  return header;
}
