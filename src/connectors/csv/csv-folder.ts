import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { BankPaymentStatus, BankSendResult, PayoutSlice } from '../bank-connector.ts';
import { errorCode, notSent } from '../reasons.ts';
import { Batches, type BatchLine, WriteFailed } from './batches.ts';
import { FolderLock, FolderLocked } from './folder-lock.ts';
import { StatusFiles } from './status-files.ts';

export interface CsvFolderOptions {
  readonly folder: string;
  readonly batchLinesMax: number;
  readonly batchAgeMs: number;
  readonly lockWaitMs: number;
  readonly now: () => number;
  readonly onTrouble: (error: unknown) => void;
}

interface Waiting {
  readonly slice: PayoutSlice;
  readonly answer: (result: BankSendResult) => void;
}

type Look = (by: { readonly reference?: string; readonly providerRef?: string }) => BankPaymentStatus;

/** A folder that is shared with a bank, and perhaps with other processes of ours. What is done in it is done in turns. */
export class CsvFolder {
  readonly #options: CsvFolderOptions;
  readonly #lock: FolderLock;
  readonly #batches: Batches;
  readonly #statuses: StatusFiles;
  /** Payments that come while a turn is at work share the next one, and its fsync. */
  #waiting: Waiting[] = [];
  #last: Promise<unknown> = Promise.resolve();
  /** What is in memory may not be what is in the folder. */
  #doubtful = true;

  constructor(options: CsvFolderOptions) {
    this.#options = options;
    this.#lock = new FolderLock(options.folder, options.lockWaitMs);
    this.#batches = new Batches(options.folder);
    this.#statuses = new StatusFiles(options.folder, this.#batches);
  }

  async prepare(): Promise<void> {
    for (const name of ['open', 'sent', 'out', 'in', 'done', 'quarantine']) {
      await mkdir(join(this.#options.folder, name), { recursive: true, mode: 0o750 });
    }
  }

  /** One payment more. Resolves when its line is on the disk. */
  add(slice: PayoutSlice): Promise<BankSendResult> {
    return new Promise((resolve) => {
      this.#waiting.push({ slice, answer: resolve });
      if (this.#waiting.length > 1) return;
      let group: readonly Waiting[] = [];
      this.turn(async () => {
        group = this.#waiting;
        this.#waiting = [];
        await this.#write(group);
      }).catch((error: unknown) => {
        // Who has his answer keeps it.
        for (const { answer } of group) answer({ outcome: 'unknown', reason: `WriteFailed: ${errorCode(error)}` });
        if (group.length > 0) return;
        // Their turn did not come to the writing.
        const left = this.#waiting;
        this.#waiting = [];
        const result = notSent(error instanceof FolderLocked ? 'Locked' : 'WriteFailed', errorCode(error));
        for (const { answer } of left) answer(result);
      });
    });
  }

  /**
   * Does something in the folder when it is our turn, with what the bank has said until then. Whatever is due is done too.
   *
   * @throws FolderLocked, and what the disk throws; then nothing was done
   */
  turn<Result>(work: (look: Look) => Result | Promise<Result>): Promise<Result> {
    const { now, batchLinesMax: linesMax, batchAgeMs: ageMs } = this.#options;
    const turn = this.#last.then(() =>
      this.#lock.turn(async (foreign) => {
        if (foreign || this.#doubtful) await this.#load();
        await this.#orTell(async () => {
          const broken = await this.#statuses.takeIn();
          if (broken > 0)
            this.#options.onTrouble(new Error(`${broken} broken lines of a status file are in quarantine/`));
        });
        const result = await work((by) => this.#look(by));
        await this.#orTell(() => this.#batches.closeDue(now(), { linesMax, ageMs }));
        return result;
      }),
    );
    this.#last = turn.catch(() => undefined);
    return turn;
  }

  async idle(): Promise<void> {
    await this.#last;
  }

  async #load(): Promise<void> {
    this.#doubtful = true;
    await this.#batches.load();
    await this.#statuses.load();
    this.#doubtful = false;
  }

  #look(by: Parameters<Look>[0]): BankPaymentStatus {
    const line = this.#batches.find(by);
    return line === undefined ? { status: 'not_found' } : this.#statuses.statusOf(line.reference, line.providerRef);
  }

  /** Answers all of them. The same key is one line, also within a group. */
  async #write(group: readonly Waiting[]): Promise<void> {
    const { now, batchLinesMax: linesMax, batchAgeMs: ageMs } = this.#options;
    let fresh = [...new Map(group.map((waiting) => [waiting.slice.idempotencyKey, waiting.slice])).values()].filter(
      ({ idempotencyKey }) => this.#batches.find({ reference: idempotencyKey }) === undefined,
    );
    const failed = new Map<string, BankSendResult>();
    while (fresh.length > 0) {
      const timely = fresh.filter(({ sendBefore }) => now() < Date.parse(sendBefore));
      const part = timely.slice(0, this.#batches.room(linesMax));
      for (const { idempotencyKey } of fresh.filter((slice) => !timely.includes(slice))) {
        failed.set(idempotencyKey, notSent('TooLate'));
      }
      fresh = timely.slice(part.length);
      const failure = part.length === 0 ? undefined : await this.#addLines(part);
      if (failure !== undefined) for (const { idempotencyKey } of part) failed.set(idempotencyKey, failure);
      if (fresh.length === 0) break;
      // It is full, or its lines could not be written.
      const closed = await this.#orTell(() => this.#batches.closeDue(now(), { linesMax, ageMs }));
      if (!closed || failure !== undefined) {
        for (const { idempotencyKey } of fresh) failed.set(idempotencyKey, notSent('WriteFailed'));
        break;
      }
    }
    for (const { slice, answer } of group) answer(failed.get(slice.idempotencyKey) ?? this.#answerOf(slice));
  }

  async #addLines(slices: readonly PayoutSlice[]): Promise<BankSendResult | undefined> {
    try {
      await this.#batches.add(slices, this.#options.now());
      return undefined;
    } catch (error) {
      this.#doubtful = true;
      this.#options.onTrouble(error);
      if (error instanceof WriteFailed) return notSent('WriteFailed', errorCode(error.cause));
      return { outcome: 'unknown', reason: `WriteFailed: ${errorCode(error)}` };
    }
  }

  #answerOf(slice: PayoutSlice): BankSendResult {
    const line: BatchLine | undefined = this.#batches.find({ reference: slice.idempotencyKey });
    if (line === undefined) return { outcome: 'unknown', reason: 'WriteFailed: nobody knows' };
    if (line.amount !== slice.amount || line.currency !== slice.currency) {
      return { outcome: 'unknown', reason: 'KeyConflict: another payment has this key' };
    }
    const said = this.#statuses.statusOf(line.reference, line.providerRef);
    if (said.status === 'refused') return { outcome: 'refused', code: said.code, elsewhere: said.elsewhere };
    const fee = said.status === 'confirmed' || said.status === 'settled' ? said.providerFee : undefined;
    return {
      outcome: 'accepted',
      providerRef: line.providerRef,
      status: said.status === 'confirmed' || said.status === 'settled' ? 'confirmed' : 'pending',
      ...(fee === undefined ? {} : { providerFee: fee }),
    };
  }

  /** What does not concern whoever waits for this turn. */
  async #orTell(work: () => Promise<void>): Promise<boolean> {
    try {
      await work();
      return true;
    } catch (error) {
      this.#doubtful = true;
      this.#options.onTrouble(error);
      return false;
    }
  }
}
