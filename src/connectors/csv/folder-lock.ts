import { randomUUID } from 'node:crypto';
import { link, readFile, rm, writeFile } from 'node:fs/promises';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { errorCode } from '../reasons.ts';

/** Somebody else has the folder, and does not give it back. */
export class FolderLocked extends Error {
  override readonly name = 'FolderLocked';
  readonly code = 'Locked';
}

/**
 * One process at a time works in a folder, for as long as one turn of work takes. A lock whose process is gone is taken
 * over on the same machine; one of another machine cannot be judged from here, and people remove the file.
 */
export class FolderLock {
  readonly #file: string;
  readonly #lastFile: string;
  readonly #waitMs: number;
  readonly #me = randomUUID();

  constructor(folder: string, waitMs: number) {
    this.#file = join(folder, '.lock');
    this.#lastFile = join(folder, '.last-owner');
    this.#waitMs = waitMs;
  }

  /**
   * @param work is told whether somebody else was at work since our last turn, so that what we remember may be old
   * @throws FolderLocked
   */
  async turn<Result>(work: (foreign: boolean) => Promise<Result>): Promise<Result> {
    await this.#acquire();
    try {
      const last = await readFile(this.#lastFile, 'utf8').catch(() => '');
      const foreign = last !== this.#me;
      // Before anything is changed: whoever comes after a crash of ours must read again.
      if (foreign) await writeFile(this.#lastFile, this.#me);
      return await work(foreign);
    } finally {
      await rm(this.#file, { force: true });
    }
  }

  async #acquire(): Promise<void> {
    const started = Date.now();
    while (!(await create(this.#file))) {
      if (await abandoned(this.#file)) await this.#takeAway();
      if (Date.now() - started >= this.#waitMs) {
        throw new FolderLocked(`${this.#file} is held: where its process is gone, remove it and its .takeover`);
      }
      await sleep(5 + Math.random() * 15);
    }
  }

  /** Looks again while nobody else may take it away: else the one who comes second would remove the lock of the first. */
  async #takeAway(): Promise<void> {
    const mine = `${this.#file}.takeover`;
    if (!(await create(mine))) return;
    try {
      if (await abandoned(this.#file)) await rm(this.#file, { force: true });
    } finally {
      await rm(mine, { force: true });
    }
  }
}

/** A restarted container has the host's name and the pid of the one before; this it has not. */
const incarnation = randomUUID();

/** Makes the file, with who made it in it from the first moment on. False: it is there already. */
async function create(file: string): Promise<boolean> {
  const draft = `${file}.${randomUUID()}`;
  await writeFile(draft, JSON.stringify({ pid: process.pid, incarnation, host: hostname() } satisfies Holder));
  try {
    await link(draft, file);
    return true;
  } catch (error) {
    if (errorCode(error) === 'EEXIST') return false;
    throw error;
  } finally {
    await rm(draft, { force: true });
  }
}

interface Holder {
  readonly pid: number;
  readonly incarnation: string;
  readonly host: string;
}

async function abandoned(file: string): Promise<boolean> {
  const text = await readFile(file, 'utf8').catch(() => '');
  if (text === '') return false;
  const holder = JSON.parse(text) as Holder;
  if (holder.host !== hostname()) return false;
  if (holder.pid === process.pid) return holder.incarnation !== incarnation;
  try {
    process.kill(holder.pid, 0);
    return false;
  } catch (error) {
    return errorCode(error) === 'ESRCH';
  }
}
